package provider_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

const (
	azureKey        = "bG9jYWwtdGVzdC1rZXktMDEyMzQ1Njc4OWFiY2RlZiEh"
	azureConnection = "endpoint=https://otp-test.communication.azure.com/;accesskey=" + azureKey
)

// The first vector was computed with Python's hmac from the words of Microsoft's page on signing; the others are what
// @azure/communication-email 1.1.0 and @azure/communication-sms 1.1.0 sent with this key, at this time, for these bodies.
func TestAzureSignatureVectors(t *testing.T) {
	for _, v := range []struct {
		name, method, path, body, hash, signature string
		at                                        time.Time
	}{
		{"by hand", "POST", "/emails:send?api-version=2025-09-01", `{"senderAddress":"DoNotReply@id.example.org"}`,
			"e0oiCQRKZg7GYcu4OxyODzDGg1Wc3g/P9oybohLZcYQ=", "UZfaagRzW6z3j4UyVe/8f8wyfgLbnc0FxH1F89EQiSk=",
			time.Date(2025, 9, 2, 10, 15, 0, 0, time.UTC)},
		{"email", "POST", "/emails:send?api-version=2025-09-01",
			`{"senderAddress":"codes@id.example.org","content":{"subject":"s","plainText":"t ` + "\u00e9" + `"},"recipients":{"to":[{"address":"ana@example.net"}]}}`,
			"qoSD0pJIm9Lwc0D7t6UIAv/k8y2kuioksJmizlGLGmU=", "T0VL3/7/yvNfDJwzwglG55RqUEo6hiXEwyNl5NwJkg0=", examNow},
		{"operation", "GET", "/emails/operations/1?api-version=2025-09-01", "",
			"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "0+cUJoN/3wjqOPpKQ+Z7ZrS12Yrxl/a5O1PFBPW6X/o=", examNow},
		{"sms", "POST", "/sms?api-version=2021-03-07",
			`{"from":"+18335550100","smsRecipients":[{"to":"+34600111222","repeatabilityRequestId":"f7f898db-b52f-4edb-8ce5-6e8cd932a2cc","repeatabilityFirstSent":"Sun, 22 Nov 2026 10:00:00 GMT"}],"message":"482913 is your code","smsSendOptions":{"enableDeliveryReport":true,"tag":"dl_1"}}`,
			"vp/p4NLIMxbVuM2O76ka6hY7QUpNcYXK/85l+Z1/QdI=", "1jtBS5kKt/sXZTQFv40IUW9auc8xzBHWBotvavVWKzc=", examNow},
	} {
		h, err := provider.SignAzure(azureConnection, v.method, v.path, []byte(v.body), v.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Get("x-ms-date"); got != v.at.Format(http.TimeFormat) {
			t.Errorf("%s: date %q", v.name, got)
		}
		if got := h.Get("x-ms-content-sha256"); got != v.hash {
			t.Errorf("%s: hash %q, want %q", v.name, got, v.hash)
		}
		if got, want := h.Get("Authorization"), "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="+v.signature; got != want {
			t.Errorf("%s: got  %s\nwant %s", v.name, got, want)
		}
	}
}

// azureSigned refuses a request that is not signed over what arrived.
func azureSigned(r *http.Request, body []byte) error {
	date := r.Header.Get("x-ms-date")
	if at, err := http.ParseTime(date); err != nil || !at.Equal(examNow) {
		return errors.New("x-ms-date is not the time")
	}
	sum := sha256.Sum256(body)
	hash := base64.StdEncoding.EncodeToString(sum[:])
	if r.Header.Get("x-ms-content-sha256") != hash {
		return errors.New("x-ms-content-sha256 is not the hash of the body")
	}
	key, _ := base64.StdEncoding.DecodeString(azureKey)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.Method + "\n" + r.RequestURI + "\n" + date + ";" + r.Host + ";" + hash))
	want := "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if r.Header.Get("Authorization") != want {
		return errors.New("Denied: the signature is wrong")
	}
	return nil
}

