package execute

import (
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/predicate"
)

// meets holds a value to the claim's pattern and predicates. Where the page has no text for it, the person is told what
// the pattern or the predicates say, since that says what to type.
func (x *run) meets(declared *trustframework.ClaimType, label string, v claim.Value) error {
	help, ok, err := predicate.Rules{Policy: x.q.Policy, Today: x.r.Now(), Text: x.texts.find}.Meets(declared, v)
	if err != nil || ok {
		return err
	}
	if help == "" {
		help = "Incorrect pattern for: {0}"
	}
	return &trustframework.Failure{Key: "UserMessageIfIncorrectPattern", Default: help, Arguments: []string{label}}
}
