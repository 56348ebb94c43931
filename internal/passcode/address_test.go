package passcode_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]passcode.Address{
		"lea@example.org":                {outbox.Email, "lea@example.org", "lea@example.org", "lea@example.org"},
		"Lea.Martin@Example.ORG":         {outbox.Email, "Lea.Martin@example.org", "lea.martin@example.org", "lea.martin@example.org"},
		"lea+shop@example.org":           {outbox.Email, "lea+shop@example.org", "lea+shop@example.org", "lea@example.org"},
		"L.e.a+x@googlemail.com":         {outbox.Email, "L.e.a+x@googlemail.com", "l.e.a+x@googlemail.com", "lea@gmail.com"},
		"lea@münchen.example":            {outbox.Email, "lea@xn--mnchen-3ya.example", "lea@xn--mnchen-3ya.example", "lea@xn--mnchen-3ya.example"},
		"lea@MÜNCHEN.example":            {outbox.Email, "lea@xn--mnchen-3ya.example", "lea@xn--mnchen-3ya.example", "lea@xn--mnchen-3ya.example"},
		"lea@mu\u0308nchen.example":      {outbox.Email, "lea@xn--mnchen-3ya.example", "lea@xn--mnchen-3ya.example", "lea@xn--mnchen-3ya.example"},
		"+33612345678":                   {outbox.SMS, "+33612345678", "+33612345678", "+33612345678"},
		"+33 (0)6 12-34.56 78":           {outbox.SMS, "+33612345678", "+33612345678", "+33612345678"},
		"＋３３６１２３４５６７８":                   {outbox.SMS, "+33612345678", "+33612345678", "+33612345678"},
		"+٣٣٦١٢٣٤٥٦٧٨":                   {outbox.SMS, "+33612345678", "+33612345678", "+33612345678"},
		"o'hara_{x}=?@sub.example.co.uk": {outbox.Email, "o'hara_{x}=?@sub.example.co.uk", "o'hara_{x}=?@sub.example.co.uk", "o'hara_{x}=?@sub.example.co.uk"},
	} {
		got, err := passcode.ParseAddress(in)
		if err != nil || got != want {
			t.Errorf("%q: %+v %v, want %+v", in, got, err, want)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                       "needed",
		"lea":                                    "neither",
		"@example.org":                           "before the @",
		"lea@":                                   "after the @",
		"lea@localhost":                          "full domain name",
		"lea@127.0.0.1":                          "not an IP address",
		"lea@[127.0.0.1]":                        "not a domain",
		"lea@exa mple.org":                       "not a domain",
		"lea@-example.org":                       "not a domain",
		"lea@example..org":                       "not a domain",
		"lea@example.org.":                       "not a domain",
		".lea@example.org":                       "dot too many",
		"le..a@example.org":                      "dot too many",
		"\"lea\"@example.org":                    "before the @",
		"lea@x@example.org":                      "before the @",
		"lea@example.org\r\nBcc: x@example.com":  "control",
		"lea\x00@example.org":                    "control",
		"le\u200ba@example.org":                  "invisible",
		"\u202elea@example.org":                  "invisible",
		"lеa@example.org":                        "ASCII", // a Cyrillic е
		"ｌea@example.org":                        "ASCII", // a full-width l
		"lea\xff@example.org":                    "UTF-8",
		strings.Repeat("a", 65) + "@example.org": "1 to 64",
		"a@" + strings.Repeat("a.", 300) + "org": "too long",
		"a@" + strings.Repeat("a", 64) + ".org":  "not a domain",
		"+1":                                     "not a number",
		"+999123456789":                          "not a number",
		"0612345678":                             "neither",
		"+33612345678;ext=5":                     "digits",
		"+336123<b>45678":                        "digits",
	} {
		got, err := passcode.ParseAddress(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v %v, want an error that says %q", in, got, err, want)
		}
		if err != nil && len(in) > 5 && strings.Contains(err.Error(), in) {
			t.Errorf("%q: the error repeats the address", in)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"lea@example.org", "+33612345678", "a+b@münchen.example", "\"x\"@y.z", "@", "+", "a@xn--.org"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := passcode.ParseAddress(in)
		if err != nil {
			return
		}
		for _, form := range []string{a.Deliverable, a.Identifier, a.Mailbox} {
			if form == "" || strings.ContainsFunc(form, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("%q: form %q is empty or not printable ASCII", in, form)
			}
		}
		again, err := passcode.ParseAddress(a.Deliverable)
		if err != nil || again != a {
			t.Errorf("%q: read again it is %+v %v, not %+v", in, again, err, a)
		}
		if a.Channel == outbox.Email {
			if upper, err := passcode.ParseAddress(strings.ToUpper(a.Deliverable)); err != nil || upper.Identifier != a.Identifier {
				t.Errorf("%q: in upper case it is %q %v, not %q", in, upper.Identifier, err, a.Identifier)
			}
		}
	})
}
