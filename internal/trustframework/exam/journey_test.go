package exam_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// person begins a journey of somebody who was not here before.
func (p *pack) person(policy *trustframework.Policy) *journey {
	p.n++
	p.rig.clock.advance(time.Hour)
	return &journey{pack: p, policy: policy, session: &execute.Session{ID: fmt.Sprint("s", p.n), Policy: policy.ID},
		email: fmt.Sprintf("person%d@fabrikam.example", p.n), phone: fmt.Sprintf("+346001%05d", p.n)}
}

// journey is one person on the way through a policy.
type journey struct {
	*pack
	policy       *trustframework.Policy
	session      *execute.Session
	email, phone string
	// sent is how many messages and requests left in the last run.
	sent int
}

func (j *journey) run(q execute.Request, claims map[string]string) error {
	q.Policy, q.Session, q.Claims = j.policy, j.session, &claim.Bag{}
	q.Scene = execute.Scene{Tenant: "default", Application: "app_1", Locale: "en", Wait: 10 * time.Second}
	for name, value := range claims {
		if value != "" {
			q.Claims.Set(name, claim.Text(value))
		}
	}
	_, err := j.rig.runner.Run(j.t.Context(), q)
	messages := j.rig.post.Take()
	for _, m := range messages {
		j.codes.last = m.Code
	}
	j.sent = len(messages) + len(j.rig.web.read())
	return err
}

// secret is that of an app.
const secret = "gezdgnbvgy3tqojq"

// inputs are values for the input claims of a profile, and for those of its input transformations that it does not make
// itself, by their names in lower case.
func (j *journey) inputs(t *trustframework.TechnicalProfile) map[string]string {
	claims, made := map[string]string{}, map[string]bool{}
	for _, ref := range t.InputTransformations {
		if found, ok := j.policy.Transformation(ref.ID); ok {
			for _, in := range found.Inputs {
				claims[strings.ToLower(in.Claim)] = j.value(in.Claim)
			}
			for _, out := range found.Outputs {
				made[strings.ToLower(out.Claim)] = true
			}
		}
	}
	for _, m := range t.InputClaims {
		if m.HasDefault {
			continue
		}
		switch strings.ToLower(m.PartnerName()) {
		case "otptoverify", "verificationcode":
			claims[strings.ToLower(m.Claim)] = j.codes.last
		case "otpcode":
			claims[strings.ToLower(m.Claim)] = totp(j.t, secret, j.rig.clock.Now())
		case "secretkey":
			claims[strings.ToLower(m.Claim)] = secret
		case "phonenumber":
			claims[strings.ToLower(m.Claim)] = j.phone
		default:
			claims[strings.ToLower(m.Claim)] = j.value(m.Claim)
		}
	}
	for name := range made {
		delete(claims, name)
	}
	return claims
}

// value is what a person would have for a claim.
func (j *journey) value(id string) string {
	declared, ok := j.policy.Claim(id)
	if !ok {
		return ""
	}
	name := strings.ToLower(id)
	switch claim.TypeOf(declared.DataType) {
	case claim.Boolean:
		return "true"
	case claim.Int, claim.Long:
		return "1"
	case claim.Date, claim.DateTime:
		return "2026-01-01"
	case claim.PhoneNumber:
		return j.phone
	}
	for _, c := range declared.Choices {
		if mobiles[c.Value] != "" {
			return c.Value
		}
	}
	switch {
	case len(declared.Choices) > 0:
		return declared.Choices[0].Value
	case strings.Contains(name, "mail"), strings.Contains(name, "signinname") && !strings.Contains(name, "phone"), strings.Contains(name, "principalname"):
		return j.email
	case strings.Contains(name, "phone"), strings.Contains(name, "number"):
		return j.phone
	}
	return "text"
}

// mobiles are how numbers of some countries begin, before five digits more.
var mobiles = map[string]string{"ES": "6001", "IE": "8510", "NZ": "2101"}

// typed is what a person types into a field of a control. Beside a country the number is typed without its code.
func (j *journey) typed(control *trustframework.DisplayControl, d trustframework.DisplayClaim) string {
	country := slices.IndexFunc(control.DisplayClaims, func(d trustframework.DisplayClaim) bool { return d.Kind == "CountryCode" })
	switch {
	case d.Kind == "VerificationCode":
		return j.codes.last
	case d.Kind == "Phone" && country >= 0:
		return fmt.Sprintf("%s%05d", mobiles[j.value(control.DisplayClaims[country].Claim)], j.n)
	}
	return j.value(d.Claim)
}
