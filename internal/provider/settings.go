package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/suggest"
)

// Field describes one setting of a kind, read off the tags of its settings struct:
//
//	name      what configuration calls it
//	help      one sentence
//	default   the value when it is not set
//	required  "true" if it must be set
//	secret    "true" if it is never shown again
//	place     "true" if it decides where credentials are sent; an endpoint always does
//	oneof     the values it may have, separated by spaces
type Field struct {
	Name     string
	Help     string
	Default  string
	Required bool
	Secret   bool
	Place    bool
	OneOf    []string
	// Type is "text", "number", "yes/no", "duration" or "list".
	Type string

	index []int
}

var errWrongType = errors.New("wrong type")

// Fields lists the kind's settings in the order they are shown.
func (k Kind) Fields() []Field {
	var fields []Field
	for _, f := range reflect.VisibleFields(reflect.TypeOf(k.Settings)) {
		if f.Anonymous { // settings that several kinds have; its fields follow
			continue
		}
		fields = append(fields, Field{
			Name:     f.Tag.Get("name"),
			Help:     f.Tag.Get("help"),
			Default:  f.Tag.Get("default"),
			Required: f.Tag.Get("required") == "true",
			Secret:   f.Tag.Get("secret") == "true",
			Place:    f.Tag.Get("place") == "true" || f.Tag.Get("name") == "endpoint",
			OneOf:    strings.Fields(f.Tag.Get("oneof")),
			Type:     typeName(f.Type),
			index:    f.Index,
		})
	}
	return fields
}

func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t.Kind() == reflect.Bool:
		return "yes/no"
	case t.Kind() == reflect.Int:
		return "number"
	case t.Kind() == reflect.Slice:
		return "list"
	}
	return "text"
}

// Parse decodes settings given as text. A list is separated by white space or commas, a duration is written as
// "30s". An unknown name, a missing one and an unreadable value are errors, which never quote a secret.
func (k Kind) Parse(values map[string]string) (any, error) {
	fields := k.Fields()
	if err := k.knowAll(values, fields); err != nil {
		return nil, err
	}
	s := reflect.New(reflect.TypeOf(k.Settings)).Elem()
	for _, f := range fields {
		text, ok := values[f.Name]
		if !ok {
			text = f.Default
		}
		if text == "" {
			if f.Required {
				return nil, fmt.Errorf("provider %s: setting %s is missing: %s", k.Name, f.Name, f.Help)
			}
			continue
		}
		if err := f.set(s.FieldByIndex(f.index), text); err != nil {
			return nil, fmt.Errorf("provider %s: setting %s: %w", k.Name, f.Name, err)
		}
	}
	return s.Interface(), nil
}

func (k Kind) knowAll(values map[string]string, fields []Field) error {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	var unknown []string
	for name := range values {
		if !slices.Contains(names, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	name := slices.Min(unknown) // the same one every time
	return fmt.Errorf("provider %s: unknown setting %q%s", k.Name, name, suggest.For(name, names))
}

func (f Field) set(v reflect.Value, text string) error {
	switch f.Type {
	case "duration":
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return fmt.Errorf("%w: want a duration above zero such as 30s", errWrongType)
		}
		v.SetInt(int64(d))
	case "yes/no":
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%w: want true or false", errWrongType)
		}
		v.SetBool(b)
	case "number":
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%w: want a whole number", errWrongType)
		}
		v.SetInt(int64(n))
	case "list":
		v.Set(reflect.ValueOf(strings.FieldsFunc(text, isListSeparator)))
	default:
		if len(f.OneOf) > 0 && !slices.Contains(f.OneOf, text) {
			return fmt.Errorf("%q is not a choice%s", text, suggest.For(text, f.OneOf))
		}
		v.SetString(text)
	}
	return nil
}

func isListSeparator(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' }

// ParseJSON decodes settings given as one JSON object, as strictly as Parse: a number must be a number, a list an
// array of strings, a duration a string, and no name may come twice. A null counts as not set.
func (k Kind) ParseJSON(data []byte) (any, error) {
	values, err := k.textOf(data)
	if err != nil {
		return nil, fmt.Errorf("provider %s: settings: %w", k.Name, err)
	}
	return k.Parse(values)
}

func (k Kind) textOf(data []byte) (map[string]string, error) {
	types := map[string]string{}
	for _, f := range k.Fields() {
		types[f.Name] = f.Type
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("want a JSON object")
	}
	values := map[string]string{}
	seen := map[string]bool{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, errors.New("want a JSON object")
		}
		name := key.(string) // an object's key is always a string
		if seen[name] {
			return nil, fmt.Errorf("setting %q comes twice", name)
		}
		seen[name] = true
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("setting %q: not JSON", name)
		}
		text, null, err := jsonText(raw, types[name])
		if err != nil {
			return nil, fmt.Errorf("setting %q: %w", name, err)
		}
		if !null {
			values[name] = text
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("want a JSON object")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON object")
	}
	return values, nil
}

// jsonText turns one JSON value into what Parse reads. A setting that Parse will not know has the type "".
func jsonText(raw json.RawMessage, typ string) (text string, null bool, err error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", false, errors.New("not JSON")
	}
	switch v := v.(type) {
	case nil:
		return "", true, nil
	case string:
		if typ == "text" || typ == "duration" || typ == "" {
			return v, false, nil
		}
	case bool:
		if typ == "yes/no" || typ == "" {
			return strconv.FormatBool(v), false, nil
		}
	case float64:
		if typ == "number" || typ == "" {
			return string(raw), false, nil
		}
	case []any:
		if typ == "list" || typ == "" {
			return joinStrings(v)
		}
	}
	return "", false, fmt.Errorf("%w: want a %s", errWrongType, typ)
}

func joinStrings(list []any) (text string, null bool, err error) {
	var b strings.Builder
	for _, item := range list {
		s, ok := item.(string)
		if !ok || strings.ContainsFunc(s, isListSeparator) {
			return "", false, fmt.Errorf("%w: want a list of strings without spaces and commas", errWrongType)
		}
		b.WriteString(s)
		b.WriteByte('\n')
	}
	return b.String(), false, nil
}
