//go:build unix

package browser

import (
	"fmt"
	"strings"
)

// Element is a part of the page that is shown. It is gone with the page.
type Element struct {
	b *Browser
	// what tells the element in errors.
	what, id string
}

// reference is the name of the member that names an element (WebDriver §12).
const reference = "element-6066-11e4-a52e-4f735466cecf"

// All are the elements that a CSS selector finds now.
func (b *Browser) All(selector string) (all []Element) {
	b.t.Helper()
	var found []map[string]string
	b.call("POST", "/elements", object{"using": "css selector", "value": selector}, &found)
	for i, f := range found {
		all = append(all, Element{b, fmt.Sprintf("%s[%d]", selector, i), f[reference]})
	}
	return all
}

// Find returns the first element of a CSS selector once there is one.
func (b *Browser) Find(selector string) (e Element) {
	b.t.Helper()
	b.Await(selector, func() bool {
		all := b.All(selector)
		if len(all) == 0 {
			return false
		}
		e = all[0]
		return true
	})
	return e
}

// Focused is the element that keys go to.
func (b *Browser) Focused() Element {
	b.t.Helper()
	var found map[string]string
	b.call("GET", "/element/active", nil, &found)
	return Element{b, "the focused element", found[reference]}
}

func (e Element) get(what string) (value string) {
	e.b.t.Helper()
	var text *string // null where there is no such thing
	if err := e.b.try("GET", "/element/"+e.id+"/"+what, nil, &text); err != nil {
		e.b.t.Fatalf("%s of %s: %v", what, e.what, err)
	}
	if text != nil {
		value = *text
	}
	return value
}

// Text is what a person reads.
func (e Element) Text() string { e.b.t.Helper(); return e.get("text") }

// Attribute is the value of an attribute, empty where it is not there.
func (e Element) Attribute(name string) string { e.b.t.Helper(); return e.get("attribute/" + name) }

// Value is what stands in a field.
func (e Element) Value() string { e.b.t.Helper(); return e.get("property/value") }

// Style is the computed value of a property of CSS.
func (e Element) Style(property string) string { e.b.t.Helper(); return e.get("css/" + property) }

// Name is how assistive technology calls the element, and Role what it says that it is (WebDriver §12.4.10, 12.4.9).
func (e Element) Name() string { e.b.t.Helper(); return e.get("computedlabel") }

// Role is what assistive technology says that the element is.
func (e Element) Role() string { e.b.t.Helper(); return e.get("computedrole") }

// Type types text into a field, behind what stands there.
func (e Element) Type(text string) {
	e.b.t.Helper()
	if err := e.b.try("POST", "/element/"+e.id+"/value", object{"text": text}, nil); err != nil {
		e.b.t.Fatalf("type into %s: %v", e.what, err)
	}
}

// Click clicks the element, which must be in sight and not covered.
func (e Element) Click() {
	e.b.t.Helper()
	if err := e.b.try("POST", "/element/"+e.id+"/click", nil, nil); err != nil {
		e.b.t.Fatalf("click %s: %v", e.what, err)
	}
}

// Keys that have no character (WebDriver §17.4.2).
const (
	Tab   = "\ue004"
	Enter = "\ue007"
	End   = "\ue010"
)

// Press presses keys one after the other, wherever the focus is.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	var steps []object
	for _, key := range keys {
		steps = append(steps, object{"type": "keyDown", "value": string(key)}, object{"type": "keyUp", "value": string(key)})
	}
	b.call("POST", "/actions", object{"actions": []object{{"type": "key", "id": "keyboard", "actions": steps}}}, nil)
}

// Leave does what leads to another page, and returns when that is loaded.
func (b *Browser) Leave(do func()) {
	b.t.Helper()
	b.Script(nil, `window.left = true`)
	do()
	b.Await("the next page", func() bool {
		var here bool
		// Between two pages there is none that answers.
		err := b.try("POST", "/execute/sync", object{"args": []any{},
			"script": `return !window.left && document.readyState === "complete"`}, &here)
		return err == nil && here
	})
}

// Page is the text of the page as a person reads it, in one line.
func (b *Browser) Page() string {
	b.t.Helper()
	return strings.Join(strings.Fields(b.Find("body").Text()), " ")
}
