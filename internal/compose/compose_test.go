package compose_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/outbox"
)

var update = flag.Bool("update", false, "write what the messages say now")

var purposes = []string{"sign_up", "sign_in", "password_reset", "mfa", "verify"}

func composer(t testing.TB) *compose.Composer {
	t.Helper()
	catalogues, err := locale.Open()
	if err != nil {
		t.Fatal(err)
	}
	return &compose.Composer{Catalogues: catalogues}
}

func content(channel outbox.Channel, language, purpose string) compose.Content {
	return compose.Content{Channel: channel, To: "lea@example.org", Code: "482913", Application: "Contoso",
		Domain: "login.contoso.com", Purpose: purpose, Locale: language, Lifetime: 10 * time.Minute, Passcode: "pc_1"}
}

func say(t testing.TB, c *compose.Composer, content compose.Content) outbox.Message {
	t.Helper()
	m, err := c.Compose(content)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMessages compares every language, purpose and channel with what a person has read and found right.
func TestMessages(t *testing.T) {
	c := composer(t)
	for _, l := range c.Catalogues.Languages() {
		t.Run(l.Tag(), func(t *testing.T) {
			var got strings.Builder
			for _, purpose := range purposes {
				mail, sms := say(t, c, content(outbox.Email, l.Tag(), purpose)), say(t, c, content(outbox.SMS, l.Tag(), purpose))
				fmt.Fprintf(&got, "-- %s mail --\n%s\n\n%s\n-- %s sms --\n%s\n", purpose, mail.Subject, mail.Text, purpose, sms.Text)
				if purpose == "sign_in" {
					fmt.Fprintf(&got, "-- %s html --\n%s\n", purpose, mail.HTML)
				}
			}
			path := filepath.Join("testdata", l.Tag()+".txtar")
			if *update {
				if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("%s differs; run with -update and read the difference. Now it is:\n%s", path, got.String())
			}
		})
	}
}

func TestWhatEveryMessageHas(t *testing.T) {
	c := composer(t)
	for _, l := range c.Catalogues.Languages() {
		for _, purpose := range purposes {
			mail := say(t, c, content(outbox.Email, l.Tag(), purpose))
			sms := say(t, c, content(outbox.SMS, l.Tag(), purpose))
			if !strings.HasPrefix(mail.Subject, "482913") || !strings.Contains(mail.Subject, "Contoso") {
				t.Errorf("%s %s: subject %q does not begin with the code and name the application", l, purpose, mail.Subject)
			}
			for name, text := range map[string]string{"mail": mail.Text, "sms": sms.Text} {
				if !strings.HasSuffix(text, "\n\n@login.contoso.com #482913") || strings.Count(text, "@") != 1 {
					t.Errorf("%s %s: the %s does not end in its one bound line:\n%s", l, purpose, name, text)
				}
			}
			if mail.HTML == "" || len(mail.HTML) > 2600 || strings.Contains(mail.HTML, "<a") || strings.Contains(mail.HTML, "<img") {
				t.Errorf("%s %s: the HTML has %d bytes, or a link or picture", l, purpose, len(mail.HTML))
			}
			if n := strings.Count(mail.HTML, `<bdi dir="ltr">482913</bdi>`); n != 1 {
				t.Errorf("%s %s: the code stands %d times in one piece", l, purpose, n)
			}
			if want := fmt.Sprintf(`<html lang="%s" dir="%s">`, l.Tag(), l.Direction()); !strings.Contains(mail.HTML, want) {
				t.Errorf("%s %s: the HTML does not say %s", l, purpose, want)
			}
			if mail.Language != l.Tag() || mail.Code != "482913" || mail.Passcode != "pc_1" || mail.Purpose != purpose || sms.HTML != "" || sms.Subject != "" {
				t.Errorf("%s %s: %+v", l, purpose, mail)
			}
		}
	}
}

// TestAHousesSubject replaces that of mails in the built-in wording and of nothing else.
func TestAHousesSubject(t *testing.T) {
	c := composer(t)
	c.Subject = "Your Contoso code"
	if got := say(t, c, content(outbox.Email, "fr", "sign_in")).Subject; got != "Your Contoso code" {
		t.Errorf("the mail's subject is %q", got)
	}
	if got := say(t, c, content(outbox.SMS, "fr", "sign_in")).Subject; got != "" {
		t.Errorf("a short message has the subject %q", got)
	}
	template := bare(t, c, outbox.Email, "- - -")
	c.Templates = func(compose.Content) []*compose.Template { return []*compose.Template{template} }
	if got := say(t, c, content(outbox.Email, "fr", "sign_in")).Subject; got != "s" {
		t.Errorf("a template's mail has the subject %q", got)
	}
}

func TestWhatIsNotKnownIsNotSaid(t *testing.T) {
	c := composer(t)
	for _, l := range c.Catalogues.Languages() {
		for _, channel := range []outbox.Channel{outbox.Email, outbox.SMS} {
			bare := compose.Content{Channel: channel, To: "x", Code: "482913", Locale: l.Tag()}
			m := say(t, c, bare)
			for _, text := range []string{m.Subject, m.Text, m.HTML} {
				if strings.Contains(text, "  ") || strings.ContainsAny(text, "\ue000\ue001\ue002") {
					t.Errorf("%s %s: a gap or a mark is left in %q", l, channel, text)
				}
			}
			if strings.Contains(m.Text, "@") {
				t.Errorf("%s %s: a bound line without a domain:\n%s", l, channel, m.Text)
			}
		}
	}
	if m := say(t, c, compose.Content{Channel: outbox.Email, Code: "1234", Locale: "tlh", Purpose: "party"}); m.Language != "en" || m.Purpose != "verify" {
		t.Errorf("an unknown language and purpose: %s, %s", m.Language, m.Purpose)
	}
}

func TestComposeRefuses(t *testing.T) {
	c := composer(t)
	for name, change := range map[string]func(*compose.Content){
		"no code":           func(c *compose.Content) { c.Code = "" },
		"a code of two":     func(c *compose.Content) { c.Code = "12 34" },
		"a line end":        func(c *compose.Content) { c.Code = "12\r\n34" },
		"a long code":       func(c *compose.Content) { c.Code = strings.Repeat("1", 65) },
		"another channel":   func(c *compose.Content) { c.Channel = "pigeon" },
		"a URL as domain":   func(c *compose.Content) { c.Domain = "https://contoso.com/" },
		"a domain of lines": func(c *compose.Content) { c.Domain = "a\n@evil.com" },
		"a Unicode domain":  func(c *compose.Content) { c.Domain = "münchen.example" },
	} {
		asked := content(outbox.Email, "en", "verify")
		change(&asked)
		if m, err := c.Compose(asked); err == nil || strings.Contains(err.Error(), "482913") {
			t.Errorf("%s: %q, %v", name, m.Subject, err)
		}
	}
}

// gsm7 is the alphabet that an SMS of 160 characters is written in (3GPP TS 23.038 §6.2.1), with its extension table.
const gsm7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"

// TestSMSFitsOneSegmentWhereItCan: languages of the GSM alphabet have 160 characters in one segment; the others, and
// those whose accents are not in it, have 70 and take two.
func TestSMSFitsOneSegmentWhereItCan(t *testing.T) {
	c := composer(t)
	inGSM7 := []string{"da", "de", "en", "et", "eu", "fi", "hr", "it"}
	for _, l := range c.Catalogues.Languages() {
		for _, purpose := range purposes {
			text := say(t, c, content(outbox.SMS, l.Tag(), purpose)).Text
			plain := !strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(gsm7, r) })
			length, limit := len([]rune(text)), 134
			if plain {
				limit = 160
			}
			if slices.Contains(inGSM7, l.Tag()) && !plain {
				t.Errorf("%s %s: not in the GSM alphabet: %s", l, purpose, text)
			}
			if length > limit {
				t.Errorf("%s %s: %d characters are more than %d: %s", l, purpose, length, limit, text)
			}
		}
	}
}

