package trustframework

import "strings"

// attribute is one attribute of an element.
type attribute struct{ name, value string }

// element is one XML element, without comments, and with its place. It never changes once it is read: merging makes new
// elements that share what is the same.
type element struct {
	name       string
	attributes []attribute
	text       string
	children   []*element
	at         Origin
	// size counts the element and all below.
	size int
}

// verbatim are the attributes whose blanks are kept, since they hold what is shown or computed with, such as a
// delimiter. All others, and all texts, are trimmed: policies were seen with ReferenceId="CreateUserId ". Which of
// them B2C trims is UNCONFIRMED.
var verbatim = map[string]bool{"DefaultValue": true, "HelpText": true, "RegularExpression": true, "Text": true, "Value": true}

// get gives an attribute's value, "" if there is none.
func (e *element) get(name string) string {
	value, _ := e.lookup(name)
	return value
}

func (e *element) lookup(name string) (string, bool) {
	if e == nil {
		return "", false
	}
	for _, a := range e.attributes {
		if a.name == name {
			return a.value, true
		}
	}
	return "", false
}

// child gives the child of that name, nil if there is none. Merged elements have one at most, but for lists.
func (e *element) child(name string) *element {
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// each gives the children of that name.
func (e *element) each(name string) []*element {
	if e == nil {
		return nil
	}
	var found []*element
	for _, c := range e.children {
		if c.name == name {
			found = append(found, c)
		}
	}
	return found
}

// textOf gives the text of the child of that name.
func (e *element) textOf(name string) string {
	if c := e.child(name); c != nil {
		return c.text
	}
	return ""
}

// with gives a copy that has other children.
func (e *element) with(children []*element) *element {
	made := *e
	made.children, made.size = children, 1
	for _, c := range children {
		made.size += c.size
	}
	return &made
}

// label names an element for people, with the id that it goes by.
func (e *element) label() string {
	for _, name := range []string{"Id", "PolicyId", "Key", "ReferenceId", "ClaimTypeReferenceId", "TechnicalProfileReferenceId", "Order"} {
		if id := e.get(name); id != "" && len(id) <= 200 {
			return e.name + " " + strings.TrimSpace(id)
		}
	}
	return e.name
}
