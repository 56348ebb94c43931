package execute

import (
	"errors"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// page runs a self-asserted profile as its page's button does (self-asserted-technical-profile.md): what was typed is held
// to the policy, its validation profiles run, and its output claims become the journey's.
func (x *run) page(t *trustframework.TechnicalProfile) (out *claim.Bag, err error) {
	s := x.begin("technical profile", t.ID, t.At)
	defer func() { s.end(err) }()
	if err := fit(t); err != nil {
		return nil, err
	}
	if err := x.patience(t); err != nil {
		return nil, err
	}
	defer func() { x.count(t, err) }()
	if err := x.open(); err != nil {
		return nil, err
	}
	work := x.q.Session.Claims.Clone()
	if err := x.filled(t, work); err != nil {
		return nil, err
	}
	x.given(x.displayed(t), work)
	if err := x.controls(t, work); err != nil {
		return nil, err
	}
	if err := x.acceptAll(t, work); err != nil {
		return nil, err
	}
	if err := x.validations(t.Validations, work); err != nil {
		return nil, err
	}
	if err := x.finish(t, &Call{Profile: t}, work, s); err != nil {
		return nil, err
	}
	out = outputs(t.OutputClaims, work)
	// What the profiles took a value from goes as what they gave one to comes: where the page puts it out.
	for _, m := range t.OutputClaims {
		if _, there := work.Get(m.Claim); !there {
			x.q.Session.Claims.Delete(m.Claim)
		}
	}
	x.dropPasswords(out)
	x.q.Session.Claims.Merge(out)
	for _, d := range t.DisplayClaims {
		delete(x.q.Session.Controls, trustframework.Fold(d.Control))
	}
	return out, nil
}

// shown are the lines of a page: display claims where there is one, and output claims where there is none.
func shown(t *trustframework.TechnicalProfile) []trustframework.DisplayClaim {
	if len(t.DisplayClaims) > 0 {
		return t.DisplayClaims
	}
	lines := make([]trustframework.DisplayClaim, 0, len(t.OutputClaims))
	for _, m := range t.OutputClaims {
		lines = append(lines, trustframework.DisplayClaim{At: m.At, Claim: m.Claim, Required: m.Required})
	}
	return lines
}

const retryLimit = "setting.retryLimit"

// patience refuses a page that was refused too often (setting.retryLimit; error-codes.md, AADB2C90157). That the limit counts
// the first refusal too, and has no default, is UNCONFIRMED. The count is in the session's token and bounds nothing that
// matters: codes are counted in the engine.
func (x *run) patience(t *trustframework.TechnicalProfile) error {
	item, ok := t.Metadata.Get(retryLimit)
	limit, err := strconv.Atoi(strings.TrimSpace(item.Value))
	if !ok || err != nil || x.q.Session.Retries[trustframework.Fold(t.ID)] < limit {
		return nil
	}
	return &trustframework.Failure{Key: "AADB2C90157", Profile: t.ID,
		Default: "User has exceeded the maximum number for retries for a self-asserted step."}
}

// count counts a refusal. What went wrong here, or is wrong with the policy, is no try of the person's.
func (x *run) count(t *trustframework.TechnicalProfile, err error) {
	s := x.q.Session
	var refusal *trustframework.Failure
	switch {
	case err == nil:
		delete(s.Retries, trustframework.Fold(t.ID))
		return
	case !errors.As(err, &refusal):
		return
	}
	if s.Retries == nil {
		s.Retries = map[string]int{}
	}
	s.Retries[trustframework.Fold(t.ID)]++
}
