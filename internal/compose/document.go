package compose

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/language"

	"github.com/otpost/otpost/internal/outbox"
)

// Liquid is the syntax of templates; see the package liquid within this one.
const Liquid = "liquid"

// TemplateDocument is a template as operators write it: the wording of one kind of message. Subject, from_name, text
// and html are Liquid.
type TemplateDocument struct {
	// Name is 1 to 64 lower-case letters, digits, hyphens and underscores.
	// It stands beside the document where it is kept.
	Name string `json:"-"`
	// Application, Purpose and Language narrow what the template is for; empty means any. Application is the id or the
	// name of an application, Purpose one of sign_up, sign_in, password_reset, mfa and verify, Language a BCP 47 tag.
	Application string `json:"application,omitempty" help:"Application whose messages they are; all when missing."`
	Purpose     string `json:"purpose,omitempty" help:"What the codes are for; everything when missing."`
	Language    string `json:"language,omitempty" help:"Language of the messages, a BCP 47 tag; all when missing."`
	// Channel is email or sms.
	Channel outbox.Channel `json:"channel" required:"true" oneof:"email sms" help:"Which messages: email or sms."`
	// From and FromName override the provider's own sender. From is a bare address, for SMS a number or a name of up
	// to 11 letters and digits; FromName is for email alone.
	From     string `json:"from,omitempty" help:"Sender, instead of the provider's: a bare address, for sms a number or a name."`
	FromName string `json:"from_name,omitempty" help:"Sender's name in a mail, instead of the provider's."`
	// Subject and HTML are for email alone. Text is made of HTML where it is empty.
	Subject string `json:"subject,omitempty" help:"Subject of a mail, in Liquid."`
	Text    string `json:"text,omitempty" help:"The message as text, in Liquid; made of html when missing."`
	HTML    string `json:"html,omitempty" help:"A mail as HTML, in Liquid."`
	// Disabled takes it out of the choice.
	Disabled bool `json:"disabled,omitempty" help:"Takes it out of the choice without deleting it."`
	// Syntax is "liquid", or empty, which means the same.
	Syntax string `json:"syntax,omitempty" help:"The template language: liquid, also when missing."`
}

// Key is the same for two documents that compete for the same messages, which a register should not let happen.
func (d *TemplateDocument) Key() string {
	return strings.Join([]string{string(d.Channel), d.Application, d.Purpose, canonical(d.Language)}, "\n")
}

// Problem is one thing that is wrong with a template, or that its author should know.
type Problem struct {
	// Field is the member of the document.
	Field string `json:"field"`
	// Line and Column count from 1 within the field; 0 means the field as a whole.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Case is the message that was tried, such as "de, sign_in, no application", empty when it holds for all.
	Case string `json:"case,omitempty"`
	// Problem says what is wrong and what to do.
	Problem string `json:"problem"`
}

// String is the problem with its place.
func (p Problem) String() string {
	place := p.Field
	if p.Line > 0 {
		place += fmt.Sprintf(", line %d, column %d", p.Line, p.Column)
	}
	if p.Case != "" {
		place += " (" + p.Case + ")"
	}
	return place + ": " + p.Problem
}

// Detail is the problem without its field, such as "line 3, column 4 (de, sign_in): …".
func (p Problem) Detail() string {
	place := ""
	if p.Line > 0 {
		place = fmt.Sprintf("line %d, column %d", p.Line, p.Column)
	}
	if p.Case != "" {
		place = strings.TrimSpace(place + " (" + p.Case + ")")
	}
	if place == "" {
		return p.Problem
	}
	return place + ": " + p.Problem
}

// Problems is why a template was refused: at least one thing, each with its place.
type Problems []Problem

// Error lists them all.
func (p Problems) Error() string {
	all := make([]string, len(p))
	for i := range p {
		all[i] = p[i].String()
	}
	return "template: " + strings.Join(all, "; ")
}

var (
	templateName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	// smsSender is a number in E.164 form, a short code, or an alphanumeric sender (3GPP TS 23.040 §9.1.2.5: 11
	// characters).
	smsSender = regexp.MustCompile(`^(\+[0-9]{5,15}|[0-9]{3,8}|[A-Za-z0-9][A-Za-z0-9 ]{0,10})$`)
)

// check looks at all of the document but its templates.
func (d *TemplateDocument) check() Problems {
	var found Problems
	wrong := func(field, format string, a ...any) {
		found = append(found, Problem{Field: field, Problem: fmt.Sprintf(format, a...)})
	}
	if !templateName.MatchString(d.Name) {
		wrong("name", "%q is not a name: 1 to 64 lower-case letters, digits, hyphens and underscores", d.Name)
	}
	if d.Syntax != "" && d.Syntax != Liquid {
		wrong("syntax", "%q is not known; the only syntax is %q", d.Syntax, Liquid)
	}
	if d.Purpose != "" && purposeOf(d.Purpose).String() != d.Purpose {
		wrong("purpose", "%q is not a purpose; sign_up, sign_in, password_reset, mfa and verify are, and empty means any", d.Purpose)
	}
	if len(d.Application) > 200 || strings.ContainsFunc(d.Application, unicode.IsControl) {
		wrong("application", "it is neither the id nor the name of an application")
	}
	if d.Language != "" && canonical(d.Language) == "" {
		wrong("language", "%q is not a language tag (BCP 47), such as fr or pt-BR; empty means any", d.Language)
	}
	switch d.Channel {
	case outbox.Email:
		d.checkEmail(wrong)
	case outbox.SMS:
		d.checkSMS(wrong)
	default:
		wrong("channel", "%q is not a channel; email and sms are", d.Channel)
	}
	return found
}

func (d *TemplateDocument) checkEmail(wrong func(field, format string, a ...any)) {
	if d.From != "" {
		if a, err := mail.ParseAddress(d.From); err != nil || a.Name != "" || a.Address != d.From || strings.ContainsFunc(d.From, unicode.IsControl) {
			wrong("from", "%q is not a bare address, such as code@example.org; the name belongs in from_name", d.From)
		}
	}
	if strings.TrimSpace(d.Subject) == "" {
		wrong("subject", "a mail needs a subject")
	}
	if strings.TrimSpace(d.Text) == "" && strings.TrimSpace(d.HTML) == "" {
		wrong("html", "the template says nothing; write html, or text, or both")
	}
}

func (d *TemplateDocument) checkSMS(wrong func(field, format string, a ...any)) {
	if d.From != "" && !smsSender.MatchString(d.From) {
		wrong("from", "%q is not a sender: a number such as +4930123456, or up to 11 letters and digits", d.From)
	}
	for _, field := range []struct{ name, text string }{{"from_name", d.FromName}, {"subject", d.Subject}, {"html", d.HTML}} {
		if field.text != "" {
			wrong(field.name, "an SMS has none; write text")
		}
	}
	if strings.TrimSpace(d.Text) == "" {
		wrong("text", "the template says nothing")
	}
}

// canonical is the canonical form of a language tag, empty for what is none.
func canonical(tag string) string {
	parsed, err := language.Parse(tag)
	if err != nil || parsed == language.Und {
		return ""
	}
	return parsed.String()
}

// purposeNames are all purposes, in the order of their constants.
func purposeNames() []string {
	names := make([]string, 0, purposes)
	for p := range purposes {
		names = append(names, p.String())
	}
	return slices.Clip(names)
}
