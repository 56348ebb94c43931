package otp

import (
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// provider is a kind of technical profile.
type provider struct {
	// name is what people call it.
	name       string
	operations []operation
	// stepError is what B2C answers when the profile is called by an orchestration step, empty if that is not known.
	stepError string
	// messages are the keys of its texts.
	messages []string
	// explicit is true if B2C's documentation asks for PartnerClaimType to be written, whatever the claim is called.
	explicit bool
	// legacy is true if older names of messages are read on the profile.
	legacy bool
	// ignored are metadata keys that do nothing here, and what they are.
	ignored map[string]string
}

// operation is what a profile's metadata Operation chooses.
type operation struct {
	name string
	// inputs and outputs are the partner names that it must have.
	inputs, outputs []string
	// settings are the keys of metadata that it reads beside Operation.
	settings []string
	// keys say under which message key each reason of the engine is told; other is for what has no key of its own, last
	// for the wrong code that used up the tries, where codes are tried.
	keys        map[passcode.Reason]string
	other, last string
	// lint looks for what of the settings is better otherwise.
	lint  func(p *trustframework.Policy, t *trustframework.TechnicalProfile) []trustframework.Problem
	about execute.About
}

// chosen is the operation of a call's profile.
func (v *provider) chosen(c *execute.Call) (*operation, error) {
	op, found := v.operation(c.Profile)
	if op == nil {
		return nil, misuse(c.Profile, found[0])
	}
	return op, nil
}

// operation finds what a profile does, and says what is wrong with how it says it. It is nil if nobody can know.
func (v *provider) operation(t *trustframework.TechnicalProfile) (*operation, []trustframework.Problem) {
	names := make([]string, len(v.operations))
	for i := range v.operations {
		names[i] = v.operations[i].name
	}
	set := strings.Join(names, " or ")
	item, there := t.Metadata.Get("Operation")
	written := strings.TrimSpace(item.Value)
	switch {
	case !there:
		return nil, []trustframework.Problem{{At: t.At, Weight: trustframework.Broken,
			Reason: `has no metadata key Operation; set it to ` + set + ` (B2C answers AADB2C90023: it "does not contain the required metadata key")`}}
	case written == "":
		return nil, []trustframework.Problem{{At: item.At, Weight: trustframework.Broken,
			Reason: `has an empty Operation; set it to ` + set + ` (B2C answers AADB2C99011: the metadata value "has not been specified")`}}
	}
	for i := range v.operations {
		op := &v.operations[i]
		switch {
		case op.name == written:
			return op, nil
		case strings.EqualFold(op.name, written):
			return op, []trustframework.Problem{{At: item.At, Weight: trustframework.Odd,
				Reason: "has an Operation in other letters than " + op.name + "; it is taken for that, and B2C may not do so"}}
		}
	}
	return nil, []trustframework.Problem{{At: item.At, Weight: trustframework.Broken,
		Reason: "has an Operation that a " + v.name + " profile does not have; set it to " + set + suggest.For(written, names)}}
}

// settingOf finds the operation that has a setting, apart from one.
func (v *provider) settingOf(key string, not *operation) (string, bool) {
	for i := range v.operations {
		if op := &v.operations[i]; op != not && containsFold(op.settings, key) {
			return op.name, true
		}
	}
	return "", false
}

// misuse is the error of a profile that cannot be run, of what is wrong with it.
func misuse(t *trustframework.TechnicalProfile, p trustframework.Problem) error {
	return &trustframework.Misuse{At: p.At, Element: "technical profile " + t.ID, Reason: p.Reason}
}

// broken is the error of the first problem that keeps a profile from being run.
func broken(t *trustframework.TechnicalProfile, found []trustframework.Problem) error {
	for _, p := range found {
		if p.Weight >= trustframework.Broken {
			return misuse(t, p)
		}
	}
	return nil
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, strings.TrimSpace(name)) })
}
