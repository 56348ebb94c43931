package redact

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
)

// Bounds on what is walked of one value, since a log line is no place for more.
const (
	maxDepth = 8
	maxItems = 100
)

// cleanAny masks a value of any type, and reports whether it has to be replaced. An error without anything to mask
// stays the error it is. Structs, maps and lists become maps and lists of masked values.
func cleanAny(v any) (masked any, changed bool) {
	defer func() {
		if recover() != nil { // a method of the value panicked; its text is not to be trusted
			masked, changed = fmt.Sprintf("!PANIC in %T", v), true
		}
	}()
	switch v := v.(type) {
	case nil, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64:
		return v, false
	case error:
		text := v.Error()
		masked := Text(text)
		if masked == text {
			return v, false
		}
		return masked, true
	}
	return walk(reflect.ValueOf(v), 0), true
}

func walk(v reflect.Value, depth int) any {
	if !v.IsValid() {
		return nil
	}
	if depth > maxDepth {
		return "..."
	}
	if v.CanInterface() {
		if masked, done := speak(v.Interface(), depth); done {
			return masked
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return walk(v.Elem(), depth+1)
	case reflect.String:
		return Text(v.String())
	case reflect.Struct:
		return walkStruct(v, depth)
	case reflect.Map:
		return walkMap(v, depth)
	case reflect.Slice, reflect.Array:
		return walkList(v, depth)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return v.Type().String()
	default:
		return v.Interface()
	}
}

// speak lets a value that has a text of its own give it.
func speak(v any, depth int) (any, bool) {
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && p.IsNil() {
		return nil, true
	}
	switch v := v.(type) {
	case slog.LogValuer:
		return fromValue(v.LogValue().Resolve(), depth), true
	case error:
		return Text(v.Error()), true
	case []byte:
		return fmt.Sprintf("[%d bytes]", len(v)), true
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return Text(err.Error()), true
		}
		return Text(string(text)), true
	case json.Marshaler:
		return fromJSON(v, depth), true
	case fmt.Stringer:
		return Text(v.String()), true
	}
	return nil, false
}

func fromValue(v slog.Value, depth int) any {
	if v.Kind() != slog.KindGroup {
		a, _ := clean(slog.Attr{Value: v})
		return a.Value.Any()
	}
	members := map[string]any{}
	for _, a := range v.Group() {
		if secretKey(a.Key) {
			members[a.Key] = hidden
		} else {
			members[a.Key] = fromValue(a.Value.Resolve(), depth+1)
		}
	}
	return members
}

func fromJSON(v json.Marshaler, depth int) any {
	text, err := v.MarshalJSON()
	if err != nil {
		return Text(err.Error())
	}
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		return Text(string(text))
	}
	return walk(reflect.ValueOf(decoded), depth+1)
}

func walkStruct(v reflect.Value, depth int) any {
	members := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch name {
		case "-":
			continue
		case "":
			name = f.Name
		}
		if secretKey(name) || secretKey(f.Name) {
			members[name] = hidden
		} else {
			members[name] = walk(v.Field(i), depth+1)
		}
	}
	return members
}

func walkMap(v reflect.Value, depth int) any {
	members := map[string]any{}
	for iter := v.MapRange(); iter.Next() && len(members) < maxItems; {
		name := fmt.Sprint(iter.Key())
		if secretKey(name) {
			members[Text(name)] = hidden
		} else {
			members[Text(name)] = walk(iter.Value(), depth+1)
		}
	}
	return members
}

func walkList(v reflect.Value, depth int) any {
	items := make([]any, 0, min(v.Len(), maxItems))
	for i := range min(v.Len(), maxItems) {
		items = append(items, walk(v.Index(i), depth+1))
	}
	return items
}
