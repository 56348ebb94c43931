// Package claim holds what a journey of a B2C policy knows: typed values under names that are compared without case.
package claim

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Type is the DataType of a claim (claimsschema.md). One that is not below is carried as text.
type Type string

// The types that are more than text.
const (
	String           Type = "string"
	Boolean          Type = "boolean"
	Int              Type = "int"
	Long             Type = "long"
	DateTime         Type = "dateTime"
	Date             Type = "date"
	StringCollection Type = "stringCollection"
	PhoneNumber      Type = "phoneNumber"
)

// TypeOf is the type that a policy names, in any case; string if it names none.
func TypeOf(name string) Type {
	if name == "" {
		return String
	}
	for _, t := range []Type{String, Boolean, Int, Long, DateTime, Date, StringCollection, PhoneNumber} {
		if strings.EqualFold(string(t), strings.TrimSpace(name)) {
			return t
		}
	}
	return Type(name)
}

// Value is a claim's value. It does not change; the zero value is an empty string.
type Value struct {
	kind Type
	text string
	list []string
}

// Text is a string.
func Text(s string) Value { return Value{kind: String, text: s} }

// Flag is a boolean.
func Flag(b bool) Value { return Value{kind: Boolean, text: flagText(b)} }

// Number is an int.
func Number(n int64) Value { return Value{kind: Int, text: strconv.FormatInt(n, 10)} }

// Time is a dateTime.
func Time(t time.Time) Value { return Value{kind: DateTime, text: t.UTC().Format(timeLayout)} }

// List is a stringCollection.
func List(items ...string) Value {
	return Value{kind: StringCollection, list: slices.Clone(items)}
}

// Parse reads a value as a policy or a form writes it. Its errors do not repeat the text.
func Parse(t Type, text string) (Value, error) {
	switch t {
	case Boolean:
		b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(text)))
		if err != nil {
			return Value{}, fmt.Errorf("is not a boolean: write true or false")
		}
		return Flag(b), nil
	case Int, Long:
		bits := 64
		if t == Int {
			bits = 32
		}
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, bits)
		if err != nil {
			return Value{}, fmt.Errorf("is not a whole number of %d bits", bits)
		}
		return Value{kind: t, text: strconv.FormatInt(n, 10)}, nil
	case DateTime, Date:
		return parseTime(t, text)
	case StringCollection:
		return List(text), nil
	}
	return Value{kind: t, text: text}, nil
}

const timeLayout = "2006-01-02T15:04:05.0000000Z"

// parseTime reads what .NET and JSON write of instants and days.
func parseTime(t Type, text string) (Value, error) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateTime, time.DateOnly, "1/2/2006 3:04:05 PM"} {
		at, err := time.Parse(layout, text)
		switch {
		case err != nil:
			continue
		case t == Date:
			return Value{kind: Date, text: at.UTC().Format(time.DateOnly)}, nil
		}
		return Time(at), nil
	}
	return Value{}, fmt.Errorf("is not a date: write such as 2026-01-31 or 2026-01-31T12:00:00Z")
}

// FromJSON reads a value as encoding/json decodes it, numbers as json.Number or float64. Its errors do not repeat it.
func FromJSON(t Type, decoded any) (Value, error) {
	switch v := decoded.(type) {
	case string:
		return Parse(t, v)
	case json.Number:
		return Parse(t, v.String())
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return Parse(t, strconv.FormatInt(int64(v), 10))
		}
		return Parse(t, strconv.FormatFloat(v, 'g', -1, 64))
	case bool:
		return Parse(t, flagText(v))
	case []any:
		return listOf(t, v)
	}
	return Value{}, fmt.Errorf("is an object or null: a claim is a string, a number, a boolean or a list of strings")
}

func listOf(t Type, items []any) (Value, error) {
	if t != StringCollection {
		return Value{}, fmt.Errorf("is a list, and the claim is a %s", t)
	}
	list := make([]string, len(items))
	for i, item := range items {
		text, ok := item.(string)
		if !ok {
			return Value{}, fmt.Errorf("is a list with something else than strings")
		}
		list[i] = text
	}
	return List(list...), nil
}

// Type is the value's type.
func (v Value) Type() Type {
	if v.kind == "" {
		return String
	}
	return v.kind
}

// String is the value as .NET writes it and as preconditions compare it: True and False, decimal digits, an instant in
// UTC with seven digits of a second, the items of a list with a comma between.
func (v Value) String() string {
	if v.kind == StringCollection {
		return strings.Join(v.list, ",")
	}
	return v.text
}

// Items are the strings of a collection; of anything else its text alone.
func (v Value) Items() []string {
	if v.kind == StringCollection {
		return slices.Clone(v.list)
	}
	return []string{v.text}
}

// Bool is the value of a boolean, or of text that is one.
func (v Value) Bool() (b, ok bool) {
	b, err := strconv.ParseBool(strings.ToLower(v.text))
	return b, err == nil
}

// Int is the value of a number, or of text that is one.
func (v Value) Int() (n int64, ok bool) {
	n, err := strconv.ParseInt(v.text, 10, 64)
	return n, err == nil
}

// Time is the value of a dateTime or date.
func (v Value) Time() (at time.Time, ok bool) {
	for _, layout := range []string{timeLayout, time.DateOnly} {
		if at, err := time.Parse(layout, v.text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// Empty says that there is nothing in the value: no text, no item.
func (v Value) Empty() bool { return v.text == "" && len(v.list) == 0 }

// As is the value as another type. Its errors do not repeat the value.
func (v Value) As(t Type) (Value, error) {
	switch {
	case t == v.Type():
		return v, nil
	case v.kind == StringCollection:
		return Value{}, fmt.Errorf("is a list, and the claim is a %s", t)
	}
	return Parse(t, v.text)
}

// Equal says that two values have one type and one text.
func (v Value) Equal(w Value) bool {
	return v.Type() == w.Type() && v.text == w.text && slices.Equal(v.list, w.list)
}

// MarshalJSON writes booleans and numbers as JSON has them, collections as lists, all else as strings.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case Boolean:
		return []byte(strings.ToLower(v.text)), nil
	case Int, Long:
		return []byte(v.text), nil
	case StringCollection:
		return json.Marshal(slices.Concat([]string{}, v.list))
	}
	return json.Marshal(v.text)
}

func flagText(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
