package extension_test

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"github.com/otpost/otpost/internal/extension"
)

// FuzzToken presents any text as a token, and a good token with any change. Whatever opens the door says, byte for
// byte, what its issuer signed. The key is another one in each process, so changes are made in here.
func FuzzToken(f *testing.F) {
	n := newTenant(f)
	v := n.verifier(f)
	ours := map[jose.HeaderKey]any{"kid": kid(f, newKey())}
	good := sign(f, jose.RS256, newKey(), ours, n.good())
	parts := strings.Split(good, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	for _, seed := range []string{"", "a.b.c", "..", "GOOD", "GOOD=", "GOOD.", " GOOD", "HEADER.CLAIMS.", "HEADER.CLAIMS", "HEADER..SIGNATURE",
		"CLAIMS.HEADER.SIGNATURE", b64([]byte(`{"alg":"none"}`)) + ".CLAIMS.", b64([]byte(`{"alg":"HS256","kid":"x"}`)) + ".CLAIMS.SIGNATURE",
		b64([]byte(`{"alg":"RS256","kid":null,"crit":["b64"],"b64":false}`)) + ".CLAIMS.SIGNATURE",
		"HEADER." + b64([]byte(`{"iss":{},"exp":"x"}`)) + ".SIGNATURE"} {
		f.Add(seed, uint(0), "")
	}
	f.Add("GOOD", uint(20), "A")
	f.Add("GOOD", uint(len(good)-1), "A")
	f.Add("GOOD", uint(len(good)-1), "B")
	f.Add("GOOD", uint(len(parts[0])+5), "AAAA")
	f.Fuzz(func(t *testing.T, token string, at uint, change string) {
		token = strings.NewReplacer("GOOD", good, "HEADER", parts[0], "CLAIMS", parts[1], "SIGNATURE", parts[2]).Replace(token)
		if at < uint(len(token)) && change != "" {
			token = token[:at] + change + token[min(uint(len(token)), at+uint(len(change))):]
		}
		id, err := v.Verify(t.Context(), token)
		if err == nil {
			if !strings.HasPrefix(token, parts[0]+"."+parts[1]+".") || id.Tenant != tenantID {
				t.Errorf("%q opens the door as %+v", token, id)
			}
			return
		}
		checkRefused(t, err)
		if token == good {
			t.Errorf("the good token is refused: %v", err)
		}
	})
}

func checkRefused(t *testing.T, err error) {
	t.Helper()
	var refused *extension.Refused
	if !errors.As(err, &refused) || refused.Reason == "" {
		t.Fatalf("refused with %T %v", err, err)
	}
	if len(refused.Detail) > 1024 || !utf8.ValidString(refused.Detail) || strings.ContainsFunc(refused.Detail, func(r rune) bool { return r < ' ' }) {
		t.Errorf("the detail %q is not fit for a log", refused.Detail)
	}
}

// published answers for an issuer: any bytes as its metadata and as its keys.
type published struct{ metadata, keys []byte }

func (p published) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		w.Write(p.metadata)
	} else {
		w.Write(p.keys)
	}
	return w.Result(), nil
}

