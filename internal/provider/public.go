package provider

import (
	"fmt"
	"reflect"
	"strings"
)

// Public reads those of a kind's settings that are no secrets and are set, as text; a list is joined by spaces. settings
// is what Parse or ParseJSON returned. They are for looking at, not for showing: a URL among them can hold a token.
func (k Kind) Public(settings any) map[string]string {
	values := map[string]string{}
	from := reflect.ValueOf(settings)
	if from.Type() != reflect.TypeOf(k.Settings) {
		return values
	}
	for _, f := range k.Fields() {
		v := from.FieldByIndex(f.index)
		if f.Secret || v.IsZero() {
			continue
		}
		text := fmt.Sprint(v.Interface())
		if list, ok := v.Interface().([]string); ok {
			text = strings.Join(list, " ")
		}
		values[f.Name] = text
	}
	return values
}
