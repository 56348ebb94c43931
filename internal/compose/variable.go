package compose

import (
	"slices"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/compose/liquid"
	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/outbox"
)

// House is what templates may say about who runs otpost. All of it is optional.
type House struct {
	// Tenant is the tenant's short name, Name the one that people know.
	Tenant, Name string
	// SupportEmail and SupportURL are where people find help.
	SupportEmail, SupportURL string
}

// Variable is something a template may say.
type Variable struct {
	// Name is a dotted path; one that ends in ".*" stands for everything below it.
	Name string `json:"name"`
	// Means says what it holds.
	Means string `json:"means"`
	// Empty is set where it is always empty in otpost: it is Auth0's, and known so that templates work unchanged.
	Empty bool `json:"empty,omitempty"`
}

// variables are all variables but the texts of the catalogue. The first part is Auth0's (Customize Email Templates,
// common variables and variables of each template), the second otpost's own.
var variables = []Variable{
	{"code", "the passcode", false},
	{"application.name", "the name of the application that people know, if it has one", false},
	{"application.clientID", "the id of the application", false},
	{"connection.name", "email or sms, the names of Auth0's passwordless connections", false},
	{"tenant", "the tenant's short name", false},
	{"friendly_name", "the name of the house that people know", false},
	{"support_email", "the address where people find help", false},
	{"support_url", "the page where people find help", false},
	{"request_language", "the language that the person prefers, as asked; where nothing was asked, that of the message", false},
	{"user.email", "the address that the message goes to; empty in an SMS", false},
	{"user.phone_number", "the number that the message goes to; empty in a mail", false},
	{"custom_domain.domain", "the host that the code is bound to, if it is", false},
	{"send", "code, always: otpost sends no links", false},

	{"url", "otpost sends codes, not links", true},
	{"link", "otpost sends codes, not links", true},
	{"link_ios", "otpost sends codes, not links", true},
	{"link_android", "otpost sends codes, not links", true},
	{"operation", "otpost knows purposes instead; see purpose", true},

	{"purpose", "sign_up, sign_in, password_reset, mfa or verify", false},
	{"channel", "email or sms", false},
	{"email", "the same as user.email", false},
	{"phone_number", "the same as user.phone_number", false},
	{"language", "the tag of the language that the message is written in", false},
	{"locale", "the same as language", false},
	{"direction", "ltr or rtl, the way that language is written", false},
	{"expires_in", "how long the code works, in the words of that language; empty if unknown", false},
	{"expires_minutes", "the same in whole minutes; empty if unknown", false},
	{"domain", "the same as custom_domain.domain", false},
}

// absent are Auth0's variables of things that otpost knows nothing about.
var absent = slices.Concat(
	none("otpost keeps no profiles", "user.name", "user.given_name", "user.family_name", "user.nickname", "user.username",
		"user.user_id", "user.picture", "user.email_verified", "user.phone_verified", "user.locale", "user.blocked", "user.created_at",
		"user.updated_at", "user.last_ip", "user.last_login", "user.last_password_reset", "user.logins_count", "user.multifactor",
		"user.source_ip", "user.city", "user.country", "user.identities.*", "user.user_metadata.*", "user.app_metadata.*"),
	none("otpost knows no organizations", "organization.id", "organization.name", "organization.display_name",
		"organization.branding.*", "organization.metadata.*"),
	none("beyond its host nothing is known of a domain", "custom_domain.domain_metadata.*"),
	none("beyond its name and id nothing is known of an application", "application.client_metadata.*"),
	none("otpost has channels instead; see connection.name", "connection.id", "connection.strategy", "connection.display_name"),
	none("otpost invites nobody", "inviter.name"),
)

// none lists variables that are always empty.
func none(why string, names ...string) []Variable {
	all := make([]Variable, len(names))
	for i, name := range names {
		all[i] = Variable{Name: name, Means: why, Empty: true}
	}
	return all
}

// Variables lists what templates may say: Auth0's variables, otpost's own, and the texts of the catalogue.
func Variables() []Variable {
	return slices.Concat(variables, absent, []Variable{
		{"t.subject", "the built-in subject", false},
		{"t.title", "the built-in heading for this purpose; t.sign_in.title and its like for another", false},
		{"t.lead", "what to do with the code, for this purpose", false},
		{"t.unasked", "what to do when nothing was asked for, for this purpose", false},
		{"t.expires", "that the code works once, and for how long if that is known", false},
		{"t.secret", "that the code is not to be shared", false},
		{"t.sms", "the built-in SMS for this purpose", false},
	})
}

// dialectOf is what templates can say with these catalogues.
func dialectOf(catalogues *locale.Catalogues) *liquid.Dialect {
	d := &liquid.Dialect{Texts: sayable(catalogues.Match(""))}
	for _, v := range Variables() {
		d.Variables = append(d.Variables, v.Name)
	}
	for _, purpose := range purposeNames() {
		for _, text := range []string{"title", "lead", "unasked", "sms"} {
			d.Variables = append(d.Variables, "t."+purpose+"."+text)
		}
	}
	return d
}

// scope is everything that a template can say about one message. What is not known is nil, which counts as false in a
// condition. Everything that is a stranger's is one line and inert; see Inert.
func (c *Composer) scope(m *outbox.Message, l locale.Language, content *Content) *liquid.Scope {
	x := &texts{language: l, code: m.Code, application: m.Application}
	var minutes any
	if content.Lifetime >= time.Second {
		x.duration = l.Duration(content.Lifetime)
		minutes = int(content.Lifetime / time.Minute)
	}
	var email, phone any
	if m.Channel == outbox.Email {
		email = oneLine(m.To)
	} else {
		phone = oneLine(m.To)
	}
	var house House
	if c.House != nil {
		house = c.House()
	}
	application := map[string]any{"name": known(m.Application), "clientID": known(oneLine(content.ApplicationID))}
	values := map[string]any{
		"code": m.Code, "application": application, "tenant": known(house.Tenant), "friendly_name": known(house.Name),
		"support_email": known(house.SupportEmail), "support_url": known(house.SupportURL),
		"connection":       map[string]any{"name": string(m.Channel)},
		"request_language": requested(content.Locale, m.Language), "send": "code",
		"user":          map[string]any{"email": email, "phone_number": phone},
		"custom_domain": map[string]any{"domain": known(content.Domain)}, "domain": known(content.Domain),
		"purpose": m.Purpose, "channel": string(m.Channel), "email": email, "phone_number": phone,
		"language": m.Language, "locale": m.Language, "direction": string(locale.DirectionOf(m.Language)),
		"expires_in": known(x.duration), "expires_minutes": minutes,
		"t": liquid.Later(func() any { return x.below(m.Purpose) }),
	}
	return &liquid.Scope{Values: values, Translate: x.say, Now: c.now()}
}

func (c *Composer) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// known is nil for what is empty.
func known(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// requested is the first language of what a person prefers, or the language of the message. It is rebuilt from what
// was understood, since the wish is a stranger's text.
func requested(wish, otherwise string) string {
	if tags := wished(wish); len(tags) > 0 {
		return tags[0].String()
	}
	return otherwise
}

// oneLine makes one line of a text for a header or a name: control characters and every kind of line end become
// spaces, and characters that turn the direction of text are dropped.
func oneLine(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
	if plain && strings.TrimSpace(s) == s && !strings.Contains(s, "  ") {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r >= 0x7f && r < 0xa0, r == '\u2028', r == '\u2029':
			return ' '
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufffd':
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
