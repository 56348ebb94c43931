package config

import (
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"unicode"
)

// appPrefix is what App Service puts before the name of an app setting in a second copy of it (Azure App Service,
// "Environment variables and app settings").
const appPrefix = "APPSETTING_"

// keyVault begins a reference that App Service replaces by a secret before the Function starts (Azure App Service, "Use
// Key Vault references"). Nobody replaces it in another container.
const keyVault = "@Microsoft.KeyVault("

// appSpellings are the variables that an app setting is read from, the first that is set: its own name, which counts in
// each letter, the same in capitals, and App Service's copies of both.
func appSpellings(name string) []string {
	upper := strings.ToUpper(name)
	return []string{name, upper, appPrefix + name, appPrefix + upper}
}

func appEnvironment(environ []string) map[string]string {
	all := map[string]string{}
	for _, entry := range environ {
		if name, text, found := strings.Cut(entry, "="); found {
			all[name] = strings.TrimSpace(text)
		}
	}
	app := map[string]string{}
	for _, s := range Settings() {
		if !s.App {
			continue
		}
		for _, spelling := range appSpellings(s.Name) {
			if text := all[spelling]; text != "" {
				app[spelling] = text
			}
		}
	}
	return app
}

// appSettings adds what a Function was given to values.
func (l *loader) appSettings(values map[string]value) {
	for _, s := range Settings() {
		if !s.App {
			continue
		}
		for _, spelling := range appSpellings(s.Name) {
			text, origin := l.app[spelling], Origin{FromEnv, spelling}
			first, taken := values[s.Name]
			switch {
			case text == "":
			case taken && first.text != text:
				l.fail(&Problem{Setting: s.Name, Origin: origin, What: first.origin.Where + " is set as well, to something else", Do: "keep one of the two"})
			case taken:
			case strings.HasPrefix(text, keyVault):
				l.fail(&Problem{Setting: s.Name, Origin: origin, What: "it is a Key Vault reference, which only App Service replaces by the secret",
					Do: "set the secret itself"})
				return // whatever else is wrong follows from it
			default:
				values[s.Name] = value{text: text, origin: origin}
			}
		}
	}
}

// Function reports whether the settings of a Function name a provider.
func (c *Config) Function() bool {
	return c.FunctionConnectionString != "" || c.FunctionSendGridKey != ""
}

func (c *Config) checkFunction(wrong func(setting, what, do string)) {
	const connection, key = "mail_connectionString", "mail_sendgridKey"
	credential := connection
	if c.FunctionSendGridKey != "" {
		credential = key
	}
	switch {
	case c.FunctionConnectionString != "" && c.FunctionSendGridKey != "":
		wrong(key, connection+" is set as well, and one Function has one of them", "keep that of the Function that otpost takes over from")
	case !c.Function():
		c.checkRest(wrong)
	case !c.MailURL.IsZero():
		wrong(credential, "mail_url is set as well, and both would be the provider named environment", "keep one of the two")
	case c.FunctionSender.Address == "":
		wrong("mail_sender", credential+" is set and no sender is", "set mail_sender to the address that the Function sends from")
	}
}

// checkRest finds settings of a Function that has nothing to send with. The sample would answer "sent" all the same.
func (c *Config) checkRest(wrong func(setting, what, do string)) {
	for _, f := range c.fields() {
		if f.App && f.show() != "" {
			wrong(f.Name, "neither mail_connectionString nor mail_sendgridKey is set, so there is nothing to send with", "set one of the two, or unset "+f.Name)
			return
		}
	}
}

var (
	sendgridKeyForm      = regexp.MustCompile(`^SG\.[A-Za-z0-9_.-]+$`)
	sendgridTemplateForm = regexp.MustCompile(`^d-[A-Za-z0-9]+$`)
)

// checkAzureConnection wants an endpoint and a key, with or without the word endpoint, as Microsoft's guide has it. The
// provider checks it again; here it is refused beside every other wrong setting. Nothing of it is repeated.
func checkAzureConnection(text string) error {
	var endpoint, key bool
	for part := range strings.SplitSeq(text, ";") {
		name, rest, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case name == "endpoint" && strings.HasPrefix(strings.TrimSpace(rest), "https://"), strings.HasPrefix(name, "https://"):
			endpoint = true
		case name == "accesskey":
			raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
			key = err == nil && len(raw) > 0
		}
	}
	if !endpoint || !key {
		return errors.New("it is not a connection string of Azure Communication Services, endpoint=https://NAME.communication.azure.com/;accesskey=BASE64")
	}
	return nil
}

func checkLine(text string) error {
	if len(text) > 500 || strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("it is not one line of at most 500 bytes")
	}
	return nil
}
