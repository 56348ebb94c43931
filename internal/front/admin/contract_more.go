package admin

import "github.com/otpost/otpost/internal/registry"

// query is an optional parameter of the query.
func query(name, description string, schema object) member {
	return member{name, object{{"name", name}, {"in", "query"}, {"required", false}, {"description", description}, {"schema", schema}}}
}

func previewOperation(kind registry.Kind) object {
	problem := closed([]string{"field", "problem"}, object{
		{"field", text("Member of the template.")},
		{"line", object{{"type", "integer"}, {"minimum", 1}, {"description", "Line within that member."}}},
		{"column", object{{"type", "integer"}, {"minimum", 1}, {"description", "Column within that line."}}},
		{"case", text("The message that was tried, where it fails for some only.")},
		{"problem", text("What is wrong and what to do.")},
	})
	rendering := closed([]string{"language", "name", "direction"}, object{
		{"language", text("Language tag (BCP 47).")}, {"name", text("What the language calls itself.")},
		{"direction", object{{"type", "string"}, {"enum", []string{"ltr", "rtl"}}}},
		{"subject", text("Subject of a mail.")}, {"text", text("The message as text.")}, {"html", text("A mail as HTML.")},
		{"segments", object{{"type", "integer"}, {"minimum", 1}, {"description", "How many parts an SMS takes, each of which is charged."}}},
		{"problem", problem},
	})
	o := describe("previewTemplate", "See what a template says",
		"Renders sample content in every language that the template can be chosen for, and keeps nothing. Without a body it is the stored template of this name. A draft is rendered as far as it can be: one that fails in a language says so there.",
		object{nameParameter(), query("language", "Tag of the only language to render.", object{{"type", "string"}})}, ref("schemas", schemaName(kind)),
		answer("200", "The messages.", closed([]string{"renderings"}, object{{"renderings", arrayOf(rendering)}})),
		problems("400", "401", "403", "404", "413", "415", "422", "500", "503"))
	return optionalBody(o)
}

// optionalBody lets an operation be called without its body.
func optionalBody(o object) object {
	for i, m := range o {
		if body, ok := m.value.(object); ok && m.name == "requestBody" {
			o[i].value = append(object{{"required", false}}, body[1:]...)
		}
	}
	return o
}
