package trustframework_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
)

// usual are the flags that are true where nothing is written; a dump shows them when they are not.
var usual = []string{"ContinueOnSuccess", "IncludeInSSO", "Overwrite"}

// dump writes out a policy: each element with its place, what it says, and below it what it holds.
func dump(p *trustframework.Policy) string {
	var out strings.Builder
	write(&out, "", "Policy", reflect.ValueOf(*p))
	return out.String()
}

func write(out *strings.Builder, indent, name string, v reflect.Value) {
	var below strings.Builder
	line := indent + name
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		switch f := v.Field(i); {
		case field.Name == "Base":
			if base := f.Interface().(*trustframework.Policy); base != nil {
				line += " Base=" + base.ID
			}
		case field.Name == "At":
			at := f.Interface().(trustframework.Origin)
			line += fmt.Sprintf(" @%s:%d:%d", at.File, at.Line, at.Column)
		case f.Kind() == reflect.Bool && slices.Contains(usual, field.Name):
			if !f.Bool() {
				line += " " + field.Name + "=false"
			}
		case f.IsZero():
		case f.Kind() == reflect.String:
			line += fmt.Sprintf(" %s=%q", field.Name, f.String())
		case f.Kind() == reflect.Bool, f.Kind() == reflect.Int:
			line += fmt.Sprintf(" %s=%v", field.Name, f.Interface())
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.String:
			line += fmt.Sprintf(" %s=%q", field.Name, f.Interface())
		case f.Kind() == reflect.Slice:
			for j := range f.Len() {
				write(&below, indent+"  ", field.Name, reflect.Indirect(f.Index(j)))
			}
		default:
			write(&below, indent+"  ", field.Name, reflect.Indirect(f))
		}
	}
	out.WriteString(line + "\n" + below.String())
}