// shape is the elements of a page and the attributes they have, without any text.
func shape(t testing.TB, page string) string {
	t.Helper()
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			token := z.Token()
			token.Data = token.Type.String() + token.Data
			fmt.Fprintf(&b, "%s %v\n", token.Data, token.Attr)
		case html.CommentToken:
			b.WriteString("comment\n")
		}
	}
}

var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title><h1>`, `{{.Code}}`, `&lt;b&gt;`, "a\r\nBcc: x@evil.com",
	"a\n\n@evil.com #111111", "\u202egpj.exe", "evil.com", "http://evil.com/x?y=1", "Call +1 800 555 0199 now", "Z\u0300\u0301\u0302\u0303\u0304\u0305\u0306lgo",
	strings.Repeat("long ", 100), "\x00\x1b[31mred", "\u200b\u200c\u2060", "Ünïcödé & Söhne", "日本株式会社", "شركة المثال", "\xff\xfe", "\ue000\ue001",
}

func TestAdvisory_CVE_2024_41953_HostileNamesAreInert(t *testing.T) {
	c := composer(t)
	for _, l := range c.Catalogues.Languages() {
		for _, purpose := range purposes {
			honest := shape(t, say(t, c, content(outbox.Email, l.Tag(), purpose)).HTML)
			for _, name := range hostile {
				asked := content(outbox.Email, l.Tag(), purpose)
				asked.Application = name
				m := say(t, c, asked)
				if compose.Inert(name) != "" {
					if got := shape(t, m.HTML); got != honest {
						t.Errorf("%s %s: the name %q changes the page:\n%s", l, purpose, name, got)
					}
				}
				checkInert(t, m, name)
				asked.Channel = outbox.SMS
				checkInert(t, say(t, c, asked), name)
			}
		}
	}
}

// checkInert wants one line of subject, one bound line, at the end, and nothing that an app would make a link of.
func checkInert(t testing.TB, m outbox.Message, name string) {
	t.Helper()
	if strings.ContainsFunc(m.Subject, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' }) {
		t.Errorf("%q: subject %q has a control character", name, m.Subject)
	}
	lines := strings.Split(m.Text, "\n")
	for i, line := range lines {
		if last := i == len(lines)-1; strings.HasPrefix(line, "@") && (!last || line != "@login.contoso.com #482913") {
			t.Errorf("%q: line %q", name, line)
		}
	}
	if !strings.HasSuffix(m.Text, "\n\n@login.contoso.com #482913") {
		t.Errorf("%q: the text ends %q", name, lines[len(lines)-1])
	}
	for _, text := range []string{m.Subject, m.Text, m.HTML} {
		if strings.Contains(text, "evil.com") || strings.Contains(text, "http://") || strings.Contains(text, "0199") {
			t.Errorf("%q: a link or number is left in %q", name, text)
		}
	}
}

func FuzzApplicationName(f *testing.F) {
	for _, name := range hostile {
		f.Add(name)
	}
	c := composer(f)
	honest := shape(f, say(f, c, content(outbox.Email, "en", "sign_in")).HTML)
	f.Fuzz(func(t *testing.T, name string) {
		inert := compose.Inert(name)
		if len([]rune(inert)) > 200 || strings.ContainsAny(inert, "\r\n\x00") || strings.TrimSpace(inert) != inert {
			t.Errorf("%q became %q", name, inert)
		}
		if inert == "" {
			return
		}
		asked := content(outbox.Email, "en", "sign_in")
		asked.Application = name
		m := say(t, c, asked)
		if got := shape(t, m.HTML); got != honest {
			t.Errorf("the name %q changes the page:\n%s", name, got)
		}
		for _, text := range []string{m.Text, say(t, c, func() compose.Content { asked.Channel = outbox.SMS; return asked }()).Text} {
			if !strings.HasSuffix(text, "\n\n@login.contoso.com #482913") || strings.Count(text, "\n@") != 1 {
				t.Errorf("the name %q changes the bound line:\n%s", name, text)
			}
		}
	})
}

func BenchmarkMail(b *testing.B) {
	c := composer(b)
	asked := content(outbox.Email, "fr-FR", "sign_in")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Compose(asked); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleComposer_Compose() {
	catalogues, err := locale.Open()
	if err != nil {
		panic(err)
	}
	c := compose.Composer{Catalogues: catalogues}
	m, err := c.Compose(compose.Content{Channel: outbox.SMS, To: "+4930123456", Code: "482913", Application: "Contoso",
		Domain: "login.contoso.com", Purpose: "sign_in", Locale: "de-AT", Lifetime: 10 * time.Minute})
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Text)
	// Output:
	// 482913 ist Ihr Anmeldecode für Contoso. Geben Sie ihn an niemanden weiter.
	//
	// @login.contoso.com #482913
}
