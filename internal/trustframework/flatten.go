package trustframework

import "slices"

// lists are the elements that are one list even where a file has several of them (TrustFrameworkPolicy_0.3.0.0.xsd lets
// these repeat).
var lists = map[string]bool{
	"DefaultPartnerClaimTypes": true, "InputClaimsTransformations": true, "OutputClaimsTransformations": true,
	"Preconditions": true, "ValidationTechnicalProfiles": true,
}

// flatten gives a file's root in the form that is merged: technical profiles stand directly in ClaimsProviders, lists
// that were cut into several are one, and what is declared twice is one. It reports what it does not know.
func flatten(m merger, root *element) *element {
	return tidy(m, "", withProfiles(root))
}

// withProfiles puts all technical profiles of a file into one ClaimsProviders: B2C finds them by Id, whatever provider
// they stand under.
func withProfiles(root *element) *element {
	var others, profiles []*element
	var providers *element
	for _, c := range root.children {
		if c.name != "ClaimsProviders" {
			others = append(others, c)
			continue
		}
		providers = c
		for _, provider := range c.each("ClaimsProvider") {
			for _, list := range provider.each("TechnicalProfiles") {
				profiles = append(profiles, list.children...)
			}
		}
	}
	if providers == nil {
		return root
	}
	return root.with(append(others, providers.with(profiles)))
}

func tidy(m merger, parent string, e *element) *element {
	children := joined(e.children)
	if len(children) == 0 {
		return e
	}
	changed := len(children) != len(e.children)
	for i, c := range children {
		if made := tidy(m, e.name, c); made != c {
			if !changed {
				children, changed = slices.Clone(children), true
			}
			children[i] = made
		}
	}
	if r, known := ruleOf(parent, e.name); known && r.unique {
		if single := m.once(r, e.name, children); len(single) != len(children) {
			children, changed = single, true
		}
	}
	if !changed {
		return e
	}
	return e.with(children)
}

// joined makes one list of several of the same name.
func joined(children []*element) []*element {
	first := map[string]int{}
	var all []*element
	for i, c := range children {
		at, again := first[c.name]
		switch {
		case !lists[c.name]:
		case again:
			if all == nil {
				all = slices.Clone(children[:i])
			}
			all[at] = all[at].with(slices.Concat(all[at].children, c.children))
			continue
		default:
			first[c.name] = i
		}
		if all != nil {
			all = append(all, c)
		}
	}
	if all == nil {
		return children
	}
	return all
}

// once merges what one file declares twice, the later over the earlier. B2C's schema forbids it.
func (m merger) once(r rule, parent string, children []*element) []*element {
	at := make(map[string]int, len(children))
	var all []*element
	for _, c := range children {
		key := r.key(c)
		i, again := at[key]
		if !again {
			at[key] = len(all)
			all = append(all, c)
			continue
		}
		m.problems.add(c.at, Odd, "%s is declared twice in this file, first in line %d; the later is put over the earlier", c.label(), all[i].at.Line)
		if r.within {
			all[i] = m.merge(parent, all[i], c)
		} else {
			all[i] = c
		}
	}
	return all
}
