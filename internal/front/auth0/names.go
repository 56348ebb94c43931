package auth0

import (
	"maps"
	"slices"
	"strings"
)

// vendor is one of Auth0's names for a provider, and what otpost has for it.
type vendor struct {
	// kind is the name of the provider.Kind.
	kind        string
	credentials []credential
	// settings are those under settings, by their dotted path.
	settings map[string]string
	// always are settings with the only value they take, which is what otpost does anyway.
	always map[string]string
}

// credential is a member of credentials. Shown ones are answered; Auth0 shows no others (npm auth0 7.1.0,
// EmailProviderCredentials; domain is added, which is no secret either).
type credential struct {
	name    string
	setting string
	form    form
	shown   bool
	// values are what the only values it takes mean, nil when it takes any.
	values map[string]string
}

type form int

const (
	text form = iota
	number
)

const customName = "custom"

// vendors are Auth0's names (npm auth0 7.1.0, EmailProviderNameEnum and EmailProviderCredentialsSchema). A custom provider
// is an Action there; here it is the webhook that the owner set, which is not ours to make: see setup.
func vendors() map[string]vendor {
	key := credential{name: "api_key", setting: "api_key"}
	return map[string]vendor{
		"azure_cs": {kind: "azure_communication_email", credentials: []credential{{name: "connectionString", setting: "connection_string"}}},
		customName: {kind: "webhook"},
		"mailgun": {kind: "mailgun", credentials: []credential{key, {name: "domain", setting: "domain", shown: true},
			{name: "region", setting: "endpoint", shown: true, values: map[string]string{"eu": "https://api.eu.mailgun.net"}}}},
		"mandrill": {kind: "mandrill", credentials: []credential{key}, always: map[string]string{"message.view_content_link": "false"}},
		"ms365": {kind: "microsoft365", credentials: []credential{{name: "tenantId", setting: "tenant_id"}, {name: "clientId", setting: "client_id"},
			{name: "clientSecret", setting: "client_secret"}}},
		"resend":   {kind: "resend", credentials: []credential{key}},
		"sendgrid": {kind: "sendgrid", credentials: []credential{key}},
		"ses": {kind: "ses", credentials: []credential{{name: "accessKeyId", setting: "access_key_id"}, {name: "secretAccessKey", setting: "secret_access_key"},
			{name: "region", setting: "region", shown: true}}, settings: map[string]string{"message.configuration_set_name": "configuration_set"}},
		"smtp": {kind: "smtp", credentials: []credential{{name: "smtp_host", setting: "host", shown: true},
			{name: "smtp_port", setting: "port", form: number, shown: true},
			{name: "smtp_user", setting: "username", shown: true}, {name: "smtp_pass", setting: "password"}}},
		"sparkpost": {kind: "sparkpost", credentials: []credential{key,
			{name: "region", setting: "endpoint", shown: true, values: map[string]string{"eu": "https://api.eu.sparkpost.com"}}}},
	}
}

// nameOf is Auth0's name for a kind; one that Auth0 has not keeps its own.
func nameOf(kind string) string {
	for name, v := range vendors() {
		if v.kind == kind {
			return name
		}
	}
	return kind
}

func names() []string { return slices.Sorted(maps.Keys(vendors())) }

// inTheirWords replaces the names of a kind's settings, as errors have them, by Auth0's. A kind writes "setting port: …",
// the registry "settings.port: …".
func (s *setup) inTheirWords(message string) string {
	message = strings.TrimPrefix(message, "provider "+s.provider.Kind+": ")
	if about, ok := strings.CutPrefix(message, "setting "); ok {
		if end := strings.IndexAny(about, ": "); end > 0 {
			message = "settings." + about[:end] + ": " + strings.TrimLeft(about[end:], ": ")
		}
	}
	replace := []string{"settings.from:", "default_from_address:"}
	add := func(setting, theirs string) {
		for _, after := range []string{":", " ", ","} {
			replace = append(replace, "settings."+setting+after, theirs+after)
		}
	}
	v := vendors()[s.name]
	for _, c := range v.credentials {
		add(c.setting, "credentials."+c.name)
	}
	for theirs, setting := range v.settings {
		add(setting, "settings."+theirs)
	}
	return strings.NewReplacer(replace...).Replace(message)
}
