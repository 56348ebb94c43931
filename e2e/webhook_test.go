package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const webhookKey = "a key of the webhook, 32 bytes.."

// posted is a webhook that carried a good signature.
type posted struct {
	id   string
	Type string
	Data struct{ ID, Channel, To, Text, Code, Language string }
}

// receiver takes signed webhooks over TLS and answers as it is told.
type receiver struct {
	server *httptest.Server
	folder string

	mu      sync.Mutex
	answers []int // the next statuses; 200 when there are none
	got     []posted
	refused []string
}

func startReceiver(t testing.TB) *receiver {
	r := &receiver{folder: t.TempDir()}
	r.server = httptest.NewTLSServer(r)
	t.Cleanup(r.server.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.server.Certificate().Raw})
	if err := os.WriteFile(r.authority(), certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *receiver) authority() string { return filepath.Join(r.folder, "authority.pem") }

// settings make a server post to the receiver and trust its certificate as one of the system's.
func (r *receiver) settings() settings {
	return settings{"webhook_url": r.server.URL + "/hook", "webhook_allow_private": "true", "SSL_CERT_FILE": r.authority(),
		"webhook_secret": "whsec_" + base64.StdEncoding.EncodeToString([]byte(webhookKey))}
}

// ServeHTTP checks the signature as the Standard Webhooks specification says ("Verifying signatures").
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	h := request.Header
	id, at := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	mac := hmac.New(sha256.New, []byte(webhookKey))
	mac.Write([]byte(id + "." + at + "." + string(body)))
	seconds, timeErr := strconv.ParseInt(at, 10, 64)
	age := time.Since(time.Unix(seconds, 0)).Abs()
	p := posted{id: id}
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.Get("Webhook-Signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) || err != nil || timeErr != nil ||
		age > 5*time.Minute || json.Unmarshal(body, &p) != nil {
		r.refused = append(r.refused, string(body))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.got = append(r.got, p)
	if len(r.answers) > 0 {
		w.WriteHeader(r.answers[0])
		r.answers = r.answers[1:]
		return
	}
	io.WriteString(w, `{"id":"text_`+strconv.Itoa(len(r.got))+`"}`)
}

func (r *receiver) posts() []posted {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]posted(nil), r.got...)
}

func TestTextMessageGoesOutAsASignedWebhook(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		r := startReceiver(t)
		r.answers = []int{503}
		set := db.settings().with(r.settings())
		p := start(t, set)
		c := newClient(t, p, createKey(t, set, "Shop"))
		made := c.issue("+33 6 12 34 56 78", `,"locale":"fr","wait_ms":10000`)
		if made.Delivery.State != "accepted" || made.Delivery.Provider != "webhook" || made.Delivery.Attempts != 2 {
			t.Errorf("got %+v, want one that was accepted at the second try", made.Delivery)
		}
		posts := r.posts()
		if len(posts) != 2 || len(r.refused) != 0 {
			t.Fatalf("got %v and refused %v, want two tries with good signatures", posts, r.refused)
		}
		first, second := posts[0], posts[1]
		if first.id != second.id || first.id != first.Data.ID || first.Data != second.Data || first.Type != "passcode.send" {
			t.Errorf("got %+v and then %+v, want the same message under the same id", first, second)
		}
		if d := first.Data; d.To != "+33612345678" || d.Channel != "sms" || d.Language != "fr" || !strings.Contains(d.Text, d.Code) {
			t.Errorf("got %+v", d)
		}
		if v := c.verify(made.ID, first.Data.Code); !v.Verified {
			t.Errorf("the code of the text message: %+v", v)
		}
		p.stop()
	})
}
