package registry

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/otpost/otpost/internal/provider"
)

// Schema is as much of JSON Schema (draft 2020-12, Core §§10 and 11, Validation §§6, 7 and 9) as documents need. Forms,
// the command line and the contract of the API are made from it.
type Schema struct {
	Type        string   `json:"type,omitempty"`
	Description string   `json:"description,omitempty"`
	Format      string   `json:"format,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
	Const       string   `json:"const,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	Default     any      `json:"default,omitempty"`
	// Properties keeps the order in which people should see them.
	Properties Properties `json:"properties,omitempty"`
	Required   []string   `json:"required,omitempty"`
	Items      *Schema    `json:"items,omitempty"`
	AnyOf      []*Schema  `json:"anyOf,omitempty"`
	// Closed refuses members that are not among the properties.
	Closed bool `json:"-"`
	// WriteOnly marks a secret: it is never shown again.
	WriteOnly bool `json:"writeOnly,omitempty"`
}

// Property is one member of an object.
type Property struct {
	Name   string
	Schema *Schema
}

// Properties are the members of an object, in order.
type Properties []Property

// Find returns the schema of a member, nil for one that there is not.
func (p Properties) Find(name string) *Schema {
	for _, property := range p {
		if property.Name == name {
			return property.Schema
		}
	}
	return nil
}

// Names are the names of the members.
func (p Properties) Names() []string {
	names := make([]string, len(p))
	for i, property := range p {
		names[i] = property.Name
	}
	return names
}

// MarshalJSON writes one object.
func (p Properties) MarshalJSON() ([]byte, error) {
	out := []byte("{")
	for i, property := range p {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(property.Name)
		if err != nil {
			return nil, err
		}
		schema, err := json.Marshal(property.Schema)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), schema...)
	}
	return append(out, '}'), nil
}

// MarshalJSON adds additionalProperties.
func (s *Schema) MarshalJSON() ([]byte, error) {
	type plain Schema
	if !s.Closed {
		return json.Marshal((*plain)(s))
	}
	return json.Marshal(struct {
		*plain
		AdditionalProperties bool `json:"additionalProperties"`
	}{(*plain)(s), false})
}

// SchemaOf describes the documents of a kind, with their name as a member. The settings of a provider are any object
// here; ProviderSchema has them. It is nil for a kind that there is not.
func SchemaOf(kind Kind) *Schema {
	body := blank(kind)
	if body == nil {
		return nil
	}
	s := schemaOf(reflect.TypeOf(body).Elem())
	name := &Schema{Type: "string", Description: "Name of the " + string(kind) + ".", Pattern: namePattern}
	s.Properties = append(Properties{{"name", name}}, s.Properties...)
	s.Required = append([]string{"name"}, s.Required...)
	return s
}

// namePattern is what checkName takes, but for names of dots alone.
const namePattern = "^[A-Za-z0-9_.-]{1,64}$"

// ProviderSchema describes the providers of one kind.
func ProviderSchema(kind provider.Kind) *Schema {
	s := SchemaOf(ProviderKind)
	s.Description = kind.Doc
	settings := &Schema{Type: "object", Closed: true, Description: "Settings of a provider of the kind " + kind.Name + "."}
	for _, f := range kind.Fields() {
		settings.Properties = append(settings.Properties, Property{f.Name, schemaOfSetting(f)})
		if f.Required {
			settings.Required = append(settings.Required, f.Name)
		}
	}
	for i, p := range s.Properties {
		switch p.Name {
		case "kind":
			s.Properties[i].Schema = &Schema{Type: "string", Const: kind.Name}
		case "settings":
			s.Properties[i].Schema = settings
		}
	}
	return s
}

func schemaOfSetting(f provider.Field) *Schema {
	s := &Schema{Type: "string", Description: f.Help, Enum: f.OneOf}
	if f.Default != "" {
		s.Default = f.Default
	}
	switch f.Type {
	case "number":
		s.Type, s.Default = "integer", literal(f.Default)
	case "yes/no":
		s.Type, s.Default = "boolean", literal(f.Default)
	case "list":
		s.Type, s.Items = "array", &Schema{Type: "string"}
	case "duration":
		s.Pattern = durationPattern
	}
	if f.Secret {
		return secretSchema(s)
	}
	return s
}

// literal is a default as JSON, nil for none.
func literal(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return nil
	}
	return v
}

// durationPattern is what Go writes and reads, without signs.
const durationPattern = "^([0-9]+(\\.[0-9]+)?(ns|us|\u00b5s|ms|s|m|h))+$|^0$"

// secretSchema describes a secret whose value has a schema: the value, "(kept)", or an object with its reference.
func secretSchema(value *Schema) *Schema {
	about := value.Description
	value.Description = ""
	forms := []*Schema{value}
	if value.Type != "string" {
		forms = append(forms, &Schema{Type: "string", Const: Kept})
	}
	return &Schema{Description: about, WriteOnly: true, AnyOf: append(forms, &Schema{Type: "object", Closed: true, Properties: Properties{
		{"ref", &Schema{Type: "string", Description: "Where the value was taken from, env:NAME or file:PATH."}},
		{"value", &Schema{AnyOf: forms}},
	}})}
}

func schemaOf(t reflect.Type) *Schema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[Duration]():
		return &Schema{Type: "string", Pattern: durationPattern}
	case t == reflect.TypeFor[Secret]():
		return secretSchema(&Schema{Type: "string"})
	case t == reflect.TypeFor[json.RawMessage]():
		return &Schema{}
	}
	switch t.Kind() {
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return &Schema{Type: "integer"}
	case reflect.Slice:
		return &Schema{Type: "array", Items: schemaOf(t.Elem())}
	case reflect.Map:
		return &Schema{Type: "object"}
	case reflect.Struct:
		return schemaOfStruct(t)
	}
	return &Schema{Type: "string"}
}

// schemaOfStruct reads the tags of the fields: help, required and oneof, as those of a provider's settings.
func schemaOfStruct(t reflect.Type) *Schema {
	s := &Schema{Type: "object", Closed: true}
	for _, f := range reflect.VisibleFields(t) {
		name := memberName(f)
		if name == "" || f.Anonymous {
			continue
		}
		member := schemaOf(f.Type)
		member.Description = f.Tag.Get("help")
		words := strings.Fields(f.Tag.Get("oneof"))
		if member.Items != nil {
			member.Items.Enum = words
		} else {
			member.Enum = words
		}
		s.Properties = append(s.Properties, Property{name, member})
		if f.Tag.Get("required") == "true" {
			s.Required = append(s.Required, name)
		}
	}
	return s
}
