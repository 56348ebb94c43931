package restful

import (
	"fmt"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
)

// The values of AuthenticationType and SendClaimsIn (restful-technical-profile.md, "Metadata"), which are compared
// without case.
const (
	none        = "None"
	basic       = "Basic"
	bearer      = "Bearer"
	certificate = "ClientCertificate"
	apiKey      = "ApiKeyHeader"

	inBody   = "Body"
	inForm   = "Form"
	inHeader = "Header"
	inURL    = "Url"
	inQuery  = "QueryString"
)

var (
	authentications = []string{none, basic, bearer, certificate, apiKey}
	places          = []string{inBody, inForm, inHeader, inURL, inQuery}
)

// settings are what a profile's metadata and keys come to.
type settings struct {
	target target
	auth   string
	place  string
	// payload is the input claim whose text is the body (ClaimUsedForRequestPayload), token the one that is the bearer
	// token (UseClaimAsBearerToken); "" if none.
	payload, token string
	// paths says that partner names of outputs are paths into the answer.
	paths bool
	// debug says that what a service tells of its refusal beside the message is handed on.
	debug bool
	// texts are the profile's own messages by key.
	texts  map[string]string
	policy *trustframework.Policy
}

// reader reads one profile's settings and gathers what is wrong with them.
type reader struct {
	client   *Client
	policy   *trustframework.Policy
	profile  *trustframework.TechnicalProfile
	settings settings
	problems []trustframework.Problem
}

// read reads what a profile says. Settings are whole unless a problem is graver than Odd.
func (c *Client) read(p *trustframework.Policy, t *trustframework.TechnicalProfile) (settings, []trustframework.Problem) {
	r := &reader{client: c, policy: p, profile: t, settings: settings{policy: p}}
	r.names()
	r.settings.auth = r.choice("AuthenticationType", authentications, "")
	r.settings.place = r.choice("SendClaimsIn", places, inBody)
	r.settings.paths = r.flag("ResolveJsonPathsInJsonTokens")
	r.settings.debug = r.flag("DebugMode")
	r.flag("IncludeClaimResolvingInClaimsHandling")
	r.address()
	r.claims()
	r.keys()
	r.open()
	r.messages()
	return r.settings, r.problems
}

func (r *reader) add(at trustframework.Origin, w trustframework.Weight, format string, args ...any) {
	r.problems = append(r.problems, trustframework.Problem{At: at, Weight: w, Reason: fmt.Sprintf(format, args...)})
}

func (r *reader) broken(at trustframework.Origin, format string, args ...any) {
	r.add(at, trustframework.Broken, format, args...)
}

func (r *reader) odd(at trustframework.Origin, format string, args ...any) {
	r.add(at, trustframework.Odd, format, args...)
}

// item is an entry of the metadata; one without a value counts as not given.
func (r *reader) item(key string) (trustframework.Item, bool) {
	item, there := r.profile.Metadata.Get(key)
	item.Value = strings.TrimSpace(item.Value)
	return item, there && item.Value != ""
}

// choice reads an entry that has one of some values. Without a fallback it must be there.
func (r *reader) choice(key string, values []string, fallback string) string {
	item, there := r.item(key)
	if !there {
		if fallback == "" {
			r.broken(r.profile.At, "%s is missing; it is one of %s", key, strings.Join(values, ", "))
		}
		return fallback
	}
	i := slices.IndexFunc(values, func(v string) bool { return strings.EqualFold(v, item.Value) })
	if i < 0 {
		r.broken(item.At, "%s has a value that there is not%s", key, suggest.For(item.Value, values))
		return fallback
	}
	return values[i]
}

// flag reads an entry that is true or false, and false if it is not there.
func (r *reader) flag(key string) bool {
	item, there := r.item(key)
	switch {
	case strings.EqualFold(item.Value, "true"):
		return true
	case there && !strings.EqualFold(item.Value, "false"):
		r.odd(item.At, "%s is neither true nor false; it is taken for false", key)
	}
	return false
}

// claims reads which inputs are more than inputs.
func (r *reader) claims() {
	s := &r.settings
	if item, there := r.item("ClaimUsedForRequestPayload"); there {
		s.payload = item.Value
		switch {
		case !r.hasInput(item.Value):
			r.broken(item.At, "ClaimUsedForRequestPayload names a claim that is not among the InputClaims; add it there")
		case s.place != inBody:
			r.odd(item.At, "ClaimUsedForRequestPayload counts only with SendClaimsIn Body; the claims are sent as if it were not there")
			s.payload = ""
		}
	}
	if item, there := r.item("UseClaimAsBearerToken"); there {
		s.token = item.Value
		switch {
		case s.auth != bearer:
			r.odd(item.At, "UseClaimAsBearerToken counts only with AuthenticationType Bearer; no token is sent")
			s.token = ""
		case !r.hasInput(item.Value):
			r.broken(item.At, "UseClaimAsBearerToken names a claim that is not among the InputClaims; add it there")
		}
	}
	r.headers()
	r.outputs()
}

// hasInput finds an InputClaim by the policy's name or the partner's.
func (r *reader) hasInput(name string) bool {
	return slices.ContainsFunc(r.profile.InputClaims, func(m trustframework.ClaimMapping) bool {
		return strings.EqualFold(m.Claim, name) || strings.EqualFold(m.PartnerName(), name)
	})
}

// headers holds the names of inputs to what a header may be called.
func (r *reader) headers() {
	if r.settings.place != inHeader {
		return
	}
	for _, m := range r.profile.InputClaims {
		if name := m.PartnerName(); !headerName(name) || strings.EqualFold(name, "Authorization") && r.settings.auth != none {
			r.broken(m.At, "the input claim %s cannot be sent as a header of the name that it has; give it another PartnerClaimType", m.Claim)
		}
	}
}

// outputs finds names that are meant to be paths and are not.
func (r *reader) outputs() {
	for _, m := range r.profile.OutputClaims {
		if !r.settings.paths && strings.ContainsAny(m.Partner, ".[") {
			r.odd(m.At, "the PartnerClaimType of the output claim %s looks like a path into the answer; set ResolveJsonPathsInJsonTokens to true if it is one", m.Claim)
		}
		if _, err := parsePath(m.PartnerName()); r.settings.paths && err != nil {
			r.broken(m.At, "the PartnerClaimType of the output claim %s %v", m.Claim, err)
		}
	}
}
