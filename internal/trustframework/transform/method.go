package transform

import (
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// method is one TransformationMethod.
type method struct {
	name string
	// inputs and outputs are by TransformationClaimType, parameters by Id.
	inputs, outputs []slot
	parameters      []parameter
	// free says which names beside these a policy may choose for itself.
	free free
	// check finds what the rows above do not say. Optional.
	check func(c *inspection)
	run   func(r *run) error
}

// slot is one claim of a method.
type slot struct {
	name string
	// also is a name that it had in older documents.
	also string
	// kind is the type of the claim, "" for any.
	kind claim.Type
	// optional is one that a policy may leave out.
	optional bool
}

// parameter is one InputParameter of a method.
type parameter struct {
	name     string
	kind     claim.Type
	optional bool
	// oneOf are the values that it may have, in any case; none is any.
	oneOf []string
	// least is the smallest number that it may be, where limited is set.
	limited bool
	least   int64
	// check says what is wrong with a value. Its errors do not repeat it.
	check func(value string) error
}

// free tells names that a policy chooses for itself; nil is none.
type free struct {
	inputs, parameters, outputs func(name string) bool
}

// methods are all that can be run, by name in lower case.
var methods = table(
	formatting, localized, changes, comparisons, matches, assertions, booleans, numbers, general, collections, dates, random,
	addresses, hashes, phones, documents, extracts, identities,
)

func table(topics ...[]method) map[string]*method {
	made := map[string]*method{}
	for _, topic := range topics {
		for _, m := range topic {
			made[strings.ToLower(m.name)] = &m
		}
	}
	return made
}

// Methods are the names of all TransformationMethods that can be run, in order.
func Methods() []string {
	var all []string
	for _, m := range methods {
		all = append(all, m.name)
	}
	slices.Sort(all)
	return all
}

func anyName(string) bool { return true }

// is tells whether name is the slot's.
func (s slot) is(name string) bool {
	return strings.EqualFold(s.name, name) || s.also != "" && strings.EqualFold(s.also, name)
}

// What follows builds rows of the table.

func str(name string) slot                    { return slot{name: name, kind: claim.String} }
func boolean(name string) slot                { return slot{name: name, kind: claim.Boolean} }
func typed(name string, kind claim.Type) slot { return slot{name: name, kind: kind} }
func (s slot) maybe() slot                    { s.optional = true; return s }
func (s slot) or(older string) slot           { s.also = older; return s }

func param(name string) parameter                { return parameter{name: name, kind: claim.String} }
func (p parameter) as(kind claim.Type) parameter { p.kind = kind; return p }
func (p parameter) maybe() parameter             { p.optional = true; return p }

// within limits a text to choices; from limits a number from below.
func (p parameter) within(choices ...string) parameter { p.oneOf = choices; return p }
func (p parameter) from(least int64) parameter         { p.limited, p.least = true, least; return p }

func (p parameter) checked(check func(value string) error) parameter { p.check = check; return p }
