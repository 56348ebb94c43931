package provider_test

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

const outlookScope = "https://outlook.office365.com/.default"

// withOAuth are settings with which the login gets its own tokens from a.
func withOAuth(port string, a *authority) map[string]string {
	settings := inClear(port)
	maps.Copy(settings, map[string]string{"username": "otp@example.org", "auth": "xoauth2", "insecure": "true", "oauth_tenant": "contoso.example",
		"oauth_client_id": entraClient, "oauth_client_secret": entraSecret, "oauth_authority": a.url})
	return settings
}

func xoauth2Line(token string) string {
	return "AUTH XOAUTH2 " + base64.StdEncoding.EncodeToString([]byte("user=otp@example.org\x01auth=Bearer "+token+"\x01\x01"))
}

func TestSMTPLoginGetsItsOwnToken(t *testing.T) {
	a := startAuthority(t, outlookScope)
	server := &script{extensions: []string{"AUTH XOAUTH2"}, at: on("NOOP", closed())}
	s := openSMTP(t, withOAuth(server.start(t), a))
	for range 2 {
		if _, err := s.Send(t.Context(), "dlv_1", sampleMessage()); err != nil {
			t.Fatal(err)
		}
		provider.AgeConnections(s, 10*time.Minute) // it is asked whether it lives, which it does not, and the next one logs in anew
	}
	logins := 0
	for _, line := range server.said() {
		if line == xoauth2Line("tok-1") {
			logins++
		}
	}
	if logins != 2 || a.given.Load() != 1 {
		t.Errorf("%d logins with the first token and %d tokens, want 2 and 1; heard %q", logins, a.given.Load(), server.said())
	}
}

func TestSMTPTokenThatIsRefusedIsNotUsedAgain(t *testing.T) {
	a := startAuthority(t, outlookScope)
	refused := false
	server := &script{extensions: []string{"AUTH XOAUTH2"}, at: on("AUTH", func(c *scriptConn) bool {
		if !refused {
			refused = true
			return say("535 5.7.3 not with tok-1")(c)
		}
		return say("235 2.7.0 ok")(c)
	})}
	s := openSMTP(t, withOAuth(server.start(t), a))
	_, err := s.Send(t.Context(), "dlv_1", sampleMessage())
	if f := fault(t, err); f.Class != outbox.Account || f.Code != "535 5.7.3" || f.Detail != "AUTH: not with ..." {
		t.Errorf("got %v", f)
	}
	if _, err := s.Send(t.Context(), "dlv_1", sampleMessage()); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(server.said(), xoauth2Line("tok-2")) {
		t.Errorf("heard %q", server.said())
	}
}

func TestSMTPWithoutATokenIsNotDialled(t *testing.T) {
	a := startAuthority(t, outlookScope)
	server := &script{extensions: []string{"AUTH XOAUTH2"}}
	s := openSMTP(t, withOAuth(server.start(t), a))
	for _, test := range []struct {
		say    http.HandlerFunc
		class  outbox.Class
		code   string
		detail string
	}{
		{entraError(401, "invalid_client", "AADSTS7000222: expired "+entraSecret), outbox.Account, "AADSTS7000222", "token: the client secret has expired"},
		{func(w http.ResponseWriter, _ *http.Request) { answer{status: 503}.write(w) }, outbox.Transient, "503", "token: service unavailable"},
	} {
		a.says(test.say)
		_, err := s.Send(t.Context(), "dlv_1", sampleMessage())
		if f := fault(t, err); f.Class != test.class || f.Code != test.code || !strings.HasPrefix(f.Detail, test.detail) {
			t.Errorf("got %v, want %s %s %q", f, test.class, test.code, test.detail)
		}
	}
	if said := server.said(); len(said) != 0 {
		t.Errorf("the server heard %q", said)
	}
}

func TestSMTPOAuthSettings(t *testing.T) {
	a := startAuthority(t, outlookScope)
	if _, err := kind(t, "smtp").Parse(map[string]string{"host": "h", "from": "a@b.example", "oauth_tenent": "x"}); err == nil ||
		!strings.Contains(err.Error(), "did you mean oauth_tenant?") {
		t.Errorf("got %v", err)
	}
	for _, test := range []struct{ name, value, want string }{
		{"auth", "auto", "setting auth: want xoauth2"},
		{"password", "tok123", "are both set"},
		{"oauth_tenant", "", "setting oauth_tenant is missing"},
		{"oauth_tenant", "common", "setting oauth_tenant: "},
		{"oauth_client_id", "", "setting oauth_client_id is missing"},
		{"oauth_client_id", "otp", "setting oauth_client_id: "},
		{"oauth_client_secret", "", "setting oauth_client_secret is missing"},
		{"insecure", "false", "setting oauth_authority: "}, // the fake speaks http
	} {
		settings := withOAuth("587", a)
		settings["tls"], settings["from"] = "starttls", "codes@example.org"
		settings[test.name] = test.value
		_, err := kind(t, "smtp").Open(parsed(t, "smtp", settings), provider.Environment{})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), entraSecret) {
			t.Errorf("%s %q: got %v, want %q", test.name, test.value, err, test.want)
		}
	}
}
