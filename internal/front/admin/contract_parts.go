package admin

import (
	"github.com/otpost/otpost/internal/registry"
)

func ref(what, name string) object { return object{{"$ref", "#/components/" + what + "/" + name}} }

// describe puts the parts of an operation together; the names of the parameters' members are for the reader alone.
func describe(id, summary, description string, parameters object, body any, answers ...object) object {
	o := object{{"operationId", id}, {"tags", []string{tag}}, {"summary", summary}, {"description", description}}
	if len(parameters) > 0 {
		list := []any{}
		for _, p := range parameters {
			list = append(list, p.value)
		}
		o = append(o, member{"parameters", list})
	}
	if body != nil {
		o = append(o, member{"requestBody", object{{"required", true}, {"content", object{{"application/json", object{{"schema", body}}}}}}})
	}
	all := object{}
	for _, a := range answers {
		all = append(all, a...)
	}
	return append(o, member{"responses", all})
}

func nameParameter() member {
	return member{"name", object{{"name", "name"}, {"in", "path"}, {"required", true}, {"description", "The document's name."}, {"schema", object{{"type", "string"}}}}}
}

func header(name, description string) member {
	return member{name, object{{"name", name}, {"in", "header"}, {"required", false}, {"description", description}, {"schema", object{{"type", "string"}}}}}
}

func etagHeader() member {
	return member{"ETag", object{{"description", "The document's version, for If-Match."}, {"schema", object{{"type", "string"}}}}}
}

func locationHeader() member {
	return member{"Location", object{{"description", "The document's path."}, {"schema", object{{"type", "string"}}}}}
}

func answer(status, description string, schema any, headers ...member) object {
	o := object{{"description", description}}
	if len(headers) > 0 {
		o = append(o, member{"headers", object(headers)})
	}
	return object{{status, append(o, member{"content", object{{"application/json", object{{"schema", schema}}}}})}}
}

// problems are answers that every operation gives in the same words.
func problems(statuses ...string) (o object) {
	for _, status := range statuses {
		o = append(o, member{status, ref("responses", "Settings"+status)})
	}
	return o
}

func responses() (o object) {
	for _, r := range []struct{ status, description string }{
		{"400", "The body is missing or is not JSON (`body_missing`, `malformed_json`, `body_cut_short`), or a parameter has a value it cannot have (`invalid_query`)."},
		{"401", "There is no API key (`key_missing`) or it opens nothing (`key_invalid`)."},
		{"403", "The key may not see or change settings (`admin_key_required`)."},
		{"404", "There is no such document, or no such version of it (`no_such_document`); or the recipient is not suppressed (`no_such_suppression`)."},
		{"409", "Others change settings at the same time (`settings_busy`). Try again."},
		{"412", "The document has another version than the condition names (`version_mismatch`)."},
		{"413", "The body is too large (`body_too_large`)."},
		{"415", "The body is not `application/json` (`unsupported_media_type`)."},
		{"422", "The settings that would result cannot be used (`invalid_settings`); `errors` lists everything that is wrong. Nothing was changed."},
		{"500", "Something went wrong on our side (`internal`)."},
		{"503", "The database cannot be reached (`unavailable`), or the request was cut short (`cut_short`)."},
	} {
		o = append(o, member{"Settings" + r.status, object{{"description", r.description},
			{"content", object{{"application/problem+json", object{{"schema", ref("schemas", "SettingsProblem")}}}}}}})
	}
	return o
}

func text(description string) object {
	return object{{"type", "string"}, {"description", description}}
}

func closed(required []string, properties object) object {
	return object{{"type", "object"}, {"required", required}, {"additionalProperties", false}, {"properties", properties}}
}

func arrayOf(items object) object { return object{{"type", "array"}, {"items", items}} }

func historySchema(body object) object {
	return closed([]string{"history"}, object{{"history", arrayOf(closed([]string{"version", "updated_at", "replaced_at", "replaced_by", "document"}, object{
		{"version", object{{"type", "integer"}, {"description", "What restore takes."}}},
		{"updated_at", object{{"type", "string"}, {"format", "date-time"}, {"description", "When it became so."}}},
		{"replaced_at", object{{"type", "string"}, {"format", "date-time"}, {"description", "When it ended."}}},
		{"replaced_by", text("Who ended it, such as `key key_\u2026`.")},
		{"document", body},
	}))}})
}

