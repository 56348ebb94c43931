package review

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
)

// ForeignKind is a kind of technical profile that otpost does not run, with its profiles in the policies.
type ForeignKind struct {
	// Handler is what kindOf says, About the name for people.
	Handler, About string
	Profiles       []string
	// Reached are the calls of such profiles from what otpost runs.
	Reached []Call
}

// Call is one reference that otpost follows when it runs something.
type Call struct {
	At trustframework.Origin
	// From is what calls, such as "the action SendCode of emailControl"; Profile is what is called.
	From, Profile string
	// Why is what its handler says, if there is one.
	Why string
}

// foreigners gathers them.
type foreigners struct {
	list []*ForeignKind
	by   map[string]*ForeignKind
}

func (f *foreigners) kind(handler string) *ForeignKind {
	k := f.by[handler]
	if k == nil {
		if f.by == nil {
			f.by = map[string]*ForeignKind{}
		}
		k = &ForeignKind{Handler: handler, About: aboutForeign(handler).Kind}
		f.by[handler] = k
		f.list = append(f.list, k)
	}
	return k
}

func (f *foreigners) profile(t *trustframework.TechnicalProfile) { f.named(kindOf(t), t.ID) }

func (f *foreigners) named(kind, id string) {
	k := f.kind(kind)
	if !slices.Contains(k.Profiles, id) {
		k.Profiles = append(k.Profiles, id)
	}
}

func (f *foreigners) reach(t *trustframework.TechnicalProfile, c Call) {
	f.profile(t)
	if k := f.kind(kindOf(t)); !slices.Contains(k.Reached, c) {
		k.Reached = append(k.Reached, c)
	}
}

// sorted has those that are reached first, then by number of profiles.
func (f *foreigners) sorted() []*ForeignKind {
	for _, k := range f.list {
		slices.SortStableFunc(k.Reached, func(a, b Call) int { return compareOrigins(a.At, b.At) })
		slices.Sort(k.Profiles)
	}
	slices.SortStableFunc(f.list, func(a, b *ForeignKind) int {
		return cmp.Or(cmp.Compare(min(1, len(b.Reached)), min(1, len(a.Reached))), cmp.Compare(len(b.Profiles), len(a.Profiles)), cmp.Compare(a.Handler, b.Handler))
	})
	return f.list
}

// mostNamed bounds how many names a sentence lists.
const mostNamed = 4

// problems are one sentence for each reason: where first, and from where else.
func (k *ForeignKind) problems() []trustframework.Problem {
	var found []trustframework.Problem
	left := k.Reached
	for len(left) > 0 {
		first := left[0]
		var others []string
		var rest []Call
		for _, c := range left[1:] {
			if c.Why != first.Why {
				rest = append(rest, c)
			} else if what := c.From + " calls " + c.Profile + " (" + c.At.String() + ")"; c.At != first.At && !slices.Contains(others, what) {
				others = append(others, what)
			}
		}
		reason := fmt.Sprintf("%s calls %s: %s", first.From, first.Profile, cmp.Or(first.Why, fmt.Sprintf(
			"its handler is none that otpost has: %s (%s). A call that comes to it is refused; keep that step in what calls otpost, or put a RESTful profile in its place",
			k.About, short(k.Handler))))
		if len(others) > 0 {
			reason += ". The same: " + some(others)
		}
		found = append(found, trustframework.Problem{At: first.At, Weight: trustframework.Broken, Reason: reason})
		left = rest
	}
	return found
}

// some lists the first few.
func some(names []string) string {
	if len(names) <= mostNamed {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:mostNamed], ", ") + " and " + fmt.Sprint(len(names)-mostNamed) + " more"
}
