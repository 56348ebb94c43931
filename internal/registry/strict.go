package registry

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
)

// decode reads a body strictly: an unknown member, one that comes twice and one of the wrong type are errors that begin
// with the place, such as "match.domains[1]: want a string".
func decode(body []byte, into any) error {
	if len(body) > maxBody {
		return fmt.Errorf("the document has %d bytes, at most %d are taken", len(body), maxBody)
	}
	if err := onceEach(body); err != nil {
		return err
	}
	if first := firstByte(body); first != '{' {
		return errors.New("want a JSON object")
	}
	if err := checkForm(body, reflect.TypeOf(into), ""); err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// checkForm holds a JSON value to the form of a type. encoding/json alone would take a member's name in any case, and
// does not say where in the document it found something else.
func checkForm(raw json.RawMessage, t reflect.Type, place string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if string(bytes.TrimSpace(raw)) == "null" {
		return nil // as if it were not there
	}
	pointer := reflect.PointerTo(t)
	if pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) || pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return checkValue(raw, t, place)
	}
	switch t.Kind() {
	case reflect.Struct:
		return checkMembers(raw, t, place)
	case reflect.Map:
		return eachMember(raw, place, func(name string, value json.RawMessage) error {
			return checkForm(value, t.Elem(), join(place, name))
		})
	case reflect.Slice:
		return checkItems(raw, t, place)
	}
	return checkValue(raw, t, place)
}

func checkMembers(raw json.RawMessage, t reflect.Type, place string) error {
	return eachMember(raw, place, func(name string, value json.RawMessage) error {
		for _, f := range reflect.VisibleFields(t) {
			if memberName(f) == name && !f.Anonymous {
				return checkForm(value, f.Type, join(place, name))
			}
		}
		return fmt.Errorf("%s: unknown member%s", join(place, name), suggest.For(name, members(t)))
	})
}

func checkItems(raw json.RawMessage, t reflect.Type, place string) error {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return wanted(place, "list")
	}
	for i, item := range items {
		if err := checkForm(item, t.Elem(), fmt.Sprintf("%s[%d]", place, i)); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(raw json.RawMessage, t reflect.Type, place string) error {
	err := json.Unmarshal(raw, reflect.New(t).Interface())
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &typed):
		return wanted(place, typeWord(t))
	case err != nil && place != "":
		return fmt.Errorf("%s: %w", place, err)
	}
	return err
}

func wanted(place, word string) error {
	if place == "" {
		return fmt.Errorf("want a %s", word)
	}
	return fmt.Errorf("%s: want a %s", place, word)
}

// eachMember calls f for every member of an object in the order in which they are written.
func eachMember(raw json.RawMessage, place string, f func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return wanted(place, "JSON object")
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		name, _ := token.(string) // a member's name is a string
		if err := f(name, value); err != nil {
			return err
		}
	}
	return nil
}

func firstByte(raw []byte) byte {
	if raw = bytes.TrimSpace(raw); len(raw) > 0 {
		return raw[0]
	}
	return 0
}

// memberName is what JSON calls a field, empty for one that it does not know.
func memberName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return strings.TrimPrefix(name, "-")
}

// members are the names of the members of a struct.
func members(t reflect.Type) (names []string) {
	for _, f := range reflect.VisibleFields(t) {
		if name := memberName(f); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func typeWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
			return "string"
		}
		return "whole number"
	case reflect.Struct, reflect.Map:
		return "JSON object"
	}
	return "string"
}

// placed is the form of a message that begins with its place in the document.
var placed = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]+\])*): (.+)$`)

// cutPlace divides a message into its place and the rest; the place is empty where there is none.
func cutPlace(message string) (place, rest string) {
	if parts := placed.FindStringSubmatch(message); parts != nil {
		return parts[1], parts[2]
	}
	return "", message
}
