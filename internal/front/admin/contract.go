package admin

import (
	"encoding/json"
	"strings"

	"github.com/otpost/otpost/internal/registry"
)

// member and object are a JSON object whose order is kept.
type member struct {
	name  string
	value any
}

type object []member

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte("{")
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// OpenAPI is the contract of this door, an OpenAPI 3.1 document, made from the list of kinds. It is whole by itself.
func OpenAPI() []byte {
	paths := object{
		{"/v1/config", object{{"get", exportOperation()}, {"post", manyOperation("applySettings", "Change many settings at once",
			"Sets every document that the body names, all or none: what would result is checked as a whole first. A repeat changes nothing and says so.")}}},
		{"/v1/config:plan", object{{"post", manyOperation("planSettings", "See what a change of many settings would do",
			"Answers as `POST /v1/config` would, with the same problems, and changes nothing.")}}},
	}
	schemas := object{}
	for _, kind := range registry.Kinds() {
		paths = append(paths, pathsOf(kind)...)
		if kind == registry.TemplateKind {
			paths = append(paths, member{"/v1/" + kind.Plural() + "/{name}/preview", object{{"post", previewOperation(kind)}}})
		}
		schema := registry.SchemaOf(kind)
		schema.Required = schema.Required[1:] // the name may be left to the path
		schemas = append(schemas, member{schemaName(kind), schema})
	}
	paths = append(paths, member{"/v1/provider-kinds", object{{"get", kindsOperation()}}},
		member{"/v1/provider-states", object{{"get", statesOperation()}}})
	paths = append(paths, member{"/v1/suppressions", object{{"get", listSuppressionsOperation()}, {"delete", unsuppressOperation()}}})
	text, err := json.Marshal(object{
		{"openapi", "3.1.0"},
		{"info", object{{"title", "otpost settings"}, {"version", "1"}}},
		{"security", []object{{{"key", []string{}}}}},
		{"tags", []object{{{"name", tag}}}},
		{"paths", paths},
		{"components", object{
			{"securitySchemes", object{{"key", object{{"type", "http"}, {"scheme", "bearer"}}}}},
			{"responses", responses()},
			{"schemas", append(schemas, sharedSchemas()...)},
		}},
	})
	if err != nil {
		panic(err) // strings, numbers and structs of them always marshal
	}
	return text
}

const tag = "Settings"

// schemaName is what the contract calls the documents of a kind.
func schemaName(kind registry.Kind) string {
	name := ""
	for word := range strings.FieldsFuncSeq(string(kind), func(r rune) bool { return r == '_' || r == '-' }) {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name
}

// one is a document of a kind in a sentence.
func one(kind registry.Kind) string {
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + string(kind)
	}
	return "a " + string(kind)
}

func pathsOf(kind registry.Kind) object {
	path, name := "/v1/"+kind.Plural(), schemaName(kind)
	body := ref("schemas", name)
	list := object{{"type", "object"}, {"required", []string{kind.Plural()}}, {"additionalProperties", false},
		{"properties", object{{kind.Plural(), object{{"type", "array"}, {"items", body}}}}}}
	written := object{{"type", "object"}, {"required", []string{"changed", "document"}}, {"additionalProperties", false},
		{"properties", object{{"changed", object{{"type", "boolean"}, {"description", "Whether anything is different now."}}}, {"document", body}}}}
	return object{
		{path, object{{"get", describe("list"+schemaName(registry.Kind(kind.Plural())), "List the "+kind.Plural(),
			"All of them, by name. Secrets are shown as the reference they were taken from, or as `(kept)`.",
			nil, nil, answer("200", "The documents.", list), problems("401", "403", "500", "503"))}}},
		{path + "/{name}", object{
			{"get", describe("get"+name, "Look at "+one(kind), "What it answers can be given to PUT as it is.", object{nameParameter(), header("If-None-Match", "An ETag; if the document has it still, the answer is 304.")}, nil,
				answer("200", "The document.", body, etagHeader()), object{{"304", object{{"description", "It has the ETag that was named."}}}}, problems("401", "403", "404", "500", "503"))},
			{"put", describe("put"+name, "Set "+one(kind), "Makes the document, or makes it what the body says: a member that is missing gets its default. A secret given as `(kept)`, or as the reference it is shown as, stays what it is, unless the place it is sent to changes. A repeat changes nothing.",
				object{nameParameter(), header("If-Match", "An ETag, or * for any: changes nothing else."), header("If-None-Match", "*: makes the document only if there is none.")}, body,
				answer("200", "The document as it is now.", written, etagHeader()), answer("201", "The document was made.", written, etagHeader(), locationHeader()),
				problems("400", "401", "403", "409", "412", "413", "415", "422", "500", "503"))},
			{"delete", describe("delete"+name, "Delete "+one(kind), "Refused while another document names it.", object{nameParameter(), header("If-Match", "An ETag, or * for any: deletes nothing else.")}, nil,
				object{{"204", object{{"description", "It is gone."}}}}, problems("401", "403", "404", "409", "412", "422", "500", "503"))},
		}},
		{path + "/{name}/history", object{{"get", describe("get"+name+"History", "See what "+one(kind)+" was before", "Earlier forms, newest first, at most 50, of the last year. A document that was deleted still has them.", object{nameParameter()}, nil,
			answer("200", "Earlier forms.", historySchema(body)), problems("401", "403", "404", "500", "503"))}}},
		{path + "/{name}/restore", object{{"post", describe("restore"+name, "Bring back what "+one(kind)+" was", "Makes the document what it was at a version, with the secrets that it had then.",
			object{nameParameter(), {"version", object{{"name", "version"}, {"in", "query"}, {"required", true}, {"description", "A version that the history lists."}, {"schema", object{{"type", "integer"}, {"minimum", 1}}}}}}, nil,
			answer("200", "The document as it is now.", written, etagHeader()), answer("201", "The document was made again.", written, etagHeader(), locationHeader()),
			problems("400", "401", "403", "404", "409", "422", "500", "503"))}}},
	}
}
