package execute

import (
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// meets holds a value to the claim's pattern and predicates.
func (x *run) meets(declared *trustframework.ClaimType, label string, v claim.Value) error {
	return nil
}