func TestAzureAccessHasOneOfTwoShapes(t *testing.T) {
	const client = "5e2b0c1a-1f7c-4d0e-9a53-0c7f3e2d1b4a"
	entra := map[string]string{"endpoint": "https://otp-test.communication.azure.com", "tenant_id": "contoso.example", "client_id": client, "client_secret": "s3cretValue"}
	change := func(from map[string]string, name, value string) map[string]string {
		to := maps.Clone(from)
		to[name] = value
		return to
	}
	for _, test := range []struct {
		name     string
		settings map[string]string
		want     string // empty: it opens
	}{
		{"connection string", map[string]string{"connection_string": azureConnection}, ""},
		{"other case and order", map[string]string{"connection_string": "AccessKey=" + azureKey + "; Endpoint=https://otp-test.communication.azure.com;"}, ""},
		{"endpoint without its name", map[string]string{"connection_string": "https://otp-test.communication.azure.com/;accesskey=" + azureKey}, ""},
		{"entra", entra, ""},
		{"nothing", nil, "connection_string is missing; or set endpoint, tenant_id"},
		{"endpoint alone", map[string]string{"endpoint": entra["endpoint"]}, "connection_string is missing"},
		{"both", change(entra, "connection_string", azureConnection), "are both set"},
		{"half of one", map[string]string{"connection_string": azureConnection, "client_secret": "s3cretValue"}, "are both set"},
		{"no endpoint", change(entra, "endpoint", ""), "setting endpoint is missing"},
		{"no tenant", change(entra, "tenant_id", ""), "setting tenant_id is missing"},
		{"no client", change(entra, "client_id", ""), "setting client_id is missing"},
		{"no secret", change(entra, "client_secret", ""), "setting client_secret is missing"},
		{"tenant of nobody", change(entra, "tenant_id", "common"), "is not one tenant"},
		{"tenant with a path", change(entra, "tenant_id", "a/../b"), "setting tenant_id: want"},
		{"client name", change(entra, "client_id", "My app"), "setting client_id: want"},
		{"authority in clear", change(entra, "authority", "http://login.example.org"), "setting authority"},
		{"authority inside", change(entra, "authority", "https://10.0.0.1"), "setting authority"},
		{"key alone", map[string]string{"connection_string": "accesskey=" + azureKey}, "endpoint=https://... is missing"},
		{"no key", map[string]string{"connection_string": "endpoint=https://otp-test.communication.azure.com/"}, "accesskey=... is missing"},
		{"key cut short", map[string]string{"connection_string": azureConnection[:len(azureConnection)-3]}, "not base64"},
		{"bare key", map[string]string{"connection_string": azureKey}, "want endpoint="},
		{"endpoint in clear", map[string]string{"connection_string": "endpoint=http://otp-test.communication.azure.com/;accesskey=" + azureKey}, "setting endpoint"},
		{"endpoint inside", map[string]string{"connection_string": "endpoint=https://127.0.0.1/;accesskey=" + azureKey}, "setting endpoint"},
	} {
		settings := map[string]string{"from": "codes@id.example.org"}
		maps.Copy(settings, test.settings)
		s, err := kind(t, "azure_communication_email").Open(parsed(t, "azure_communication_email", settings), provider.Environment{})
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want == "":
			closeSender(t, s)
		case err == nil || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		case strings.Contains(err.Error(), azureKey[:20]) || strings.Contains(err.Error(), "s3cretValue"):
			t.Errorf("%s: %v holds a secret", test.name, err)
		}
	}
}

func closeSender(t testing.TB, s outbox.Sender) {
	t.Helper()
	if c, ok := s.(interface{ Close() error }); ok {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOperationIDIsTheSameForEveryTry(t *testing.T) {
	// uuid.uuid5(uuid.NAMESPACE_URL, "otpost:delivery:dl_1") of Python
	if got, want := provider.OperationID("dl_1"), "2bbacc06-202a-577f-990a-2db2ae2ec93d"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if provider.OperationID("dl_1") == provider.OperationID("dl_2") {
		t.Error("two deliveries have one operation")
	}
}

func FuzzAzureConnectionString(f *testing.F) {
	f.Add(azureConnection)
	f.Add("Endpoint=https://otp-test.communication.azure.com;;accesskey=" + azureKey + ";x=y")
	f.Add("https://a=b;accesskey==;endpoint==https://")
	f.Fuzz(func(t *testing.T, text string) {
		settings := map[string]string{"connection_string": text, "from": "codes@id.example.org"}
		s, err := kind(t, "azure_communication_email").Parse(settings)
		if err != nil {
			return // empty
		}
		sender, err := kind(t, "azure_communication_email").Open(s, provider.Environment{})
		if (sender == nil) != (err != nil) {
			t.Errorf("got %v and %v", sender, err)
		}
		if _, key, ok := strings.Cut(text, "accesskey="); ok && err != nil && len(key) > 12 && strings.Contains(err.Error(), key) {
			t.Errorf("%v holds the key", err)
		}
		if err == nil {
			closeSender(t, sender)
		}
	})
}
