package compose_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
)

// listmonk CVE-2025-49136 (GO-2025-3745): a template that users wrote could read the environment. Nobody's text is a
// template here: what looks like one in a name is shown as it stands, in every language and channel.
func TestAdvisory_CVE_2025_49136_TemplateSyntaxInANameIsText(t *testing.T) {
	t.Setenv("OTPOST_ADVISORY_TEST", "what-the-environment-holds")
	c := composer(t)
	for _, l := range c.Catalogues.Languages() {
		for _, purpose := range purposes {
			for name, shown := range map[string]string{
				`{{env "OTPOST_ADVISORY_TEST"}}`: `{{env "OTPOST_ADVISORY_TEST"}}`,
				`{{.Code}}`:                      `{{.` + string(rune(0x2060)) + `Code}}`,
				`{{printf "%d" 7}}`:              `{{printf "%d" 7}}`,
				`{{template "main"}}`:            `{{template "main"}}`,
				`${OTPOST_ADVISORY_TEST}`:        `${OTPOST_ADVISORY_TEST}`,
				`%s %v %[1]s %!s(MISSING)`:       `%s %v %[1]s %!s(MISSING)`,
				`{code} {application}`:           `{code} {application}`,
				`<?php echo 1 ?>`:                `<?php echo 1 ?>`,
			} {
				mail := content(outbox.Email, l.Tag(), purpose)
				mail.Application = name
				sms := mail
				sms.Channel = outbox.SMS
				inMail, inSMS := say(t, c, mail), say(t, c, sms)
				for where, text := range map[string]string{"subject": inMail.Subject, "mail": inMail.Text, "sms": inSMS.Text} {
					if !strings.Contains(text, shown) {
						t.Errorf("%s %s: the name %q is not shown as it stands in the %s: %q", l, purpose, name, where, text)
					}
				}
				for _, text := range []string{inMail.Subject, inMail.Text, inMail.HTML, inSMS.Text} {
					if strings.Contains(text, "what-the-environment-holds") {
						t.Errorf("%s %s: the name %q read the environment: %q", l, purpose, name, text)
					}
				}
			}
		}
	}
}
