package execute

import (
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// action runs an action of a display control (display-control-verification.md). Its profiles see one set of claims: those
// of the journey, those that the control kept, and those that the person typed.
func (x *run) action() (out *claim.Bag, err error) {
	control, a, err := x.controlOf()
	if err != nil {
		return nil, err
	}
	s := x.begin("display control", control.ID+" "+a.ID, a.At)
	defer func() { s.end(err) }()
	for _, at := range []trustframework.Origin{control.At, a.At} {
		if err := usable(control, at); err != nil {
			return nil, err
		}
	}
	if err := x.open(); err != nil {
		return nil, err
	}
	kept := x.q.Session.control(control.ID)
	work := x.q.Session.Claims.Clone()
	if err := x.prefill(control, work); err != nil {
		return nil, err
	}
	work.Merge(&kept.Claims)
	x.given(control.DisplayClaims, work)
	verify := verifies(a.ID)
	if err := x.required(control, verify, work); err != nil {
		return nil, err
	}
	typed := work.Clone()
	if err := x.validations(a.Validations, work); err != nil {
		return nil, err
	}
	kept.keep(control, typed, work)
	x.dropPasswords(&kept.Claims)
	if verify {
		kept.Verified = true
	} else {
		kept.Sent, kept.Verified = true, false
	}
	out = outputs(control.OutputClaims, work)
	x.dropPasswords(out)
	return out, nil
}

// keep holds on to what the control puts out and what was typed into it, but for the code.
func (c *Control) keep(control *trustframework.DisplayControl, typed, work *claim.Bag) {
	c.Claims = claim.Bag{}
	for _, d := range control.DisplayClaims {
		if v, ok := typed.Get(d.Claim); ok && !isCode(d) {
			c.Claims.Set(d.Claim, v)
		}
	}
	c.Claims.Merge(outputs(control.OutputClaims, work))
}

func isCode(d trustframework.DisplayClaim) bool { return strings.EqualFold(d.Kind, "VerificationCode") }

func (x *run) controlOf() (*trustframework.DisplayControl, trustframework.Action, error) {
	control, ok := x.q.Policy.DisplayControl(x.q.Control)
	if !ok {
		return nil, trustframework.Action{}, &trustframework.Misuse{At: x.q.Policy.At, Element: "policy " + x.q.Policy.ID,
			Reason: "has no display control " + x.q.Control + "; neither have the policies it builds on"}
	}
	a, ok := control.Action(x.q.Action)
	if !ok {
		var known []string
		for _, a := range control.Actions {
			known = append(known, a.ID)
		}
		reason := "has no action " + x.q.Action
		if len(known) > 0 {
			reason += "; it has " + strings.Join(known, " and ")
		}
		return nil, a, &trustframework.Misuse{At: control.At, Element: "display control " + control.ID, Reason: reason}
	}
	return control, a, nil
}

// prefill sets a control's input claims, where the claims have no value yet. Their default values may hold claim resolvers
// without more ado: the public policies rely on it.
func (x *run) prefill(control *trustframework.DisplayControl, bag *claim.Bag) error {
	for _, m := range control.InputClaims {
		if bag.Has(m.Claim) && !m.AlwaysUseDefault || !m.HasDefault {
			continue
		}
		text := x.resolve(m.Default, bag)
		if text == "" {
			continue
		}
		v, err := x.typed(m, claim.Text(text))
		if err != nil {
			return err
		}
		bag.Set(m.Claim, v)
	}
	return nil
}

// required holds what was typed into a control to what the policy asks of it. The code is asked for when it is verified.
func (x *run) required(control *trustframework.DisplayControl, verify bool, bag *claim.Bag) error {
	for _, d := range control.DisplayClaims {
		if isCode(d) {
			x.secrets.add(bag.Text(d.Claim))
		}
		if d.Claim == "" || isCode(d) && !verify {
			continue
		}
		if err := x.accept(d, d.Required || isCode(d), bag); err != nil {
			return err
		}
	}
	return nil
}
