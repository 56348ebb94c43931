package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

const (
	functionAzureKey    = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
	functionSendgridKey = "SG.secret.secret"
)

// functionCase is one of the two sample Functions: its app settings, the service that it sends with, and the body that it
// would send (microsoft/authentication-events-function, Functions/OnOtpSend/CustomEmailACS.cs and CustomEmailSendGrid.cs).
type functionCase struct {
	environ []string
	kind    string
	service func(t *testing.T, r *http.Request, body []byte) (status int, answer string)
	refusal string
	sample  string
}

var functionCases = map[string]functionCase{
	"azure": {
		environ: []string{"mail_connectionString=endpoint=https://contoso.communication.azure.com/;accesskey=" + functionAzureKey,
			"mail_sender=code@example.org", "mail_subject=Your Contoso code"},
		kind:    "azure_communication_email",
		service: takeAsAzure,
		refusal: `{"error":{"code":"Denied","message":"Denied by the resource provider."}}`,
		sample: `{"senderAddress":"code@example.org","recipients":{"to":[{"address":"lea@example.net"}]},
			"content":{"subject":"Your Contoso code"}}`,
	},
	"sendgrid": {
		environ: []string{"mail_sendgridKey=" + functionSendgridKey, "mail_sender=code@example.org", "mail_senderName=Caf\u00e9 Contoso",
			"mail_template=d-0123456789abcdef0123456789abcdef"},
		kind:    "sendgrid",
		service: takeAsSendGrid,
		refusal: `{"errors":[{"message":"The provided authorization grant is invalid, expired, or revoked","field":null}]}`,
		sample: `{"personalizations":[{"to":[{"email":"lea@example.net"}],"dynamic_template_data":{"otp":"40718265"}}],
			"template_id":"d-0123456789abcdef0123456789abcdef","from":{"email":"code@example.org","name":"Caf\u00e9 Contoso"}}`,
	},
}

// takeAsAzure takes what Azure Communication Services takes: POST /emails:send, signed with the access key.
func takeAsAzure(t *testing.T, r *http.Request, body []byte) (int, string) {
	if r.Method == http.MethodGet { // what became of it
		return http.StatusOK, `{"id":"` + uuid.NewString() + `","status":"Succeeded"}`
	}
	key, err := base64.StdEncoding.DecodeString(functionAzureKey)
	if err != nil {
		t.Error(err)
	}
	sum := sha256.Sum256(body)
	hash := base64.StdEncoding.EncodeToString(sum[:])
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s\n%s\n%s;%s;%s", r.Method, r.URL.RequestURI(), r.Header.Get("x-ms-date"), r.Host, hash)
	want := "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if r.Header.Get("Authorization") != want || r.Header.Get("x-ms-content-sha256") != hash {
		return http.StatusUnauthorized, `{"error":{"code":"Denied","message":"The signature does not fit."}}`
	}
	if r.Method != http.MethodPost || r.URL.Path != "/emails:send" || r.URL.Query().Get("api-version") == "" {
		return http.StatusNotFound, `{"error":{"code":"NotFound","message":"Nothing is here."}}`
	}
	return http.StatusAccepted, `{"id":"` + r.Header.Get("Operation-Id") + `","status":"Running"}`
}

// takeAsSendGrid takes what SendGrid takes: POST /v3/mail/send with the key; a template or content, not both.
func takeAsSendGrid(_ *testing.T, r *http.Request, body []byte) (int, string) {
	if r.Header.Get("Authorization") != "Bearer "+functionSendgridKey {
		return http.StatusUnauthorized, `{"errors":[{"message":"The provided authorization grant is invalid","field":null}]}`
	}
	var mail struct {
		Content  []any  `json:"content"`
		Template string `json:"template_id"`
	}
	if json.Unmarshal(body, &mail) != nil || r.Method != http.MethodPost || r.URL.Path != "/v3/mail/send" || (mail.Template == "") == (len(mail.Content) == 0) {
		return http.StatusBadRequest, `{"errors":[{"message":"Bad Request","field":"content"}]}`
	}
	return http.StatusAccepted, ""
}

// vendorOf is the mail service behind a Function. It refuses what it would refuse, and everything while refusing is set.
type vendorOf struct {
	functionCase
	t *testing.T

	mu       sync.Mutex
	refusing bool
	taken    [][]byte
}

