// Package transform runs the claims transformations of B2C policies.
//
// What the methods do is in string-transformations.md, general-transformations.md and their neighbours in Microsoft's
// reference of B2C; comments name the document and the section where it is not the one that has the method's name. What
// no document says is marked UNCONFIRMED, and is our choice.
package transform

import (
	"io"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// Scene is what a transformation may need beside claims.
type Scene struct {
	Policy *trustframework.Policy
	// Text finds a text of the page that the transformation runs for, in the language of the journey, as
	// LocalizedResources.String does. There is no other language to fall back on.
	Text func(elementType, element, id string) (string, bool)
	// Resolve puts in what stands for {TechnicalProfileId}, {AuthenticatorIssuer} and other expressions in a parameter.
	Resolve func(text string) string
	// Key finds a policy key by its storage id, such as B2C_1A_Salt. Nil finds none.
	Key func(id string) (string, bool)
	// Rand is where random strings and secrets come from.
	Rand io.Reader
	Now  time.Time
}

// Apply runs t on bag. It returns a *trustframework.Failure for what the person is told, and a *trustframework.Misuse for
// a transformation that cannot be run as it is written; after either the bag is as it was.
//
// A claim without a value is the same as none (claim.Bag.Has). A text that comes out empty is kept as such in a string
// claim, and takes the value from a claim of any other type.
func Apply(t *trustframework.ClaimsTransformation, bag *claim.Bag, s Scene) error {
	m, findings := inspect(s.Policy, t)
	for _, f := range findings {
		if f.weight == trustframework.Broken {
			return &trustframework.Misuse{At: f.at, Element: "claims transformation " + t.ID, Reason: f.text}
		}
	}
	r := &run{transformation: t, method: m, bag: bag, scene: s}
	if err := m.run(r); err != nil {
		return err
	}
	return r.commit()
}

// Check says what of a transformation will not work, before it is run.
func Check(p *trustframework.Policy, t *trustframework.ClaimsTransformation) []trustframework.Problem {
	var problems []trustframework.Problem
	_, findings := inspect(p, t)
	for _, f := range findings {
		problems = append(problems, trustframework.Problem{At: f.at, Weight: f.weight, Reason: "claims transformation " + t.ID + ": " + f.text})
	}
	return problems
}
