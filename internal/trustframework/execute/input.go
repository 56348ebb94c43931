package execute

import (
	"slices"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// input is how a claim is typed in: its UserInputType, "" for one that no page shows.
func (x *run) input(name string) string {
	declared, ok := x.q.Policy.Claim(name)
	if !ok {
		return ""
	}
	return declared.UserInput
}

// readOnly are inputs that a person cannot change. What a page posts of one may be its mask, or forged.
var readOnly = []string{"Readonly", "Paragraph"}

// declared holds what the caller gave to the claims of the policy, and to their types.
func (x *run) declared() error {
	typed := &claim.Bag{}
	for name, v := range x.q.Claims.All() {
		if x.input(name) == "Password" {
			x.secrets.add(v.String())
		}
		v, err := x.typed(trustframework.ClaimMapping{Claim: name}, v)
		if err != nil {
			return err
		}
		typed.Set(name, v)
	}
	x.q.Claims = typed
	return nil
}

// dropPasswords keeps passwords out of what lasts: they are for the profiles that validate what was typed.
func (x *run) dropPasswords(from *claim.Bag) {
	for name := range from.All() {
		if x.input(name) == "Password" {
			from.Delete(name)
		}
	}
}

// given merges what the caller gave: all of it, since the caller may carry the journey, but nothing that would change a
// claim that the page shows as read-only.
func (x *run) given(lines []trustframework.DisplayClaim, bag *claim.Bag) {
	for name, v := range x.q.Claims.All() {
		if among(lines, name) && bag.Has(name) && slices.Contains(readOnly, x.input(name)) {
			continue
		}
		bag.Set(name, v)
	}
}

// displayed are the lines of a page with those of its display controls.
func (x *run) displayed(t *trustframework.TechnicalProfile) []trustframework.DisplayClaim {
	lines := slices.Clone(shown(t))
	for _, d := range t.DisplayClaims {
		if control, ok := x.q.Policy.DisplayControl(d.Control); ok {
			lines = append(lines, control.DisplayClaims...)
		}
	}
	return lines
}

// filled puts in what the fields of a page hold before somebody types: the profile's input claims. That one which no field
// shows gets no value from its default is UNCONFIRMED.
func (x *run) filled(t *trustframework.TechnicalProfile, bag *claim.Bag) error {
	lines := shown(t)
	for _, m := range t.InputClaims {
		if !among(lines, m.Claim) {
			continue
		}
		v, ok, err := x.value(t, m, bag)
		if err != nil {
			return err
		}
		if ok {
			bag.Set(m.Claim, v)
		}
	}
	return nil
}

// among reports whether one of the lines of a page is a claim's.
func among(lines []trustframework.DisplayClaim, id string) bool {
	return slices.ContainsFunc(lines, func(d trustframework.DisplayClaim) bool {
		return trustframework.Fold(d.Claim) == trustframework.Fold(id)
	})
}
