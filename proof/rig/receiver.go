package rig

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
	"sync"
	"testing"
	"time"
)

const webhookKey = "a key of the webhook, 32 bytes.."

// posted is a webhook that carried a good signature.
type posted struct {
	ID   string `json:"-"`
	Type string
	Data struct{ ID, Channel, To, Text, Code, Language string }
}

// receiver takes signed webhooks over TLS and answers as it is told.
type receiver struct {
	server *httptest.Server
	folder string

	mu      sync.Mutex
	Answers []int // the next statuses; 200 when there are none
	got     []posted
	Refused []string
}

func StartReceiver(t testing.TB) *receiver {
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

// Settings make a server post to the receiver and trust its certificate as one of the system's.
func (r *receiver) Settings() Settings {
	return Settings{"webhook_url": r.server.URL + "/hook", "webhook_allow_private": "true", "SSL_CERT_FILE": r.authority(),
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
	p := posted{ID: id}
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.Get("Webhook-Signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) || err != nil || timeErr != nil ||
		age > 5*time.Minute || json.Unmarshal(body, &p) != nil {
		r.Refused = append(r.Refused, string(body))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.got = append(r.got, p)
	if len(r.Answers) > 0 {
		w.WriteHeader(r.Answers[0])
		r.Answers = r.Answers[1:]
		return
	}
	io.WriteString(w, `{"id":"text_`+strconv.Itoa(len(r.got))+`"}`)
}

func (r *receiver) Posts() []posted {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]posted(nil), r.got...)
}
