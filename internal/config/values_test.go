package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/config"
)

func TestWrongValues(t *testing.T) {
	for _, c := range []struct{ setting, text, what string }{
		{"listen", "8080", "it is not host:port (a port alone is written :8080)"},
		{"listen", "localhost:99999", `port "99999" is not a number from 0 to 65535`},
		{"public_url", "otp.example.com", "it is not an http or https URL"},
		{"public_url", "https://u@otp.example.com", "a base URL has no user, query or fragment"},
		{"trusted_proxies", "10.0.0.0/8,proxy", `"proxy" is not a network`},
		{"trusted_proxies", "::/0", `"::/0" would let anybody choose the address that limits count`},
		{"entra_issuers", "https://a.example=http://a.example/keys", `"http://a.example/keys" is not an https URL`},
		{"only", "both", "it is none of the choices"},
		{"production", "maybe", "it is neither true nor false"},
		{"default_language", "english!", "it is not a language tag"},
		{"database", "mysql://db", "it begins neither with sqlite: nor with postgres://"},
		{"database", "sqlite:", "it names no file"},
		{"database", "sqlite://otpost.db", "two slashes after sqlite: would name a host; write sqlite:PATH"},
		{"mail_url", "mail.example.com", "it does not begin with a scheme and ://"},
		{"mail_url", "smtp:///", "it names no host"},
		{"mail_from", "nobody", "it is not a mail address"},
		{"mail_from", "a@example.com\r\nBcc: b@example.com", "it is not a mail address"},
		{"code_alphabet", "0-8", "it has fewer than 10 distinct characters"},
		{"code_alphabet", "9-0", "it is not the body of a regular-expression character class"},
		{"code_alphabet", "à-ÿ", "it holds characters that are not printable ASCII"},
		{"code_length", "six", "it is not a whole number"},
		{"code_length", "3", "it is below 4"},
		{"code_lifetime", "25h", "it is above 24h"},
		{"limit_guesses", "5", `"5" has no slash between count and window`},
		{"limit_guesses", "0/1m", "a count below 1 would refuse everything"},
		{"limit_guesses", "5/ages", `"ages" is not a duration`},
		{"limit_guesses", "5/10m,6/600s", "two limits have the same window 10m"},
		{"limit_guesses", "5/1ms", "window 1ms is outside 1s to 720h"},
		{"entra_tenant_id", "contoso", "it is not a GUID"},
		{"entra_subdomain", "contoso.ciamlogin.com", "it is not one label of a host name"},
		{"b2c_settings", "Tenant", `"Tenant" has no equals sign between name and value`},
		{"b2c_settings", "=contoso", `"=contoso" has no name`},
		{"b2c_settings", "Tenant=a,tenant=b", `"tenant" is set twice`},
		{"b2c_state", "both", "it is none of the choices"},
		{"b2c_totp_window", "6m", "it is above 5m"},
		{"entra_issuers", "https://login.example.com", `"https://login.example.com" has no equals sign between issuer and metadata URL`},
	} {
		_, err := config.Load(config.Sources{Flags: map[string]string{c.setting: c.text}})
		var problem *config.Problem
		if !errors.As(err, &problem) {
			t.Errorf("%s %q: got %v", c.setting, c.text, err)
			continue
		}
		if problem.Setting != c.setting || problem.What != c.what || problem.Do == "" {
			t.Errorf("%s %q: got %v, want %q", c.setting, c.text, problem, c.what)
		}
	}
}

func TestValuesThatAreWrongTogether(t *testing.T) {
	for _, c := range []struct {
		name    string
		flags   map[string]string
		setting string
	}{
		{"inbox in production", map[string]string{"production": "true", "inbox": "on"}, "inbox"},
		{"roles on SQLite", map[string]string{"only": "web"}, "only"},
		{"one address twice", map[string]string{"listen": ":9090"}, "ops_listen"},
		{"lease too short", map[string]string{"lease": "10s"}, "lease"},
		{"no sender", map[string]string{"mail_url": "smtp://localhost"}, "mail_from"},
		{"no audience", map[string]string{"entra_tenant_id": "11111111-2222-3333-4444-555555555555"}, "entra_audience"},
		{"no tenant", map[string]string{"entra_audience": "api://x"}, "entra_tenant_id"},
		{"pages of policies in production", map[string]string{"production": "true", "b2c_page": "true", "b2c_policies": "p"}, "b2c_page"},
		{"pages of no policies", map[string]string{"b2c_page": "true"}, "b2c_policies"},
		{"subdomain alone", map[string]string{"entra_subdomain": "contoso"}, "entra_tenant_id"},
	} {
		_, err := config.Load(config.Sources{Flags: c.flags})
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Setting != c.setting {
			t.Errorf("%s: got %v, want one problem with %s", c.name, err, c.setting)
		}
	}
	if _, err := config.Load(config.Sources{Flags: map[string]string{"production": "true", "inbox": "force"}}); err != nil {
		t.Errorf("force in production: %v", err)
	}
}

// TestSecretsAreNeverShown walks every way in which settings can be printed.
func TestSecretsAreNeverShown(t *testing.T) {
	const secret = "hunter2"
	c := load(t, config.Sources{Environ: []string{
		"OTPOST_DATABASE=postgres://u:" + secret + "@db/otpost?sslmode=require&password=" + secret,
		"OTPOST_MAIL_URL=smtp://u:" + secret + "@mail.example.com?tls=starttls&token=" + secret,
		"OTPOST_MAIL_FROM=a@example.com",
		"OTPOST_ENTRA_FUNCTION_KEY=" + secret,
	}})
	var listing strings.Builder
	if err := c.Write(&listing); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"listing": listing.String(), "%v": fmt.Sprintf("%v", *c), "%+v": fmt.Sprintf("%+v", c), "%#v": fmt.Sprintf("%#v", *c),
		"JSON": string(asJSON),
	} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows the secret: %s", name, text)
		}
	}
	for _, want := range []string{"postgres://u:********@db/otpost?password=********&sslmode=require", "smtp://u:********@mail.example.com?tls=starttls&token=********"} {
		if !strings.Contains(listing.String(), want) {
			t.Errorf("listing lacks %q:\n%s", want, listing.String())
		}
	}
}

func TestProblemsNeverRepeatASecret(t *testing.T) {
	const secret = "hunter2"
	for _, variable := range []string{
		"OTPOST_DATABASE=mysql://u:" + secret + "@db", "OTPOST_DATABASE=postgres://u:" + secret + "@db:port/x",
		"OTPOST_DATABASE=" + secret, "OTPOST_MAIL_URL=" + secret, "OTPOST_MAIL_URL=smtp://u:" + secret + "#x@h",
		"OTPOST_MAIL_URL=smtp:" + secret, "OTPOST_MAIL_URL=smtp://u:%zz" + secret + "@h",
	} {
		_, err := config.Load(config.Sources{Environ: []string{variable}})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v", variable, err)
		}
	}
}

func TestSecretFileProblems(t *testing.T) {
	for name, environ := range map[string][]string{
		"both":    {"OTPOST_DATABASE=sqlite:x", "OTPOST_DATABASE_FILE=" + write(t, "sqlite:y")},
		"missing": {"OTPOST_DATABASE_FILE=/nowhere/at/all"},
		"empty":   {"OTPOST_DATABASE_FILE=" + write(t, "\n")},
	} {
		_, err := config.Load(config.Sources{Environ: environ})
		var problem *config.Problem
		if !errors.As(err, &problem) || problem.Origin.Where != "OTPOST_DATABASE_FILE" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
