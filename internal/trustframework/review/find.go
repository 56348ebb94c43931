package review

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
)

// unread ends an error about something that there is not: it may stand in a file that is refused.
func unread(set *trustframework.Set, err error) error {
	var files []string
	for _, p := range set.Problems {
		if p.Weight == trustframework.Refused && !slices.Contains(files, p.At.File) {
			files = append(files, p.At.File)
		}
	}
	if len(files) == 0 {
		return err
	}
	return fmt.Errorf("%w (it may stand in what is refused: %s; otpost policy check says why)", err, some(files))
}

// Find finds a policy, and says what was meant where there is none.
func Find(set *trustframework.Set, id string) (*trustframework.Policy, error) {
	if p, there := set.Policy(id); there {
		return p, nil
	}
	var ids []string
	for _, p := range set.Policies {
		if strings.EqualFold(p.ID, id) {
			return nil, errors.New("several files have a policy " + id + "; write its folder before it, as in FOLDER/" + id)
		}
		ids = append(ids, p.ID)
	}
	return nil, unread(set, unknown("policy", id, ids))
}

// Has returns an error unless p has a technical profile, or with an action a display control with it.
func Has(p *trustframework.Policy, id, action string) error {
	d, isControl := p.DisplayControl(id)
	_, isProfile := p.TechnicalProfile(id)
	switch {
	case action == "" && isProfile:
		return nil
	case isControl && action == "":
		return fmt.Errorf("%s is a display control; say which action is run: %s", id, actions(d))
	case isControl:
		if _, there := d.Action(action); !there {
			return fmt.Errorf("the display control %s has no action %s; it has %s", id, action, actions(d))
		}
		return nil
	case isProfile:
		return fmt.Errorf("%s is a technical profile, which has no action %s", id, action)
	}
	return unknown("technical profile or display control", id, idsOf([]*trustframework.Policy{p}))
}

func actions(d *trustframework.DisplayControl) string {
	var ids []string
	for _, a := range d.Actions {
		ids = append(ids, a.ID)
	}
	if len(ids) == 0 {
		return "none"
	}
	return strings.Join(ids, " and ")
}

// Where finds the policy that is meant by what is run of it: the one that has it, or among several that have it from one
// policy that policy.
func Where(set *trustframework.Set, id, action string) (*trustframework.Policy, error) {
	ends, _ := chosen(set, "")
	var have []*trustframework.Policy
	var missing error
	for _, p := range ends {
		if err := Has(p, id, action); err == nil {
			have = append(have, p)
		} else if _, isControl := p.DisplayControl(id); missing == nil || isControl {
			missing = err
		}
	}
	if len(have) == 0 {
		if len(ends) > 1 && missing != nil && strings.HasPrefix(missing.Error(), "there is no") {
			missing = unknown("technical profile or display control", id, idsOf(ends))
		}
		if missing == nil {
			missing = errors.New("no policy could be read")
		}
		return nil, unread(set, missing)
	}
	for p := have[0]; p != nil; p = p.Base {
		if Has(p, id, action) == nil && !slices.ContainsFunc(have, func(other *trustframework.Policy) bool { return !builds(other, p) }) {
			return p, nil
		}
	}
	var ids []string
	for _, p := range have {
		ids = append(ids, p.At.File+" ("+p.ID+")")
	}
	return nil, fmt.Errorf("several policies have %s; choose one with --policy: %s", id, some(ids))
}

// NoClaim is the error of a claim that p does not declare.
func NoClaim(p *trustframework.Policy, name string) error {
	var ids []string
	for _, c := range p.Claims {
		ids = append(ids, c.ID)
	}
	return unknown("claim", name, ids)
}

// unknown is the error of a name that there is nothing for.
func unknown(what, name string, known []string) error {
	slices.Sort(known)
	known = slices.Compact(known)
	text := "there is no " + what + " " + name
	if near := suggest.Sure(name, known); near != "" {
		return errors.New(text + "; did you mean " + near + "?")
	}
	if len(known) > 0 && len(known) <= 20 {
		return errors.New(text + "; there is " + strings.Join(known, ", "))
	}
	return errors.New(text)
}