// FuzzKeys lets an issuer publish anything. No key but one of those it published proves a token, none that is small,
// and where nothing could be read there is no key at all.
func FuzzKeys(f *testing.F) {
	now := func() time.Time { return noon }
	issuer, err := extension.NewIssuer("https://issuer.example", tenantID, newKey(), now)
	if err != nil {
		f.Fatal(err)
	}
	document := func(path string) []byte {
		w := httptest.NewRecorder()
		issuer.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		body, err := io.ReadAll(w.Body)
		if err != nil || w.Code != http.StatusOK {
			f.Fatalf("%s: %d %v", path, w.Code, err)
		}
		return body
	}
	metadata := document(strings.TrimPrefix(issuer.Metadata(extension.V2), "https://issuer.example"))
	where := strings.Split(string(metadata), `"jwks_uri":"https://issuer.example`)
	if len(where) != 2 {
		f.Fatalf("metadata %s", metadata)
	}
	path, _, _ := strings.Cut(where[1], `"`)
	modulus, ours := base64.RawURLEncoding.EncodeToString(newKey().N.Bytes()), kid(f, newKey())
	keys := []byte(strings.NewReplacer(modulus, "MODULUS", ours, "KEY-ID").Replace(string(document(path))))
	if !strings.Contains(string(keys), "MODULUS") || !strings.Contains(string(keys), "KEY-ID") {
		f.Fatalf("keys %s", keys)
	}
	f.Add(metadata, keys)
	f.Add(metadata, []byte(`{"keys":[{},null,{"kty":"RSA"},{"kty":"EC","crv":"P-256"},{"kty":"oct","k":"AA"},`+strings.TrimPrefix(string(keys), `{"keys":[`)))
	f.Add(metadata, []byte(strings.Replace(string(keys), `"sig"`, `"enc"`, 1)))
	f.Add(metadata, []byte(`{"keys":[{"kty":"RSA","kid":"x","n":"AQAB","e":"AQAB"}]}`))
	f.Add([]byte(strings.Replace(string(metadata), "https://issuer.example/", "http://10.0.0.1/", 1)), keys)
	f.Add([]byte(`{"issuer":null,"jwks_uri":{}}`), []byte(`[]`))
	f.Add([]byte(`null`), []byte(`{"keys":{}}`))

	stranger := freshKey()
	token := mint(f, issuer, extension.Grant{Audience: appID})
	forge := func(keyID string, key *rsa.PrivateKey) string {
		return sign(f, jose.RS256, key, map[jose.HeaderKey]any{"kid": keyID}, map[string]any{"iss": issuer.Name(extension.V2),
			"aud": appID, "azp": extension.EntraClient, "tid": tenantID, "exp": noon.Add(time.Hour).Unix()})
	}
	forged := forge(ours, stranger)
	f.Fuzz(func(t *testing.T, metadata, keys []byte) {
		// The keys are others in each process, so the fuzzer is shown words in their place.
		keys = []byte(strings.NewReplacer("MODULUS", modulus, "KEY-ID", ours).Replace(string(keys)))
		v, err := extension.NewVerifier(extension.Trust{Audiences: extension.Audiences(appID), Tenants: []string{tenantID}, Now: now,
			Client:  &http.Client{Transport: published{metadata, keys}},
			Issuers: []extension.TrustedIssuer{{Issuer: issuer.Name(extension.V2), Metadata: issuer.Metadata(extension.V2), Tenant: tenantID}}})
		if err != nil {
			t.Fatal(err)
		}
		loaded := v.Load(t.Context())
		if _, err := v.Verify(t.Context(), forged); err == nil {
			t.Errorf("a stranger's token opens the door; the keys are %q", keys)
		} else {
			checkRefused(t, err)
		}
		_, err = v.Verify(t.Context(), token)
		switch {
		case err == nil && (loaded != nil || !strings.Contains(string(keys), modulus)):
			t.Errorf("a token opens the door (%v) whose key is not among %q", loaded, keys)
		case err != nil && (loaded != nil) != (reason(err) == extension.NoKeys):
			t.Errorf("keys loaded: %v; the token is refused: %v", loaded, err)
		}
	})
}

// FuzzJudge reads any answer of a receiver. One that counts as "sent" says so, and nothing else does.
func FuzzJudge(f *testing.F) {
	f.Add(200, "application/json", []byte(extension.Continue))
	f.Add(200, "Application/JSON; charset=\"utf-8\"", []byte(" "+extension.Continue+"\n"))
	f.Add(200, "application/json", []byte(`{"data":{"@odata.type":"#microsoft.graph.onOtpSendResponseData","actions":[null]}}`))
	f.Add(200, "application/json; x", []byte(`{"data":null}`))
	f.Add(204, "", []byte(nil))
	f.Add(503, "text/html", []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, media string, body []byte) {
		code := extension.Judge(status, media, body)
		says := strings.ToLower(string(body))
		if code == 0 && (status != 200 || !strings.Contains(strings.ToLower(media), "application/json") ||
			!strings.Contains(says, "otpsend") && !strings.Contains(says, `\u`) || !strings.HasPrefix(strings.TrimSpace(says), "{")) {
			t.Errorf("%d %q %q counts as sent", status, media, body)
		}
		if again := extension.Judge(status, media, append([]byte("\n"), body...)); again != code {
			t.Errorf("%d %q %q is judged %d, and with a line break before it %d", status, media, body, code, again)
		}
	})
}
