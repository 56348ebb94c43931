package silence_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/otpost/otpost/proof/rig"
)

// Providers like to repeat what they were sent, in refusals and in good answers. A recipient's name, up to the first
// dot, says what the provider makes of the message.

// refuseRecipient is the mail server's answer to RCPT.
func refuseRecipient(to string) error {
	switch behaviour(to) {
	case "unknown":
		return reply(550, 5, 1, 1, "<"+to+">: "+to+" is unknown here")
	case "full":
		return reply(452, 4, 2, 2, to+" is over quota")
	case "login":
		return reply(530, 5, 7, 0, "log in before you write to "+to)
	}
	return nil
}

// repeat makes the mail server's answers to whole messages, and notes every code that comes along.
func (l *ledger) repeat() func(m rig.Message) error {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(m rig.Message) error {
		if strings.Contains(m.To, ".policy.") {
			l.brief(m.To, m.Code)
		} else {
			l.code(m.Code)
		}
		mu.Lock()
		before := seen[m.To]
		seen[m.To] = true
		mu.Unlock()
		subject := m.Code + " is your Shop code"
		switch behaviour(m.To) {
		case "spam":
			return reply(554, 5, 7, 1, fmt.Sprintf("to %s: %q looks like spam (%s, %s)", m.To, subject, m.Code, strings.ToLower(m.Code)))
		case "quota":
			return reply(452, 4, 3, 1, "no room for Subject: "+subject)
		case "account":
			return reply(550, 5, 7, 26, subject+" is not signed")
		case "later":
			if !before {
				return reply(451, 4, 7, 1, "try again: "+subject)
			}
		case "named":
			return reply(250, 2, 0, 0, "Ok: id="+m.Code)
		case "queued":
			return reply(250, 2, 0, 0, "Ok: queued as "+strings.ToLower(m.Code)+"-1")
		case "thanks":
			return reply(250, 2, 0, 0, "OK "+subject)
		}
		return nil
	}
}

func reply(code, class, subject, detail int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: text}
}

func behaviour(to string) string {
	name, _, _ := strings.Cut(to, ".")
	return name
}

// hook is a receiver of webhooks that answers with what it was sent. The last digits of the number say the status; after
// 200 come the ways to name the message by its code.
type hook struct {
	*ledger
	*httptest.Server
	folder string

	mu  sync.Mutex
	got map[string]string
}

func startHook(t testing.TB, l *ledger) *hook {
	t.Helper()
	h := &hook{ledger: l, folder: t.TempDir(), got: map[string]string{}}
	h.Server = httptest.NewTLSServer(h)
	t.Cleanup(h.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(h.folder, "authority.pem"), certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hook) settings() rig.Settings {
	return rig.Settings{"webhook_url": h.URL + "/hook", "webhook_allow_private": "true",
		"SSL_CERT_FILE":  filepath.Join(h.folder, "authority.pem"),
		"webhook_secret": "whsec_" + base64.StdEncoding.EncodeToString([]byte("a key of the webhook, 32 bytes.."))}
}

// statuses are what the receiver answers, by the last three digits of the number.
var statuses = []int{200, 201, 202, 400, 401, 402, 403, 404, 410, 413, 422, 429, 500, 503}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var event struct{ Data struct{ To, Code string } }
	if err != nil || json.Unmarshal(body, &event) != nil || event.Data.Code == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	to, code := event.Data.To, event.Data.Code
	if len(code) == 6 { // a policy's text message
		h.brief(to, code)
	} else {
		h.code(code)
	}
	h.mu.Lock()
	h.got[to] = code
	h.mu.Unlock()
	status := 500
	fmt.Sscanf(to[len(to)-3:], "%d", &status)
	w.Header().Set("X-Error", code)
	w.Header().Set("Retry-After", code)
	w.WriteHeader(status)
	switch status {
	case 200:
		fmt.Fprintf(w, `{"id":%q}`, code)
	case 201:
		fmt.Fprintf(w, `{"id":"text %s of today"}`, strings.ToLower(code))
	default:
		w.Write(body)
	}
}
