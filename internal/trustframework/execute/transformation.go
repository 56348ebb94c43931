package execute

import (
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/transform"
)

// transformations run in their order on the claims of a profile.
func (x *run) transformations(t *trustframework.TechnicalProfile, list []trustframework.Reference, bag *claim.Bag) error {
	for _, ref := range list {
		if err := x.transformation(t, ref, bag); err != nil {
			return owned(err, t)
		}
	}
	return nil
}

func (x *run) transformation(t *trustframework.TechnicalProfile, ref trustframework.Reference, bag *claim.Bag) (err error) {
	s := x.begin("transformation", ref.ID, ref.At)
	defer func() { s.end(err) }()
	found, ok := x.q.Policy.Transformation(ref.ID)
	if !ok {
		return &trustframework.Misuse{At: ref.At, Element: "claims transformation " + ref.ID, Reason: "is defined in no file that this policy builds on"}
	}
	for _, in := range found.Inputs {
		if v, ok := bag.Get(in.Claim); ok {
			s.in(in.Claim, v)
		}
	}
	err = transform.Apply(found, bag, transform.Scene{Policy: x.q.Policy, Text: x.texts.exact,
		Resolve: func(text string) string { return x.expression(text, t) }, Key: x.r.Keys, Rand: x.r.Rand, Now: x.r.Now()})
	if err != nil {
		return err
	}
	for _, out := range found.Outputs {
		v, ok := bag.Get(out.Claim)
		if !ok {
			continue
		}
		if drawn(found) {
			x.secrets.add(v.String())
		}
		s.out(out.Claim, v)
	}
	return nil
}

// drawn says that a transformation's result may be a secret that it drew.
func drawn(t *trustframework.ClaimsTransformation) bool {
	switch trustframework.Fold(t.Method) {
	case "createotpsecret", "createrandomstring", "guidandrandomgenerator":
		return true
	}
	return false
}
