package claim

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// Bag is the claims that are known at one point of a journey. Names are compared without case, since policies write them
// in several (surName and surname in Microsoft's own). The zero value is ready for use.
type Bag struct {
	entries map[string]entry
}

type entry struct {
	name  string
	value Value
}

func key(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Get finds a claim.
func (b *Bag) Get(name string) (Value, bool) {
	found, ok := b.entries[key(name)]
	return found.value, ok
}

// Text is a claim's value as text, empty if there is none.
func (b *Bag) Text(name string) string {
	v, _ := b.Get(name)
	return v.String()
}

// Has says that there is such a claim and that it is not empty. B2C takes a claim without a value for one that is not there.
func (b *Bag) Has(name string) bool {
	v, ok := b.Get(name)
	return ok && !v.Empty()
}

// Set keeps a value. The name that was given first stays.
func (b *Bag) Set(name string, v Value) {
	if b.entries == nil {
		b.entries = map[string]entry{}
	}
	k := key(name)
	if before, ok := b.entries[k]; ok {
		name = before.name
	}
	b.entries[k] = entry{strings.TrimSpace(name), v}
}

// Delete forgets a claim.
func (b *Bag) Delete(name string) { delete(b.entries, key(name)) }

// Len is how many claims there are.
func (b *Bag) Len() int { return len(b.entries) }

// All are the claims in the order of their names.
func (b *Bag) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for _, k := range slices.Sorted(maps.Keys(b.entries)) {
			if !yield(b.entries[k].name, b.entries[k].value) {
				return
			}
		}
	}
}

// Merge sets all that other has.
func (b *Bag) Merge(other *Bag) {
	for name, v := range other.All() {
		b.Set(name, v)
	}
}

// Retain forgets all that other does not have.
func (b *Bag) Retain(other *Bag) {
	maps.DeleteFunc(b.entries, func(k string, _ entry) bool {
		_, ok := other.entries[k]
		return !ok
	})
}

// Clone is a bag of its own with the same claims.
func (b *Bag) Clone() *Bag { return &Bag{entries: maps.Clone(b.entries)} }
