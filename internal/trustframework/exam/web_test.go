package exam_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/otpost/otpost/internal/provider/nameserver"
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
	"B2C_1A_Brevo": "xkeysib-0123456789", "B2C_1A_TwilioSid": "AC01234567890123456789012345678901", "B2C_1A_TwilioToken": "tw-token-0123456789"}

func (w *web) key(storage string) (string, bool) {
	text, ok := keys[storage]
	return text, ok
}

// service is one vendor: the path that it has, what it refuses, and what it answers.
type service struct {
	path    string
	refuses func(r *http.Request, body []byte) error
	answer  answer
}

func (w *web) services() map[string]service {
	return map[string]service{
		"sendgrid.example.com": {"/v3/mail/send", sendGrid, answer{http.StatusAccepted, ""}},
		"mailjet.example.com":  {"/v3.1/send", mailjet, answer{http.StatusOK, `{"Messages":[{"Status":"success"}]}`}},
		"brevo.example.com":    {"/v3/smtp/email", brevo, answer{http.StatusCreated, `{"messageId":"<1@brevo.example.com>"}`}},
		"twilio.example.com":   {"/2010-04-01/Accounts/" + keys["B2C_1A_TwilioSid"] + "/Messages.json", twilio, answer{http.StatusCreated, `{"sid":"SM1"}`}},
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
	if !known || s.path != "" && (r.URL.Path != s.path || r.Method != http.MethodPost) {
		return answer{http.StatusNotFound, `{}`}
	}
	if s.refuses != nil {
		if err := s.refuses(r, body); err != nil {
			return answer{http.StatusBadRequest, fmt.Sprintf(`{"message":%q}`, err)}
		}
		return s.answer
	}
	if s.answer.status != 0 {
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

// strict reads JSON, and refuses members that the type does not have.
func strict(r *http.Request, body []byte, into any) error {
	if r.Header.Get("Content-Type") != "application/json" {
		return errors.New("content type")
	}
	in := json.NewDecoder(bytes.NewReader(body))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		return err
	}
	if in.More() {
		return errors.New("more than one value")
	}
	return nil
}

var isCode = regexp.MustCompile(`^[0-9]{6}$`)

// sendGrid is POST /v3/mail/send with a dynamic template.
func sendGrid(r *http.Request, body []byte) error {
	var mail struct {
		Personalizations []struct {
			To   []struct{ Email string } `json:"to"`
			Data map[string]string        `json:"dynamic_template_data"`
		} `json:"personalizations"`
		Template string                 `json:"template_id"`
		From     struct{ Email string } `json:"from"`
	}
	err := strict(r, body, &mail)
	switch {
	case err != nil:
		return err
	case r.Header.Get("Authorization") != "Bearer "+keys["B2C_1A_SendGrid"]:
		return errors.New("the provided authorization grant is invalid")
	case len(mail.Personalizations) != 1 || len(mail.Personalizations[0].To) != 1 || !strings.Contains(mail.Personalizations[0].To[0].Email, "@"):
		return errors.New("personalizations")
	case mail.From.Email == "" || !regexp.MustCompile(`^d-[0-9a-f]{32}$`).MatchString(mail.Template) || !isCode.MatchString(mail.Personalizations[0].Data["otp"]):
		return errors.New("from, template_id or otp")
	}
	return nil
}

// mailjet is POST /v3.1/send with a template.
func mailjet(r *http.Request, body []byte) error {
	type address struct{ Email, Name string }
	var mail struct {
		Messages []struct {
			From             address
			To               []address
			Subject          string
			TemplateID       int
			TemplateLanguage bool
			Variables        map[string]string
		}
	}
	if err := strict(r, body, &mail); err != nil {
		return err
	}
	if user, password, _ := r.BasicAuth(); user != keys["B2C_1A_MailjetUser"] || password != keys["B2C_1A_MailjetKey"] {
		return errors.New("mj-0015")
	}
	if len(mail.Messages) != 1 {
		return errors.New("mj-0007")
	}
	m := mail.Messages[0]
	if len(m.To) != 1 || !strings.Contains(m.To[0].Email, "@") || m.From.Email == "" || m.TemplateID == 0 || !m.TemplateLanguage || !isCode.MatchString(m.Variables["otp"]) {
		return errors.New("mj-0013")
	}
	return nil
}

// brevo is POST /v3/smtp/email with a template.
func brevo(r *http.Request, body []byte) error {
	var mail struct {
		To         []struct{ Email string } `json:"to"`
		Params     map[string]string        `json:"params"`
		TemplateID int                      `json:"templateId"`
	}
	err := strict(r, body, &mail)
	switch {
	case err != nil:
		return err
	case r.Header.Get("api-key") != keys["B2C_1A_Brevo"] || r.Header.Get("Authorization") != "":
		return errors.New("unauthorized")
	case len(mail.To) != 1 || !strings.Contains(mail.To[0].Email, "@") || mail.TemplateID < 1 || !isCode.MatchString(mail.Params["OTP"]):
		return errors.New("missing_parameter")
	}
	return nil
}

// twilio is POST …/Messages.json.
func twilio(r *http.Request, body []byte) error {
	form, err := url.ParseQuery(string(body))
	user, password, _ := r.BasicAuth()
	switch {
	case err != nil:
		return err
	case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
		return errors.New("content type")
	case user != keys["B2C_1A_TwilioSid"] || password != keys["B2C_1A_TwilioToken"]:
		return errors.New("20003")
	case len(form) != 3 || !regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`).MatchString(form.Get("To")):
		return errors.New("21211")
	case form.Get("From") == "" || form.Get("Body") == "":
		return errors.New("21602")
	}
	return nil
}
