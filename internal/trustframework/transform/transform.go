// Package transform runs the claims transformations of B2C policies.
package transform

import (
	"errors"
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
	// Rand is where random strings and secrets come from.
	Rand io.Reader
	Now  time.Time
}

// Apply runs t on bag. It returns a *trustframework.Failure for what the person is told, and a *trustframework.Misuse for
// a transformation that cannot be run as it is written; after either the bag is as it was.
func Apply(t *trustframework.ClaimsTransformation, bag *claim.Bag, s Scene) error {
	return errors.New("transform: nothing is written yet")
}

// Check says what of a transformation will not work, before it is run.
func Check(p *trustframework.Policy, t *trustframework.ClaimsTransformation) []trustframework.Problem {
	return nil
}