func sharedSchemas() object {
	many := object{}
	for _, kind := range registry.Kinds() {
		many = append(many, member{kind.Plural(), arrayOf(ref("schemas", schemaName(kind)))})
	}
	return object{
		{"Settings", append(closed([]string{}, many), member{"description", "Documents by kind, each with its name."})},
		{"SettingsChange", closed([]string{"changed", "changes"}, object{
			{"changed", object{{"type", "boolean"}, {"description", "Whether anything is different, or would be."}}},
			{"changes", arrayOf(closed([]string{"kind", "name", "action", "fields"}, object{
				{"kind", text("The kind in the singular, such as `provider`.")}, {"name", text("The document's name.")},
				{"action", object{{"type", "string"}, {"enum", []string{string(registry.Create), string(registry.Update), string(registry.Delete)}}}},
				{"fields", arrayOf(closed([]string{"path"}, object{{"path", text("The value's place in the document.")},
					{"old", text("What it was, as JSON; missing if it was not there. A secret is `(secret)`.")},
					{"new", text("What it is then.")}}))},
				{"warnings", arrayOf(object{{"type", "string"}, {"description", "What whoever changes it should know. It works nevertheless."}})},
			}))},
		})},
		{"SettingsProblem", closed([]string{"type", "title", "status", "code"}, object{
			{"type", object{{"type", "string"}, {"format", "uri"}}}, {"title", text("The kind of problem in words.")},
			{"status", object{{"type", "integer"}}}, {"detail", text("What is wrong this time, where, and what to do.")},
			{"code", text("The kind of problem, for programs.")}, {"instance", text("This occurrence. It ends in the request id.")},
			{"errors", arrayOf(closed([]string{"field", "detail"}, object{{"kind", text("Kind of the document.")}, {"name", text("Name of the document.")},
				{"field", text("Where in it, such as `providers[1].weight`; empty for the document as a whole.")}, {"detail", text("What is wrong and what to do.")}}))},
		})},
	}
}

func exportOperation() object {
	return describe("exportSettings", "Export all settings", "Every document, in the form that `POST /v1/config` takes. Secrets are shown as the reference they were taken from, or as `(kept)`.",
		nil, nil, answer("200", "The settings.", ref("schemas", "Settings")), problems("401", "403", "500", "503"))
}

func manyOperation(id, summary, description string) object {
	return describe(id, summary, description, object{{"prune", object{{"name", "prune"}, {"in", "query"}, {"required", false},
		{"description", "Kinds, divided by commas, of which every document is deleted that the body does not name: `providers,routes`."},
		{"schema", object{{"type", "string"}}}}}}, ref("schemas", "Settings"),
		answer("200", "What changes.", ref("schemas", "SettingsChange")), problems("400", "401", "403", "404", "409", "413", "415", "422", "500", "503"))
}

func kindsOperation() object {
	field := closed([]string{"name", "type", "help", "required", "secret", "place"}, object{
		{"name", text("What it is called.")}, {"type", object{{"type", "string"}, {"enum", []string{"text", "number", "yes/no", "duration", "list"}}}},
		{"help", text("One sentence.")}, {"default", text("Its value when it is not set.")}, {"required", object{{"type", "boolean"}}},
		{"secret", object{{"type", "boolean"}, {"description", "It is never shown again."}}},
		{"place", object{{"type", "boolean"}, {"description", "It decides where credentials are sent; who changes it gives them anew."}}},
		{"choices", arrayOf(object{{"type", "string"}})},
	})
	kind := closed([]string{"name", "doc", "channels", "reports", "fields", "schema"}, object{
		{"name", text("What a provider's `kind` says.")}, {"doc", text("One sentence.")},
		{"channels", arrayOf(object{{"type", "string"}, {"enum", []string{"email", "sms"}}})},
		{"reports", object{{"type", "boolean"}, {"description", "Whether it can say later what became of a message."}}},
		{"fields", arrayOf(field)}, {"schema", object{{"type", "object"}, {"description", "JSON Schema (2020-12) of a whole provider of this kind."}}},
	})
	return describe("listProviderKinds", "List the kinds of providers", "What there is to choose from, with every setting: for forms, and to check documents before they are sent.",
		nil, nil, answer("200", "The kinds.", closed([]string{"provider_kinds"}, object{{"provider_kinds", arrayOf(kind)}})), problems("401", "403", "500"))
}
