package rig

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/otpost/otpost/internal/extension"
)

const (
	EntraTenant   = "3d9a6b10-4c1e-4f0a-9a63-52f1b7c0e4aa"
	entraAudience = "8f2c5d34-7b60-4c9e-8b1d-1f0e9d7a66bb"
)

// Issuer is a token service: it signs tokens, and serves its metadata and keys over HTTP.
type Issuer struct {
	*extension.Issuer
	t   testing.TB
	url string
	key *rsa.PrivateKey
}

func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &Issuer{t: t, key: key}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { i.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	i.url = server.URL
	if i.Issuer, err = extension.NewIssuer(server.URL, EntraTenant, key, nil); err != nil {
		t.Fatal(err)
	}
	return i
}

// Settings make a server trust the issuer.
func (i *Issuer) Settings() Settings {
	return Settings{"entra_issuers": i.Name(extension.V2) + "=" + i.Metadata(extension.V2), "entra_audience": entraAudience}
}

func (i *Issuer) Token(g extension.Grant) string {
	i.t.Helper()
	if g.Audience == "" {
		g.Audience = entraAudience
	}
	token, err := i.Mint(g)
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}

// Expired is a token that was good until a while ago.
func (i *Issuer) Expired() string {
	i.t.Helper()
	then, err := extension.NewIssuer(i.url, EntraTenant, i.key, func() time.Time { return time.Now().Add(-2 * time.Hour) })
	if err != nil {
		i.t.Fatal(err)
	}
	token, err := then.Mint(extension.Grant{Audience: entraAudience, Lifetime: time.Hour})
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}

// Event is an OnOtpSend event as the reference page of Entra shows it (custom-extension-email-otp-send-data).
func Event(identifier, code, locale string) string {
	return strings.NewReplacer("{tenant}", EntraTenant, "{identifier}", identifier, "{code}", code, "{locale}", locale,
		"{correlation}", uuid.NewString()).Replace(`{
  "type": "microsoft.graph.authenticationEvent.emailOtpSend",
  "source": "/tenants/{tenant}/applications/5d1e7c22-90ab-4e4f-8d0b-2b6c0f3f11cc",
  "data": {
    "@odata.type": "microsoft.graph.onOtpSendCalloutData",
    "otpContext": { "identifier": "{identifier}", "oneTimeCode": "{code}" },
    "tenantId": "{tenant}",
    "authenticationEventListenerId": "1a5f0c7e-6a3b-4c1d-9e2f-7b8c9d0e1f01",
    "customAuthenticationExtensionId": "2b6a1d8f-7b4c-4d2e-8f30-8c9d0e1f2a02",
    "authenticationContext": {
      "correlationId": "{correlation}",
      "client": { "ip": "198.51.100.24", "locale": "{locale}", "market": "{locale}" },
      "protocol": "OAUTH2.0",
      "requestType": "signUp",
      "clientServicePrincipal": {
        "id": "6e2f8d33-a1bc-4f50-9e1c-3c7d104022dd", "appId": "5d1e7c22-90ab-4e4f-8d0b-2b6c0f3f11cc",
        "appDisplayName": "Atelier", "displayName": "Atelier"
      },
      "resourceServicePrincipal": {
        "id": "6e2f8d33-a1bc-4f50-9e1c-3c7d104022dd", "appId": "5d1e7c22-90ab-4e4f-8d0b-2b6c0f3f11cc",
        "appDisplayName": "Atelier", "displayName": "Atelier"
      }
    }
  }
}`)
}

// Continued is the one answer that Entra takes for "sent".
const Continued = `{"data":{"@odata.type":"microsoft.graph.OnOtpSendResponseData","actions":[{"@odata.type":"microsoft.graph.OtpSend.continueWithDefaultBehavior"}]}}`

// Post sends an event with a token, as Entra does.
func (p *Server) Post(body, token string) (Answer, error) {
	r, err := http.NewRequest("POST", "http://"+p.Public+"/entra/otp-send", strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return (&Client{HTTP: &http.Client{Timeout: Patience}}).Do(r)
}

// Emulated is what the emulator says of one event.
type Emulated struct {
	To, Code, Outcome string
	Attempts          []struct {
		Number, Status int
		ErrorCode      int `json:"error_code"`
	}
}

// readEmulated reads the emulator's account of one event.
func readEmulated(account []byte) (e Emulated, err error) {
	first, _, _ := bytes.Cut(account, []byte("\n"))
	err = json.Unmarshal(first, &e)
	return e, err
}
