package exam_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/otpost/otpost/internal/provider/nameserver"
	"github.com/otpost/otpost/internal/trustframework/vendors"
)

// web is the vendors' services that policies post to, and one of the policies' owner. Each is a host of example.com, which
// the certificate of httptest is for.
type web struct {
	port     string
	roots    *x509.CertPool
	resolver *net.Resolver

	mu sync.Mutex
	// took are the requests since they were read, with the credential's name instead of the credential.
	took []string
	// answers are those of the next calls of api.example.com.
	answers []answer
}

// answer is what a service answers.
type answer struct {
	status int
	body   string
}

func newWeb(t testing.TB) *web {
	t.Helper()
	w := &web{roots: x509.NewCertPool()}
	server := httptest.NewTLSServer(w)
	t.Cleanup(server.Close)
	w.roots.AddCert(server.Certificate())
	_, w.port, _ = net.SplitHostPort(server.Listener.Addr().String())
	zone := nameserver.Zone{}
	for host := range w.services() {
		zone[host] = []string{"A 127.0.0.1"}
	}
	w.resolver = zone.Start(t)
	return w
}

// keys are the policy keys.
var keys = map[string]string{"B2C_1A_SendGrid": "SG.key-0123456789", "B2C_1A_MailjetUser": "mj-user", "B2C_1A_MailjetKey": "mj-key-0123456789",
	"B2C_1A_Brevo": "xkeysib-0123456789", "B2C_1A_TwilioSid": vendors.Account, "B2C_1A_TwilioToken": "tw-token-0123456789"}

func (w *web) key(storage string) (string, bool) {
	text, ok := keys[storage]
	return text, ok
}

// service is a vendor with the key that it knows, or one that gives its answer to all.
type service struct {
	vendor vendors.Vendor
	key    vendors.Key
	answer answer
}

func (w *web) services() map[string]service {
	all := vendors.All()
	return map[string]service{
		"sendgrid.example.com": {vendor: all["SendGrid"], key: vendors.Key{Secret: keys["B2C_1A_SendGrid"]}},
		"mailjet.example.com":  {vendor: all["Mailjet"], key: vendors.Key{User: keys["B2C_1A_MailjetUser"], Secret: keys["B2C_1A_MailjetKey"]}},
		"brevo.example.com":    {vendor: all["Brevo"], key: vendors.Key{Secret: keys["B2C_1A_Brevo"]}},
		"twilio.example.com":   {vendor: all["Twilio"], key: vendors.Key{User: keys["B2C_1A_TwilioSid"], Secret: keys["B2C_1A_TwilioToken"]}},
		"api.example.com":      {},
		// That of the public packs takes everything; one of them waits for the status.
		"any.example.com": {answer: answer{http.StatusOK, `{"status":"approved"}`}},
	}
}

func (w *web) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	host, _, _ := net.SplitHostPort(r.Host)
	said := w.answer(host, r, body)
	w.mu.Lock()
	w.took = append(w.took, strings.TrimSpace(fmt.Sprintf("%s %s%s %s -> %d", r.Method, host, r.URL.RequestURI(), readable(r, body), said.status)))
	w.mu.Unlock()
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(said.status)
	_, _ = io.WriteString(out, said.body)
}

func (w *web) answer(host string, r *http.Request, body []byte) answer {
	s, known := w.services()[host]
	switch {
	case !known:
		return answer{http.StatusNotFound, `{}`}
	case s.vendor.Path != "":
		if _, err := s.vendor.Take(r, body, s.key); err != nil {
			return answer{http.StatusBadRequest, fmt.Sprintf(`{"message":%q}`, err)}
		}
		return answer{s.vendor.Status, s.vendor.Answer}
	case s.answer.status != 0:
		return s.answer
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.answers) == 0 {
		return answer{http.StatusOK, `{}`}
	}
	next := w.answers[0]
	w.answers = w.answers[1:]
	return next
}

func (w *web) next(a answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = append(w.answers, a)
}

// read are the requests since the last time.
func (w *web) read() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	took := w.took
	w.took = nil
	return took
}

// readable is a body in one line; a form's fields are in the order of their names.
func readable(r *http.Request, body []byte) string {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(body))
		text, _ := url.QueryUnescape(form.Encode())
		return text
	}
	var line bytes.Buffer
	if json.Compact(&line, body) == nil {
		return line.String()
	}
	return string(body)
}
