package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/otpost/otpost/proof/rig"

	"github.com/otpost/otpost/e2e/mailserver"
	"github.com/otpost/otpost/internal/extension"
)

// throughMailServer names a real mail server to otpost, with STARTTLS and a login.
func throughMailServer(t testing.TB, m *mailserver.Server) rig.Settings {
	t.Helper()
	authority := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, []byte(m.CA), 0o600); err != nil {
		t.Fatal(err)
	}
	u := url.URL{Scheme: "smtp", User: url.UserPassword(m.User, m.Password), Host: m.Addr,
		RawQuery: url.Values{"tls": {"starttls"}, "root_ca": {authority}}.Encode()}
	return rig.Settings{"mail_url": u.String(), "mail_from": "Shop <codes@example.test>"}
}

// letter is a mail as a person sees it.
type letter struct {
	header     mail.Header
	subject    string
	text, html string
}

// read takes a mail with a text and an HTML part apart.
func read(t testing.TB, m *mail.Message) letter {
	t.Helper()
	l := letter{header: m.Header}
	var err error
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("got content type %q, %v", m.Header.Get("Content-Type"), err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return l
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = part
		if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		switch kind := part.Header.Get("Content-Type"); {
		case strings.HasPrefix(kind, "text/plain"):
			l.text = string(text)
		case strings.HasPrefix(kind, "text/html"):
			l.html = string(text)
		}
	}
}

// standalone is a code alone on its line.
var standalone = regexp.MustCompile(`(?m)^([0-9]{6})$`)

func (l letter) code(t testing.TB) string {
	t.Helper()
	match := standalone.FindStringSubmatch(l.text)
	if match == nil {
		t.Fatalf("no code in %q", l.text)
	}
	return match[1]
}

func TestEntraEventBecomesAMail(t *testing.T) {
	post := mailserver.Start(t)
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		who := rig.NewIssuer(t)
		set := db.Settings().With(who.Settings(), throughMailServer(t, post), rig.Settings{"entra_budget": "10s"})
		p := rig.Start(t, set)
		tests := []struct{ locale, code, subject, says, language string }{
			{"fr-fr", "40718265", "40718265 est votre code de vérification Atelier", "Créez votre compte Atelier", "fr"},
			{"de-at", "90218834", "90218834 ist Ihr Bestätigungscode für Atelier", "Konto bei Atelier erstellen", "de"},
			{"xx-xx", "11223344", "11223344 is your Atelier code", "", "en"},
		}
		for _, test := range tests {
			t.Run(test.locale, func(t *testing.T) {
				to := fmt.Sprintf("lea-%s-%s@example.org", test.language, db.Kind())
				got, err := p.Post(rig.Event(to, test.code, test.locale), who.Token(extension.Grant{}))
				if err != nil {
					t.Fatal(err)
				}
				if got.Status != 200 || string(got.Body) != rig.Continued || got.Header.Get("Content-Type") != "application/json" {
					t.Fatalf("got %v %v, want exactly what Entra takes for sent", got, got.Header)
				}
				l := read(t, post.Wait(t, to, 1)[0])
				if l.subject != test.subject || !strings.Contains(l.text, test.says) {
					t.Errorf("got subject %q and text %q, want %q and %q", l.subject, l.text, test.subject, test.says)
				}
				if !strings.Contains(l.text, "\n"+test.code+"\n") || !strings.Contains(l.html, test.code) ||
					!strings.Contains(l.html, `lang="`+test.language+`"`) {
					t.Errorf("the code or the language is missing in\n%s\n%s", l.text, l.html)
				}
				checkHeaders(t, l.header, to, test.language)
			})
		}
		p.Stop()
	})
}

// checkHeaders wants the headers of an automatic mail that came over TLS after a login.
func checkHeaders(t testing.TB, h mail.Header, to, language string) {
	t.Helper()
	for name, want := range map[string]string{
		"From": `"Shop" <codes@example.test>`, "To": "<" + to + ">", "Return-Path": "<codes@example.test>",
		"Auto-Submitted": "auto-generated", "Content-Language": language, "Envelope-To": to, "Mime-Version": "1.0",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
	if id := h.Get("Message-Id"); !strings.HasPrefix(id, "<dl_") || !strings.HasSuffix(id, "@example.test>") {
		t.Errorf("got Message-ID %q, want the delivery's id", id)
	}
	if received := h.Get("Received"); !strings.Contains(received, "esmtpsa") {
		t.Errorf("got Received %q, want one over TLS after a login", received)
	}
	if _, err := h.Date(); err != nil {
		t.Error(err)
	}
}

func TestPasscodeOverRESTIsMailedAndVerified(t *testing.T) {
	post := mailserver.Start(t)
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		set := db.Settings().With(throughMailServer(t, post), rig.Settings{"resend_interval": "0s"})
		p := rig.Start(t, set)
		c := rig.NewClient(t, p, rig.CreateKey(t, set, "Shop"))
		to := "ada-" + db.Kind() + "@example.test"
		made := c.IssueAndWait(to, `,"locale":"es","purpose":"sign_in"`)
		if made.Delivery.State != "accepted" || made.Delivery.Provider != "environment" || made.Status != "pending" {
			t.Errorf("got %+v, want a delivery that the mail server accepted", made)
		}
		first := read(t, post.Wait(t, to, 1)[0])
		checkHeaders(t, first.header, to, "es")
		code := first.code(t)

		again := c.ResendAndWait(made.ID)
		second := read(t, post.Wait(t, to, 2)[1])
		if again.ID != made.ID || again.Delivery.State != "accepted" || second.code(t) != code ||
			second.header.Get("Message-Id") == first.header.Get("Message-Id") {
			t.Errorf("got %+v and %q, want the same code in a message of its own", again, second.subject)
		}
		if v := c.Verify(made.ID, rig.Other(code, 1)); v.Verified || v.Reason != "wrong_code" || v.AttemptsLeft != 4 {
			t.Errorf("a wrong code: %+v", v)
		}
		if v := c.Verify(made.ID, code); !v.Verified || v.Status != "verified" || v.Reason != "" {
			t.Errorf("the right code: %+v", v)
		}
		if v := c.Verify(made.ID, code); v.Verified || v.Reason != "used" {
			t.Errorf("the right code again: %+v", v)
		}
		p.Stop()
	})
}

func TestUnknownMailboxIsKnownUnsent(t *testing.T) {
	post := mailserver.Start(t)
	db := rig.NewSQLite(t)
	set := db.Settings().With(throughMailServer(t, post))
	p := rig.Start(t, set)
	c := rig.NewClient(t, p, rig.CreateKey(t, set, "Shop"))
	made := c.IssueAndWait(mailserver.UnknownUser+"@example.test", "")
	if made.Delivery.State != "failed" || made.Delivery.Attempts != 1 {
		t.Errorf("got %+v, want a delivery that failed at its first try", made.Delivery)
	}
	type history struct {
		Timeline []struct {
			Event, Class string
			Code         string `json:"provider_code"`
		}
	}
	line := rig.Call[history](c, "GET", "/v1/passcodes/"+made.ID, "", 200).Timeline
	if last := line[len(line)-1]; last.Event != "failed" {
		t.Errorf("the timeline ends with %+v, want failed", last)
	}
	if refused := line[len(line)-2]; refused.Class != "invalid_recipient" || refused.Code != "550 5.1.1" {
		t.Errorf("got %+v, want the mail server's 550 5.1.1", refused)
	}
	p.Stop()
}
