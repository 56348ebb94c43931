package trustframework

// maxIncludes bounds how many technical profiles include each other in a row. Published packs need two.
const maxIncludes = 16

// includer resolves IncludeTechnicalProfile within one policy. It pulls all data of the other profile; what the profile
// says itself wins (technicalprofiles.md). That lists are merged by the rules of inheritance is UNCONFIRMED.
type includer struct {
	merger  merger
	byID    map[string]*element
	open    map[string]bool
	results map[string]*element
	// made keeps what the same two elements came to in other policies, so that these share it.
	made map[[2]*element]*element
}

// resolve gives a profile with what it includes. An inclusion that cannot be followed is reported and left out.
func (i *includer) resolve(own *element, depth int) *element {
	id := Fold(own.get("Id"))
	if result, done := i.results[id]; done {
		return result
	}
	i.open[id] = true
	result := i.included(own, depth)
	delete(i.open, id)
	i.results[id] = result
	return result
}

func (i *includer) included(own *element, depth int) *element {
	reference := own.child("IncludeTechnicalProfile")
	if reference == nil {
		return own
	}
	id := reference.get("ReferenceId")
	other, known := i.byID[Fold(id)]
	switch {
	case id == "":
		return i.leave(own, reference, "IncludeTechnicalProfile has no ReferenceId")
	case !known:
		return i.leave(own, reference, "the included technical profile "+id+" is not in the policy")
	case i.open[Fold(id)]:
		return i.leave(own, reference, "it includes itself, by way of "+id)
	case depth >= maxIncludes:
		return i.leave(own, reference, "more than 16 technical profiles include each other in a row")
	}
	base := i.resolve(other, depth+1)
	if base == nil {
		return i.leave(own, reference, "the included technical profile "+id+" cannot be used")
	}
	pair := [2]*element{base, own}
	if made, done := i.made[pair]; done {
		return made
	}
	i.merger.spend(base.size)
	made := i.merger.merge("", base, own)
	if *i.merger.spent {
		return i.leave(own, reference, "what technical profiles include comes to more elements than are taken")
	}
	i.made[pair] = made
	return made
}

// leave gives up a profile: half of its data would be worse than none.
func (i *includer) leave(own, reference *element, why string) *element {
	i.merger.problems.add(reference.at, Broken, "technical profile %s is left out: %s", own.get("Id"), why)
	return nil
}
