package trustframework

import (
	"strconv"
)

// reader makes policies of merged elements. It reads an element that several policies share once.
type reader struct {
	loader   *loader
	problems *problems
	policies map[*source]*Policy
	made     map[[2]*element]*element
	// kept is what lists and their elements came to: one that is inherited unchanged is the same element.
	kept map[*element]any
}

func newReader(l *loader) *reader {
	return &reader{
		loader:   l,
		problems: l.problems,
		policies: map[*source]*Policy{},
		made:     map[[2]*element]*element{},
		kept:     map[*element]any{},
	}
}

// policy reads a resolved source, and what it builds on first.
func (r *reader) policy(s *source) *Policy {
	if p, done := r.policies[s]; done {
		return p
	}
	p := &Policy{At: s.root.at, ID: s.id, TenantID: s.root.get("TenantId"), TenantObjectID: s.root.get("TenantObjectId"), DeploymentMode: s.root.get("DeploymentMode")}
	if s.parent != nil {
		p.Base = r.policy(s.parent)
	}
	blocks := s.merged.child("BuildingBlocks")
	p.Claims, p.claims = listed(r, blocks.child("ClaimsSchema"), "ClaimType", r.claim)
	p.Predicates, p.predicates = listed(r, blocks.child("Predicates"), "Predicate", r.predicate)
	p.PredicateValidations, p.validations = listed(r, blocks.child("PredicateValidations"), "PredicateValidation", r.predicateValidation)
	p.Transformations, p.transformations = listed(r, blocks.child("ClaimsTransformations"), "ClaimsTransformation", r.transformation)
	p.ContentDefinitions, p.definitions = listed(r, blocks.child("ContentDefinitions"), "ContentDefinition", r.contentDefinition)
	p.DisplayControls, p.controls = listed(r, blocks.child("DisplayControls"), "DisplayControl", r.displayControl)
	p.Localization = once(r, blocks.child("Localization"), r.localization)
	p.TechnicalProfiles, p.profiles = r.technicalProfiles(s.merged.child("ClaimsProviders"))
	p.Journeys, p.journeys = listed(r, s.merged.child("UserJourneys"), "UserJourney", r.journey)
	p.SubJourneys, p.subJourneys = listed(r, s.merged.child("SubJourneys"), "SubJourney", r.journey)
	p.RelyingParty = once(r, s.merged.child("RelyingParty"), r.relyingParty)
	r.policies[s] = p
	return p
}

// once reads an element unless it was read for another policy. Of no element it makes nothing.
func once[T any](r *reader, e *element, read func(*element) T) T {
	if e == nil {
		var none T
		return none
	}
	if made, done := r.kept[e]; done {
		return made.(T)
	}
	made := read(e)
	r.kept[e] = made
	return made
}

// listing are elements in their order and by id.
type listing[T any] struct {
	all  []*T
	byID map[string]*T
}

// listed reads the elements of a list that go by Id, and makes them findable.
func listed[T any](r *reader, list *element, name string, read func(*element) *T) ([]*T, map[string]*T) {
	if list == nil {
		return nil, nil
	}
	l := once(r, list, func(*element) listing[T] {
		made := listing[T]{make([]*T, 0, len(list.children)), make(map[string]*T, len(list.children))}
		for _, e := range list.children {
			if e.name == name && r.need(e, "Id") != "" {
				one := once(r, e, read)
				made.all, made.byID[Fold(e.get("Id"))] = append(made.all, one), one
			}
		}
		return made
	})
	return l.all, l.byID
}

// technicalProfiles reads the profiles with what they include. A list that policies share includes the same for all.
func (r *reader) technicalProfiles(list *element) ([]*TechnicalProfile, map[string]*TechnicalProfile) {
	if list == nil {
		return nil, nil
	}
	l := once(r, list, func(*element) listing[TechnicalProfile] {
		i := &includer{
			merger:  r.loader.merger(),
			byID:    make(map[string]*element, len(list.children)),
			open:    map[string]bool{},
			results: make(map[string]included, len(list.children)),
			made:    r.made,
		}
		for _, e := range list.each("TechnicalProfile") {
			i.byID[Fold(e.get("Id"))] = e
		}
		return r.included(i, list)
	})
	return l.all, l.byID
}

func (r *reader) included(i *includer, list *element) listing[TechnicalProfile] {
	made := listing[TechnicalProfile]{byID: make(map[string]*TechnicalProfile, len(list.children))}
	for _, e := range list.each("TechnicalProfile") {
		if r.need(e, "Id") == "" {
			continue
		}
		if whole := i.resolve(e, 0); whole.element != nil {
			one := once(r, whole.element, r.profile)
			made.all, made.byID[Fold(one.ID)] = append(made.all, one), one
		}
	}
	return made
}

// need gives an attribute that an element cannot do without, "" if it is missing, which it reports.
func (r *reader) need(e *element, name string) string {
	value := e.get(name)
	if value == "" {
		r.problems.add(e.at, Broken, "%s has no %s and is left out", e.name, name)
	}
	return value
}

// flag reads a boolean attribute (XML Schema: true, false, 1, 0; True and False were seen).
func (r *reader) flag(e *element, name string, otherwise bool) bool {
	written, there := e.lookup(name)
	switch Fold(written) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	if there {
		r.problems.add(e.at, Broken, "%s of %s is neither true nor false; read as %t", name, e.label(), otherwise)
	}
	return otherwise
}

// number reads a whole number from an attribute.
func (r *reader) number(e *element, name string) int {
	written, there := e.lookup(name)
	if !there {
		return 0
	}
	n, err := strconv.Atoi(written)
	if err != nil || n < 0 {
		r.problems.add(e.at, Broken, "%s of %s is no whole number; read as 0", name, e.label())
		return 0
	}
	return n
}

// reference reads a child that names another element.
func (r *reader) reference(e *element, attribute string) Reference {
	if e == nil {
		return Reference{}
	}
	return Reference{At: e.at, ID: r.need(e, attribute)}
}

// references reads a list of such children.
func (r *reader) references(list *element, name, attribute string) []Reference {
	var all []Reference
	for _, e := range list.each(name) {
		if id := r.need(e, attribute); id != "" {
			all = append(all, Reference{At: e.at, ID: id})
		}
	}
	return all
}

func (r *reader) metadata(list *element) Metadata {
	var all Metadata
	for _, e := range list.each("Item") {
		if key := r.need(e, "Key"); key != "" {
			all = append(all, Item{At: e.at, Key: key, Value: e.text})
		}
	}
	return all
}
