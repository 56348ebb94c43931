package trustframework

// maxIncludes bounds how many technical profiles include each other in a row. Published packs need two.
const maxIncludes = 16

// includer resolves IncludeTechnicalProfile within one policy. It pulls all data of the other profile; what the profile
// says itself wins (technicalprofiles.md). That lists are merged by the rules of inheritance is UNCONFIRMED.
type includer struct {
	merger  merger
	byID    map[string]*element
	open    map[string]bool
	results map[string]included
	// made keeps what the same two elements came to in other policies, so that these share it.
	made map[[2]*element]*element
}

// included is a profile with what it includes, nil where that cannot be followed, and how many include each other in a row
// down from it; more than maxIncludes where nobody looked any further.
type included struct {
	*element
	below int
}

// resolve gives a profile with what it includes. An inclusion that cannot be followed is reported and left out. depth is how
// many include this one in a row, 0 for the one that is asked for. Where too many do, nothing is decided of those between:
// each has fewer down from it, and is asked for in its turn.
func (i *includer) resolve(own *element, depth int) included {
	id := Fold(own.get("Id"))
	if result, done := i.results[id]; done {
		return result
	}
	if depth > maxIncludes {
		return included{below: maxIncludes + 1}
	}
	i.open[id] = true
	result := i.include(own, depth)
	delete(i.open, id)
	if result.below <= maxIncludes {
		i.results[id] = result
	}
	return result
}

func (i *includer) include(own *element, depth int) included {
	reference := own.child("IncludeTechnicalProfile")
	if reference == nil {
		return included{element: own}
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
	}
	base := i.resolve(other, depth+1)
	switch {
	case base.below > maxIncludes && depth > 0:
		return base
	case base.below >= maxIncludes:
		return i.leave(own, reference, "more than 16 technical profiles include each other in a row")
	case base.element == nil:
		return i.leave(own, reference, "the included technical profile "+id+" cannot be used")
	}
	pair := [2]*element{base.element, own}
	if made, done := i.made[pair]; done {
		return included{made, base.below + 1}
	}
	i.merger.spend(base.size)
	made := i.merger.merge("", base.element, own)
	if *i.merger.spent {
		return i.leave(own, reference, "what technical profiles include comes to more elements than are taken")
	}
	i.made[pair] = made
	return included{made, base.below + 1}
}

// leave gives up a profile: half of its data would be worse than none.
func (i *includer) leave(own, reference *element, why string) included {
	i.merger.problems.add(reference.at, Broken, "technical profile %s is left out: %s", own.get("Id"), why)
	return included{}
}
