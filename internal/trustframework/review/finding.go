package review

import (
	"cmp"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
)

// Finding is one thing to know about, with every place where it is so. What several policies inherit is told once.
type Finding struct {
	Weight trustframework.Weight
	Reason string
	// Places are in the order of files and lines, at least one.
	Places []trustframework.Origin
}

// findings gathers them. What is the same of several policies is one finding that names them.
type findings struct {
	list []*Finding
	by   map[findingKey]*Finding
	// policies are those that a finding's reason names.
	policies map[*Finding][]string
}

// here stands for the name of a policy in a reason.
const here = "\x00"

// findingKey tells findings apart. Each file that is refused is one of its own: to be lost among others is to be passed over.
type findingKey struct {
	weight  trustframework.Weight
	reason  string
	refused trustframework.Origin
}

func (f *findings) add(p trustframework.Problem, policy string) {
	if policy != "" {
		p.Reason = strings.ReplaceAll(p.Reason, policy, here)
	}
	key := findingKey{weight: p.Weight, reason: brief(p.Reason)}
	if p.Weight == trustframework.Refused {
		key.refused = p.At
	}
	found := f.by[key]
	if found == nil {
		if f.by == nil {
			f.by, f.policies = map[findingKey]*Finding{}, map[*Finding][]string{}
		}
		found = &Finding{Weight: p.Weight, Reason: key.reason}
		f.by[key] = found
		f.list = append(f.list, found)
	}
	if !slices.Contains(found.Places, p.At) {
		found.Places = append(found.Places, p.At)
	}
	if policy != "" && !slices.Contains(f.policies[found], policy) {
		f.policies[found] = append(f.policies[found], policy)
	}
}

// longest bounds a list of names that somebody may have meant, in bytes; longer ones drown what is said.
const longest = 200

// brief is a reason without a long list of names at its end.
func brief(reason string) string {
	text, names, found := strings.Cut(reason, "; known are ")
	if found && len(names) > longest {
		return text
	}
	return reason
}

func (f *findings) sorted() []*Finding {
	for _, found := range f.list {
		slices.SortFunc(found.Places, compareOrigins)
		found.Reason = strings.ReplaceAll(found.Reason, here, some(f.policies[found]))
	}
	slices.SortStableFunc(f.list, func(a, b *Finding) int { return compareOrigins(a.Places[0], b.Places[0]) })
	return f.list
}

func compareOrigins(a, b trustframework.Origin) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
