package front_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
)

type doorman struct{ err error }

func (d doorman) Authenticate(_ context.Context, token string) (access.Caller, error) {
	if d.err != nil || token != "good.key-1" {
		return access.Caller{}, errors.Join(d.err, access.ErrNoAccess)
	}
	return access.Caller{Application: access.Application{ID: "app_1"}}, nil
}

func TestGate(t *testing.T) {
	const missing, invalid = `Bearer realm="otpost"`, `Bearer realm="otpost", error="invalid_token"`
	for name, c := range map[string]struct {
		headers   []string
		status    int
		challenge string
	}{
		"none":            {nil, 401, missing},
		"good":            {[]string{"Bearer good.key-1"}, 200, ""},
		"any case":        {[]string{"bEARER   good.key-1"}, 200, ""},
		"unknown":         {[]string{"Bearer other"}, 401, invalid},
		"another scheme":  {[]string{"Basic Z29vZC5rZXktMQ=="}, 401, missing},
		"no token":        {[]string{"Bearer"}, 401, invalid},
		"two headers":     {[]string{"Bearer good.key-1", "Bearer good.key-1"}, 401, invalid},
		"two tokens":      {[]string{"Bearer good.key-1 good.key-1"}, 401, invalid},
		"with a control":  {[]string{"Bearer good.key-1\x00"}, 401, invalid},
		"beyond any size": {[]string{"Bearer " + strings.Repeat("a", 513)}, 401, invalid},
	} {
		t.Run(name, func(t *testing.T) {
			body := &touched{}
			r := httptest.NewRequest("POST", "/", body)
			r.Header["Authorization"] = c.headers
			w := httptest.NewRecorder()
			gate(doorman{}, nil).ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status is %d, want %d", w.Code, c.status)
			}
			got := w.Header().Get("WWW-Authenticate")
			if c.challenge == invalid && !strings.HasPrefix(got, invalid) || c.challenge != invalid && got != c.challenge {
				t.Errorf("challenge is %s, want %s", got, c.challenge)
			}
			if body.read {
				t.Error("the body was read before the key was good")
			}
		})
	}
}

func TestGateThatTakesBasic(t *testing.T) {
	const invalid = `Bearer realm="otpost", error="invalid_token"`
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"the key as the password":    {[]string{"Basic " + encoded("otpost:good.key-1")}, 200},
		"without a user name":        {[]string{"Basic " + encoded(":good.key-1")}, 200},
		"as a bearer token":          {[]string{"Bearer good.key-1"}, 200},
		"the key as the user name":   {[]string{"Basic " + encoded("good.key-1:")}, 401},
		"another key":                {[]string{"Basic " + encoded("otpost:other")}, 401},
		"not Base64":                 {[]string{"Basic good.key-1"}, 401},
		"twice":                      {[]string{"Basic " + encoded("otpost:good.key-1"), "Basic " + encoded("otpost:good.key-1")}, 401},
		"a key with a line after it": {[]string{"Basic " + encoded("otpost:good.key-1\n")}, 401},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header["Authorization"] = c.headers
		w := httptest.NewRecorder()
		front.Gate{Access: doorman{}, Basic: true}.Guard(func(http.ResponseWriter, *http.Request, access.Caller) {}).ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: status is %d, want %d", name, w.Code, c.status)
		}
		challenges := w.Header().Values("WWW-Authenticate")
		if c.status == 401 && (len(challenges) != 2 || !strings.HasPrefix(challenges[0], "Basic ") || !strings.HasPrefix(challenges[1], "Bearer ")) {
			t.Errorf("%s: challenges are %q", name, challenges)
		}
		if name == "another key" && !strings.HasPrefix(challenges[1], invalid) {
			t.Errorf("%s: challenge is %s", name, challenges[1])
		}
	}
}

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func gate(a access.Authenticator, log *slog.Logger) http.Handler {
	return front.Gate{Access: a, Log: log}.Guard(func(w http.ResponseWriter, _ *http.Request, c access.Caller) {
		io.WriteString(w, c.Application.ID)
	})
}

type touched struct{ read bool }

func (b *touched) Read([]byte) (int, error) { b.read = true; return 0, io.EOF }

type broken struct{}

func (broken) Authenticate(context.Context, string) (access.Caller, error) {
	return access.Caller{}, errors.New("dial db: refused")
}

func TestGateThatCannotLook(t *testing.T) {
	var log bytes.Buffer
	handler := gate(broken{}, slog.New(slog.NewTextHandler(&log, nil)))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer abc")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != 500 || strings.Contains(w.Body.String(), "dial") || !strings.Contains(log.String(), "dial db: refused") {
		t.Errorf("got %d %s, log %s", w.Code, w.Body, log.String())
	}
	if strings.Contains(log.String(), "abc") {
		t.Errorf("the key is in the log: %s", log.String())
	}

	log.Reset()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, r.WithContext(ctx))
	if w.Code != 503 || log.Len() != 0 {
		t.Errorf("a client that left: got %d, log %s", w.Code, log.String())
	}
}

// keyring knows a key of each sort.
type keyring struct{}

func (keyring) Authenticate(_ context.Context, token string) (access.Caller, error) {
	shop := access.Application{ID: "app_1", Name: "Shop"}
	c, ok := map[string]access.Caller{"app": {Application: shop}, "admin": {Admin: true}, "both": {Application: shop, Admin: true}}[token]
	if !ok {
		return c, access.ErrNoAccess
	}
	return c, nil
}

func TestGateTellsAdminKeysFromThoseOfApplications(t *testing.T) {
	for _, c := range []struct {
		admin  bool
		token  string
		status int
		says   string
	}{
		{false, "app", 200, ""}, {false, "both", 200, ""}, {true, "admin", 200, ""}, {true, "both", 200, ""},
		{true, "app", 403, `"code":"admin_key_required"`}, {false, "admin", 403, `"code":"application_key_required"`},
		{true, "other", 401, `"code":"key_invalid"`},
	} {
		body := &touched{}
		r := httptest.NewRequest("POST", "/", body)
		r.Header.Set("Authorization", "Bearer "+c.token)
		w := httptest.NewRecorder()
		passed := false
		front.Gate{Access: keyring{}, Admin: c.admin}.Guard(func(http.ResponseWriter, *http.Request, access.Caller) { passed = true }).ServeHTTP(w, r)
		if w.Code != c.status || passed != (c.status == 200) || !strings.Contains(w.Body.String(), c.says) || body.read {
			t.Errorf("%s at a gate for admins %v: %d %s, passed %v", c.token, c.admin, w.Code, w.Body, passed)
		}
		if challenge := w.Header().Get("WWW-Authenticate"); (c.status == 403) != strings.Contains(challenge, "insufficient_scope") {
			t.Errorf("%s at a gate for admins %v is challenged %q", c.token, c.admin, challenge)
		}
	}
}
