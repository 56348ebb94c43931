package config

import (
	"reflect"
	"strings"
)

// prefix begins the name of every environment variable of otpost.
const prefix = "OTPOST_"

// Setting is one setting as documentation and the command line show it.
type Setting struct {
	// Name is the key in the file; Env and Flag derive from it. Flag is without the leading dashes.
	Name string
	Env  string
	Flag string
	// Group is the heading it is listed under.
	Group string
	// Default is in text form, empty when there is none.
	Default string
	// Doc is what the setting does, in whole sentences.
	Doc string
	// Placeholder stands for a value in help.
	Placeholder string
	// Choices are the values it takes, nil when there is no fixed list.
	Choices []string
	// Secret settings are masked when shown, and may be read from the file that Env with _FILE names.
	Secret bool
	// App settings are those of Microsoft's sample Functions: they are read from the environment alone, where a Function
	// has them, and have neither a flag nor a line in the file. Env is the name as the Function has it.
	App bool
	// Bool settings need no value on the command line.
	Bool bool

	form     string
	min, max string
}

// Settings lists every setting in the order of the documentation.
func Settings() []Setting {
	typ := reflect.TypeFor[Config]()
	var settings []Setting
	for i := range typ.NumField() {
		if f := typ.Field(i); f.IsExported() {
			settings = append(settings, settingOf(f))
		}
	}
	return settings
}

// Groups lists the headings in the order of the documentation.
func Groups() []string {
	var groups []string
	for _, s := range Settings() {
		if len(groups) == 0 || groups[len(groups)-1] != s.Group {
			groups = append(groups, s.Group)
		}
	}
	return groups
}

func settingOf(f reflect.StructField) Setting {
	name := f.Tag.Get("name")
	s := Setting{
		Name:        name,
		Env:         prefix + strings.ToUpper(name),
		Flag:        strings.ReplaceAll(name, "_", "-"),
		Group:       f.Tag.Get("group"),
		Default:     f.Tag.Get("default"),
		Doc:         f.Tag.Get("doc"),
		Placeholder: f.Tag.Get("placeholder"),
		Secret:      f.Tag.Get("secret") == "true",
		Bool:        f.Type.Kind() == reflect.Bool,
		form:        f.Tag.Get("form"),
		min:         f.Tag.Get("min"),
		max:         f.Tag.Get("max"),
	}
	if f.Tag.Get("app") == "true" {
		s.App, s.Env, s.Flag = true, name, ""
	}
	if enum := f.Tag.Get("enum"); enum != "" {
		s.Choices = strings.Split(enum, ",")
	}
	if s.Placeholder == "" {
		s.Placeholder = placeholderOf(f.Type, s.Choices)
	}
	return s
}

func placeholderOf(t reflect.Type, choices []string) string {
	switch {
	case len(choices) > 0:
		return strings.Join(choices, "|")
	case t == reflect.TypeFor[Limits]():
		return "N/DURATION,..."
	case t == durationType:
		return "DURATION"
	case t.Kind() == reflect.Int:
		return "N"
	default:
		return "VALUE"
	}
}

// field is a setting and the place its value is kept.
type field struct {
	Setting
	value reflect.Value
}

func (c *Config) fields() []field {
	v := reflect.ValueOf(c).Elem()
	var fields []field
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			fields = append(fields, field{Setting: settingOf(f), value: v.Field(i)})
		}
	}
	return fields
}
