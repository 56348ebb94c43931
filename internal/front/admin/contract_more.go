package admin

import "github.com/otpost/otpost/internal/registry"

// query is an optional parameter of the query.
func query(name, description string, schema object) member {
	return parameter(name, description, false, schema)
}

func parameter(name, description string, required bool, schema object) member {
	return member{name, object{{"name", name}, {"in", "query"}, {"required", required}, {"description", description}, {"schema", schema}}}
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

func channelSchema() object { return object{{"type", "string"}, {"enum", []string{"email", "sms"}}} }

func listSuppressionsOperation() object {
	one := closed([]string{"channel", "recipient", "reason", "provider", "reported_at"}, object{
		{"channel", channelSchema()}, {"recipient", text("The address or number that was reported, in its canonical form.")},
		{"reason", object{{"type", "string"}, {"enum", []string{"invalid_recipient", "suppressed", "complained"}},
			{"description", "What was reported: that it does not exist, that it is blocked, or that a message was called spam."}}},
		{"provider", text("The provider that reported it.")},
		{"reported_at", object{{"type", "string"}, {"format", "date-time"}, {"description", "When it was reported."}}},
		{"until", object{{"type", "string"}, {"format", "date-time"}, {"description", "When it ends by itself; missing if it does not."}}},
	})
	return describe("listSuppressions", "List the recipients that are not sent to",
		"Those of whom a provider reported that they do not exist, are blocked or complained. Email addresses come first, then numbers, each in their order.",
		object{query("channel", "Only these.", channelSchema()),
			query("recipient", "Only this address or number, however it is written; the list is then empty or has one.", object{{"type", "string"}}),
			query("limit", "Most of them on a page; 100 if missing.", object{{"type", "integer"}, {"minimum", 1}, {"maximum", maxPage}}),
			query("after", "What `next` was on the page before.", object{{"type", "string"}})}, nil,
		answer("200", "A page of them.", closed([]string{"suppressions"}, object{{"suppressions", arrayOf(one)},
			{"next", text("Where the next page begins; missing on the last one.")}})),
		problems("400", "401", "403", "404", "500", "503"))
}

func unsuppressOperation() object {
	recipient := parameter("recipient", "The address or number, however it is written.", true, object{{"type", "string"}})
	return describe("removeSuppression", "Let a recipient be sent to again",
		"Reports that were received before do not suppress it anew; a new one does.",
		object{query("channel", "Its channel, which the recipient tells as well.", channelSchema()), recipient}, nil,
		object{{"204", object{{"description", "It is sent to again."}}}},
		problems("400", "401", "403", "404", "500", "503"))
}

func statesOperation() object {
	rate := closed([]string{"messages", "per"}, object{{"messages", object{{"type", "integer"}, {"minimum", 1}}}, {"per", text("Length of the window, such as `1m`.")}})
	state := closed([]string{"name", "kind", "given", "disabled", "state"}, object{
		{"name", text("The provider's name.")}, {"kind", text("Its kind.")},
		{"given", object{{"type", "boolean"}, {"description", "Whether the deploy-time settings name it, rather than a document."}}},
		{"disabled", object{{"type", "boolean"}, {"description", "Whether its document takes it out of every route."}}},
		{"state", object{{"type", "string"}, {"enum", []string{registry.ProviderReady, registry.ProviderDisabled, registry.ProviderLeftAlone, registry.ProviderUnusable}},
			{"description", "`left_alone`: it failed, and others are tried before it for a while. `unusable`: this node cannot use its document; the log says why."}}},
		{"left_alone_until", object{{"type", "string"}, {"format", "date-time"}, {"description", "When it is tried again."}}},
		{"rate", append(rate, member{"description", "Most messages that it is given in any window."})},
	})
	return describe("listProviderStates", "See how the providers are doing",
		"Every provider, also those that the deploy-time settings name. Which are left alone is shared by all nodes.",
		nil, nil, answer("200", "The providers.", closed([]string{"provider_states"}, object{{"provider_states", arrayOf(state)}})), problems("401", "403", "500", "503"))
}
