package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/config"
)

const (
	azureConnection = "endpoint=https://contoso.communication.azure.com/;accesskey=c2VjcmV0LXNlY3JldA=="
	sendgridKey     = "SG.abc.def"
)

// functions are the app settings of the two sample Functions.
var functions = map[string][]string{
	"azure":    {"mail_connectionString=" + azureConnection, "mail_sender=code@example.org", "mail_subject=Your code"},
	"sendgrid": {"mail_sendgridKey=" + sendgridKey, "mail_sender=code@example.org", "mail_senderName=Shop", "mail_template=d-12ab"},
}

func TestAFunctionsSettingsAreRead(t *testing.T) {
	t.Chdir(t.TempDir())
	a := load(t, config.Sources{Environ: functions["azure"]})
	if a.FunctionConnectionString.Reveal() != azureConnection || a.FunctionSender.Address != "code@example.org" || a.FunctionSubject != "Your code" || !a.Function() {
		t.Errorf("with Azure: %+v", a)
	}
	s := load(t, config.Sources{Environ: functions["sendgrid"]})
	if s.FunctionSendGridKey.Reveal() != sendgridKey || s.FunctionSenderName != "Shop" || s.FunctionTemplate != "d-12ab" || !s.Function() {
		t.Errorf("with SendGrid: %+v", s)
	}
	if load(t, config.Sources{}).Function() {
		t.Error("without settings there is a Function")
	}
}

// TestAFunctionsSettingsAreReadAsAppServiceHasThem gives the settings in each spelling that is taken, and in one that a
// Function on Linux would not see.
func TestAFunctionsSettingsAreReadAsAppServiceHasThem(t *testing.T) {
	t.Chdir(t.TempDir())
	spell := func(prefix string, change func(string) string) []string {
		var environ []string
		for _, entry := range functions["azure"] {
			name, value, _ := strings.Cut(entry, "=")
			environ = append(environ, prefix+change(name)+"="+value)
		}
		return environ
	}
	same := func(s string) string { return s }
	for origin, environ := range map[string][]string{
		"mail_sender":            spell("", same),
		"MAIL_SENDER":            spell("", strings.ToUpper),
		"APPSETTING_mail_sender": spell("APPSETTING_", same),
		"APPSETTING_MAIL_SENDER": spell("APPSETTING_", strings.ToUpper),
	} {
		c := load(t, config.Sources{Environ: environ})
		if c.FunctionSender.Address != "code@example.org" || c.Origin("mail_sender").String() != origin {
			t.Errorf("%v: the sender is %q from %s", environ, c.FunctionSender.Address, c.Origin("mail_sender"))
		}
	}
	both := load(t, config.Sources{Environ: append(spell("", same), spell("APPSETTING_", same)...)})
	if got := both.Origin("mail_sender").String(); got != "mail_sender" {
		t.Errorf("App Service's copy beside the setting: it comes from %s", got)
	}
	if load(t, config.Sources{Environ: spell("", strings.ToLower)[:1]}).Function() {
		t.Error("mail_connectionstring is not what a Function on Linux reads")
	}
}

// TestAFunctionsSettingsThatDoNotFit names what stands in each other's way, and repeats no secret.
func TestAFunctionsSettingsThatDoNotFit(t *testing.T) {
	t.Chdir(t.TempDir())
	const sender = "mail_sender=code@example.org"
	for name, test := range map[string]struct {
		environ []string
		want    []string
	}{
		"both":             {append(functions["azure"][:2:2], functions["sendgrid"][0]), []string{"mail_sendgridKey: ", "mail_connectionString is set as well"}},
		"beside mail_url":  {append(functions["azure"][:3:3], "OTPOST_MAIL_URL=smtp://mail.example.org", "OTPOST_MAIL_FROM=a@example.org"), []string{"mail_connectionString: ", "mail_url is set as well"}},
		"no sender":        {functions["azure"][:1], []string{"mail_sender: ", "mail_connectionString is set and no sender is"}},
		"nothing to send":  {functions["azure"][1:], []string{"mail_sender: ", "neither mail_connectionString nor mail_sendgridKey is set"}},
		"the key alone":    {[]string{"mail_connectionString=c2VjcmV0LXNlY3JldA==", sender}, []string{"mail_connectionString: ", "endpoint=https://"}},
		"the place alone":  {[]string{"mail_connectionString=https://contoso.communication.azure.com/", sender}, []string{"accesskey=BASE64"}},
		"in clear":         {[]string{"mail_connectionString=endpoint=http://contoso.communication.azure.com/;accesskey=c2VjcmV0LXNlY3JldA==", sender}, []string{"endpoint=https://"}},
		"no base64":        {[]string{"mail_connectionString=endpoint=https://contoso.communication.azure.com/;accesskey=hush!", sender}, []string{"accesskey=BASE64"}},
		"no sendgrid key":  {[]string{"mail_sendgridKey=c2VjcmV0LXNlY3JldA==", sender}, []string{"mail_sendgridKey: ", "begins with SG."}},
		"no template":      {append(functions["sendgrid"][:3:3], "mail_template=12ab"), []string{`mail_template "12ab"`, "begins with d-"}},
		"no address":       {append(functions["azure"][:1:1], "mail_sender=code"), []string{`mail_sender "code"`, "not a mail address"}},
		"two lines":        {append(functions["azure"][:2:2], "mail_subject=Your\ncode"), []string{"mail_subject", "not one line"}},
		"a reference":      {append(functions["azure"][1:2:2], "mail_connectionString=@Microsoft.KeyVault(SecretUri=https://hush.vault.azure.net/x)"), []string{"mail_connectionString: it is a Key Vault reference"}},
		"two that differ":  {append(functions["azure"][:3:3], "MAIL_SENDER=other@example.org"), []string{"MAIL_SENDER: mail_sender", "mail_sender is set as well, to something else"}},
		"one in the file":  {append(functions["azure"][:3:3], "OTPOST_CONFIG="+write(t, "mail_sender: a@example.org\n")), []string{"mail_sender: it is read from the environment alone"}},
		"under our prefix": {append(functions["azure"][:3:3], "OTPOST_MAIL_SENDER=a@example.org"), []string{"there is no variable OTPOST_MAIL_SENDER"}},
	} {
		_, err := config.Load(config.Sources{Environ: test.environ})
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) != 1 {
			t.Errorf("%s: %v, want one problem", name, err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", name, err, want)
			}
		}
		for _, secret := range []string{"c2VjcmV0", "hush", "SG.abc"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v repeats a secret", name, err)
			}
		}
	}
}

func TestAFunctionsSecretsAreMasked(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, environ := range functions {
		var b strings.Builder
		if err := load(t, config.Sources{Environ: environ}).Write(&b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "c2VjcmV0") || strings.Contains(b.String(), "SG.abc") || !strings.Contains(b.String(), "********") {
			t.Errorf("%s: the listing is\n%s", name, b.String())
		}
	}
}

func TestAFunctionsSettingsAreNoFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	if c := load(t, config.Sources{Flags: map[string]string{"mail_sender": "a@example.org"}}); c.FunctionSender.Address != "" {
		t.Error("a flag set what only the environment may")
	}
}