func (v *vendorOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Error(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	status, answer := v.service(v.t, r, body)
	if v.refusing {
		status, answer = http.StatusUnauthorized, v.refusal
	}
	if status == http.StatusAccepted {
		v.taken = append(v.taken, body)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, answer)
}

// takeOver starts a server that has a Function's settings, and leads its mail to a service of the test: the provider is
// the one that the settings mean, at another address.
func takeOver(t *testing.T, f functionCase) (*inProcess, *vendorOf) {
	t.Helper()
	loaded, err := config.Load(config.Sources{Path: "/dev/null", Environ: f.environ})
	if err != nil {
		t.Fatal(err)
	}
	p := startInProcess(t, func(c *config.Config) {
		c.FunctionConnectionString, c.FunctionSendGridKey = loaded.FunctionConnectionString, loaded.FunctionSendGridKey
		c.FunctionSender, c.FunctionSenderName = loaded.FunctionSender, loaded.FunctionSenderName
		c.FunctionSubject, c.FunctionTemplate = loaded.FunctionSubject, loaded.FunctionTemplate
	})
	now := p.registry.Current()
	way := now.Route(passcode.Destination{Channel: outbox.Email, To: "lea@example.net"})
	if kind := now.Providers()[environmentName].Name; kind != f.kind || len(way.Providers) == 0 || way.Providers[0] != environmentName {
		t.Fatalf("the provider %s is a %q and mail goes to %v", environmentName, kind, way.Providers)
	}
	v := &vendorOf{functionCase: f, t: t}
	service := httptest.NewTLSServer(v)
	t.Cleanup(service.Close)
	kind, values := functionProvider(p.settings)
	settings := map[string]any{"endpoint": service.URL, "allow_private": true,
		"root_ca": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: service.Certificate().Raw}))}
	for name, value := range maps.All(values) {
		settings[name] = value
	}
	provider, err := json.Marshal(map[string]any{"kind": kind, "settings": settings})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.registry.Apply(t.Context(), "test", []registry.Change{
		{Kind: registry.ProviderKind, Name: "function", Body: provider},
		{Kind: registry.RouteKind, Name: "function", Body: json.RawMessage(`{"channel":"email","providers":[{"provider":"function"}]}`)}})
	if err != nil {
		t.Fatal(err)
	}
	return p, v
}

// ask posts an event of Entra to where the Function answered.
func (v *vendorOf) ask(t *testing.T, p *inProcess) *httptest.ResponseRecorder {
	t.Helper()
	return p.do(p.entra(t, "/api/{function}", "lea@example.net", "40718265"))
}

// TestOtpostSendsWhatTheFunctionSent compares the request to the mail service with the sample's, member by member.
func TestOtpostSendsWhatTheFunctionSent(t *testing.T) {
	for name, f := range functionCases {
		t.Run(name, func(t *testing.T) {
			p, v := takeOver(t, f)
			if w := v.ask(t, p); w.Code != http.StatusOK || w.Body.String() != extension.Continue {
				t.Fatalf("Entra is told %d %s", w.Code, w.Body)
			}
			if len(v.taken) != 1 {
				t.Fatalf("the service took %d mails", len(v.taken))
			}
			var sent, sample any
			if err := json.Unmarshal(v.taken[0], &sent); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(f.sample), &sample); err != nil {
				t.Fatal(err)
			}
			if missing := missingFrom(sent, sample, "body"); missing != "" {
				t.Errorf("%s is not as the Function sends it: %s", missing, v.taken[0])
			}
			if !bytes.Contains(v.taken[0], []byte("40718265")) {
				t.Errorf("the code is not in %s", v.taken[0])
			}
		})
	}
}

// missingFrom names the first member of a sample that a body has not, or has with another value; empty when there is none.
func missingFrom(body, sample any, place string) string {
	switch sample := sample.(type) {
	case map[string]any:
		object, _ := body.(map[string]any)
		for name, value := range sample {
			if missing := missingFrom(object[name], value, place+"."+name); missing != "" {
				return missing
			}
		}
		return ""
	case []any:
		list, _ := body.([]any)
		if len(list) != len(sample) {
			return place
		}
		for i, value := range sample {
			if missing := missingFrom(list[i], value, fmt.Sprintf("%s[%d]", place, i)); missing != "" {
				return missing
			}
		}
		return ""
	}
	if !reflect.DeepEqual(body, sample) {
		return place
	}
	return ""
}

// TestOtpostSaysSoWhenTheServiceRefuses: the samples answer 200 whatever the mail service says, so Entra's fallback never
// comes.
func TestOtpostSaysSoWhenTheServiceRefuses(t *testing.T) {
	for name, f := range functionCases {
		t.Run(name, func(t *testing.T) {
			p, v := takeOver(t, f)
			v.refusing = true
			w := v.ask(t, p)
			if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"code":"not_sent"`) {
				t.Errorf("Entra is told %d %s", w.Code, w.Body)
			}
			if len(v.taken) != 0 {
				t.Errorf("the service took %d mails", len(v.taken))
			}
		})
	}
}

// TestAFunctionsMailIsOtpostsWithoutItsTemplate has the subject of the settings, and the code in text and HTML.
func TestAFunctionsMailIsOtpostsWithoutItsTemplate(t *testing.T) {
	f := functionCases["sendgrid"]
	f.environ = append(f.environ[:3:3], "mail_subject=Your Contoso code")
	p, v := takeOver(t, f)
	if w := v.ask(t, p); w.Code != http.StatusOK {
		t.Fatalf("Entra is told %d %s", w.Code, w.Body)
	}
	var mail struct {
		Subject string
		Content []struct{ Type, Value string }
	}
	if err := json.Unmarshal(v.taken[0], &mail); err != nil || mail.Subject != "Your Contoso code" || len(mail.Content) != 2 {
		t.Fatalf("%v: %s", err, v.taken[0])
	}
	for _, part := range mail.Content {
		if !strings.Contains(part.Value, "40718265") {
			t.Errorf("the code is not in the %s", part.Type)
		}
	}
}
