package review

import (
	"cmp"
	"slices"

	"github.com/otpost/otpost/internal/trustframework"
)

// Finding is one thing to know about, with every place where it is so. What several policies inherit is told once.
type Finding struct {
	Weight trustframework.Weight
	Reason string
	// Places are in the order of files and lines, at least one.
	Places []trustframework.Origin
}

// findings gathers them.
type findings struct {
	list []*Finding
	by   map[findingKey]*Finding
}

type findingKey struct {
	weight trustframework.Weight
	reason string
}

func (f *findings) add(p trustframework.Problem) {
	key := findingKey{p.Weight, p.Reason}
	found := f.by[key]
	if found == nil {
		if f.by == nil {
			f.by = map[findingKey]*Finding{}
		}
		found = &Finding{Weight: p.Weight, Reason: p.Reason}
		f.by[key] = found
		f.list = append(f.list, found)
	}
	if !slices.Contains(found.Places, p.At) {
		found.Places = append(found.Places, p.At)
	}
}

func (f *findings) sorted() []*Finding {
	for _, found := range f.list {
		slices.SortFunc(found.Places, compareOrigins)
	}
	slices.SortStableFunc(f.list, func(a, b *Finding) int { return compareOrigins(a.Places[0], b.Places[0]) })
	return f.list
}

func compareOrigins(a, b trustframework.Origin) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
