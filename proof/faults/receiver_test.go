package faults_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

const signingKey = "the key of the misbehaving hook."

// receiver takes signed webhooks over TLS, byte by byte as its plan says.
type receiver struct {
	*door
	plan
	truth *truth
	certs *certificates
}

func startReceiver(t testing.TB, w *truth, certs *certificates) *receiver {
	r := &receiver{truth: w, certs: certs}
	r.door = openDoor(t, r.talk)
	return r
}

// settings make otpost post text messages here, and keep it from reading the system's own authorities, which takes long
// on a busy machine.
func (r *receiver) settings() rig.Settings {
	return rig.Settings{"webhook_url": "https://" + r.addr + "/hook", "webhook_allow_private": "true",
		"SSL_CERT_FILE":  r.certs.authority,
		"SSL_CERT_DIR":   filepath.Join(filepath.Dir(r.certs.authority), "none"),
		"webhook_secret": "whsec_" + base64.StdEncoding.EncodeToString([]byte(signingKey))}
}

// posted is a webhook as far as the proof cares.
type posted struct {
	Data struct{ ID, To, Code string }
}

// hookTalk is one connection.
type hookTalk struct {
	*receiver
	*line
	row *row
}

func (r *receiver) talk(c *line) {
	k := &hookTalk{receiver: r, line: c, row: r.ofConnection()}
	well := func(*line) bool { return true }
	if !k.step("connect", "", well) || !k.step("TLS", "", well) {
		return
	}
	if !c.begun {
		c.secure(r.certs.good)
	}
	for k.request() {
	}
}

func (k *hookTalk) step(name, whom string, usual act) bool {
	if k.row == nil || k.row.at != name {
		return usual(k.line)
	}
	k.truth.acted(k.row, whom)
	return k.row.do(k.line)
}

// request takes one request and answers it; it reports whether another may follow.
func (k *hookTalk) request() bool {
	r, err := http.ReadRequest(k.r)
	if err != nil || k.leaving.Load() {
		return false
	}
	if r.URL.Path != "/hook" {
		k.truth.complain("a redirect was followed to " + r.URL.Path)
		return false
	}
	id := r.Header.Get("Webhook-Id")
	if !k.step("headers", id, func(*line) bool { return true }) {
		return false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	p, ok := k.open(r.Header, body)
	if !ok {
		return false
	}
	k.messages++
	k.to, k.code = p.Data.To, p.Data.Code
	k.truth.saw(k.code)
	early := k.row != nil && k.row.at == "headers"
	if k.row == nil {
		k.row = k.ofMessage(p.Data.To, k.messages > 1)
	}
	if k.row == nil || k.row.takes || k.row.at != "answer" && !early {
		k.truth.take(id, p.Data.To, p.Data.Code)
	}
	goesOn := early || k.step("answer", p.Data.To, reply("200 OK", `{"id":"ref_1"}`))
	k.row = nil
	return goesOn
}

// open checks the signature as the Standard Webhooks specification says, and that header and body name one message.
func (k *hookTalk) open(h http.Header, body []byte) (p posted, ok bool) {
	id := h.Get("Webhook-Id")
	mac := hmac.New(sha256.New, []byte(signingKey))
	mac.Write([]byte(id + "." + h.Get("Webhook-Timestamp") + "." + string(body)))
	if h.Get("Webhook-Signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		k.truth.complain("a webhook with a bad signature")
		return p, false
	}
	if err := json.Unmarshal(body, &p); err != nil || p.Data.ID != id || p.Data.Code == "" {
		k.truth.complain("a webhook that cannot be read")
		return p, false
	}
	return p, true
}
