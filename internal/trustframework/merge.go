package trustframework

import (
	"slices"
	"strings"
)

// merger merges elements, and bounds how many entries come of it all.
type merger struct {
	problems *problems
	entries  *int
	// spent tells that the bound was met, which makes what is merged incomplete.
	spent *bool
}

// merge gives own as it is when what it inherits from base is counted in. Both stay as they are.
func (m merger) merge(parent string, base, own *element) *element {
	r, known := ruleOf(parent, own.name)
	if !known || base == nil {
		return own
	}
	made := own.with(m.children(r, base, own))
	made.attributes = inherited(base.attributes, own.attributes)
	if own.text == "" {
		made.text = base.text
	}
	return made
}

// inherited are own and those of base that own does not have.
func inherited(base, own []attribute) []attribute {
	all := slices.Clip(own)
	for _, a := range base {
		if !slices.ContainsFunc(own, func(o attribute) bool { return o.name == a.name }) {
			all = append(all, a)
		}
	}
	return all
}

func (m merger) children(r rule, base, own *element) []*element {
	behaviour := ""
	if r.behaves {
		behaviour = m.behaviour(r, own)
	}
	switch behaviour {
	case "replaceall":
		return own.children
	case "prepend", "append":
		// What is declared again takes the place of the base's; UNCONFIRMED.
		kept := m.without(r, base.children, own.children)
		if behaviour == "prepend" {
			return slices.Concat(own.children, kept)
		}
		return slices.Concat(kept, own.children)
	}
	return m.entriesOf(r, own.name, base.children, own.children)
}

// behaviour reads MergeBehavior.
func (m merger) behaviour(r rule, e *element) string {
	written, there := e.lookup("MergeBehavior")
	switch b := Fold(written); b {
	case "append", "prepend", "replaceall":
		return b
	}
	if there {
		m.problems.add(e.at, Broken, "the MergeBehavior of %s is none of Append, Prepend and ReplaceAll; read as Append", e.label())
	} else if r.otherwise != "" {
		return r.otherwise
	}
	return "append"
}

// without are the entries that are not declared again.
func (m merger) without(r rule, base, own []*element) []*element {
	m.spend(len(base) + len(own))
	again := make(map[string]bool, len(own))
	for _, o := range own {
		again[r.key(o)] = true
	}
	return slices.DeleteFunc(slices.Clone(base), func(b *element) bool { return again[r.key(b)] })
}

// entriesOf lets each of own meet its like in base, or follow at the end.
func (m merger) entriesOf(r rule, parent string, base, own []*element) []*element {
	if !m.spend(len(base) + len(own)) {
		return own
	}
	all := slices.Clone(base)
	at := make(map[string][]int, len(base))
	for i, b := range base {
		key := r.key(b)
		at[key] = append(at[key], i)
	}
	repeated := map[string]int{}
	for _, o := range own {
		repeated[r.key(o)]++
	}
	for _, o := range own {
		key := r.key(o)
		i := r.choose(all, at[key], o, repeated[key] > 1)
		switch {
		case i < 0:
			all = append(all, o)
		case r.within:
			all[i] = m.merge(parent, all[i], o)
		default:
			all[i] = o
		}
	}
	return all
}

// choose picks the entry that o meets among those of its key, -1 for none. Of several, or where o itself is one of
// several, it is the one that the preferred attribute points at.
func (r rule) choose(all []*element, among []int, o *element, repeated bool) int {
	if r.prefer != "" {
		for _, i := range among {
			if Fold(all[i].get(r.prefer)) == Fold(o.get(r.prefer)) {
				return i
			}
		}
		if len(among) > 1 || repeated {
			return -1
		}
	}
	if len(among) == 0 {
		return -1
	}
	return among[0]
}

// key tells entries of one list apart.
func (r rule) key(e *element) string {
	if len(r.by) == 0 {
		return e.name
	}
	parts := make([]string, 0, 1+len(r.by))
	parts = append(parts, e.name)
	for _, name := range r.by {
		if name == "#" {
			parts = append(parts, Fold(e.text))
			continue
		}
		parts = append(parts, Fold(e.get(name)))
	}
	return strings.Join(parts, "\x00")
}

// spend counts entries and reports whether there are any left to spend.
func (m merger) spend(n int) bool {
	if *m.entries < n {
		*m.spent = true
		return false
	}
	*m.entries -= n
	return true
}
