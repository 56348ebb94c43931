package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// appCode is what an app shows so many steps from now (RFC 6238, SHA-1, six digits, 30 s).
func appCode(t *testing.T, secret string, steps int64) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/30+steps)))
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1_000_000)
}

// TestAnAuthenticatorFromEndToEnd takes a device through its life on a whole server.
func TestAnAuthenticatorFromEndToEnd(t *testing.T) {
	p := startInProcess(t, nil)
	const path = "/v1/users/lea%40example.org/authenticators"
	var made struct{ ID, Status, Secret, URI, QR string }
	if w := p.call(t, "POST", path, `{"issuer":"Shop","label":"lea@example.org"}`, &made); w.Code != 201 || made.Status != "pending" ||
		!strings.Contains(made.URI, made.Secret) || !strings.HasPrefix(made.QR, "<svg ") {
		t.Fatalf("enrol: %d %s", w.Code, w.Body)
	}
	type verdict struct {
		Verified   bool
		ID, Reason string
	}
	try := func(at, code string) (v verdict, w *httptest.ResponseRecorder) {
		t.Helper()
		if w = p.call(t, "POST", path+at, `{"code":"`+code+`"}`, &v); w.Code != 200 {
			t.Fatalf("%s: %d %s", at, w.Code, w.Body)
		}
		return v, w
	}
	first, second := appCode(t, made.Secret, 0), appCode(t, made.Secret, 1)
	for _, step := range []struct {
		at, code, want string
	}{
		{"/" + made.ID + "/confirm", first, ""}, {"/verify", first, "used"}, {"/verify", second, ""}, {"/verify", second, "used"},
	} {
		if v, _ := try(step.at, step.code); v.Reason != step.want || v.Verified != (step.want == "") || v.Verified && v.ID != made.ID {
			t.Errorf("%s: %+v, want reason %q", step.at, v, step.want)
		}
	}
	if w := p.call(t, "GET", path, "", nil); w.Code != 200 || !strings.Contains(w.Body.String(), made.ID) || strings.Contains(w.Body.String(), made.Secret) {
		t.Errorf("list: %d %s", w.Code, w.Body)
	}
	for n := range 10 { // limit_guesses; two were used above
		v, w := try("/verify", "none")
		want := "wrong_code"
		if n >= 8 {
			want = "throttled"
		}
		if v.Reason != want || (want == "throttled") != (w.Header().Get("Retry-After") != "") {
			t.Errorf("guess %d: %+v, Retry-After %q, want %s", n, v, w.Header().Get("Retry-After"), want)
		}
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{p.settings.Database.Source, p.settings.Database.Source + "-wal"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(made.Secret)) || bytes.Contains(raw, key) {
			t.Errorf("%s holds the secret as it is", name)
		}
	}
	if w := p.call(t, "DELETE", path+"/"+made.ID, "", nil); w.Code != 200 || !strings.Contains(w.Body.String(), `"revoked"`) {
		t.Errorf("revoke: %d %s", w.Code, w.Body)
	}
}
