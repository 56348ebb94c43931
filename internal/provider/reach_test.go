package provider_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/nameserver"
)

func reach(t testing.TB, s outbox.Sender) []provider.Finding {
	t.Helper()
	r, ok := s.(provider.Reacher)
	if !ok {
		t.Fatalf("%T does not try the way", s)
	}
	return r.Reach(context.Background())
}

func TestReachSaysWhatStandsInTheWay(t *testing.T) {
	refused := listen(t)
	refused.Close()
	clear := serveHTTP(t, func(http.ResponseWriter, *http.Request) {})
	strange := httptest.NewTLSServer(nil)
	t.Cleanup(strange.Close)
	strange.Config.ErrorLog = discardLog()
	deadEnds := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}
	}}
	tests := []struct {
		name, endpoint string
		resolver       *net.Resolver
		found, do      string
	}{
		{"refused", "http://127.0.0.1:" + portOf(refused), nil, "connection refused", "nothing listens"},
		{"silent", "https://" + silent(t).Addr().String(), nil, "no answer in time", "outward"},
		{"no TLS", strings.Replace(clear, "http:", "https:", 1), nil, "does not speak TLS", "scheme"},
		{"unknown authority", strange.URL, nil, "unknown authority", "ca-certificates"},
		{"no name server", "https://api.example.test", deadEnds, "looked up", "name servers"},
		{"unknown name", "https://api.example.test", nameserver.Zone{}.Start(t), "not known", "name of the host"},
	}
	for _, test := range tests {
		for _, kind := range []string{"resend", "webhook"} {
			t.Run(kind+" "+test.name, func(t *testing.T) {
				settings := map[string]string{"allow_http": "true", "allow_private": "true"}
				if test.name == "silent" {
					settings["timeout"] = "50ms"
				}
				if kind == "resend" {
					settings["endpoint"], settings["api_key"], settings["from"] = test.endpoint, "re_1", "codes@example.org"
				} else {
					settings["url"], settings["secrets"] = test.endpoint+"/hook?token=s3cret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
				}
				found := reach(t, openKind(t, kind, settings, provider.Environment{Resolver: test.resolver}))
				if summary(found) != "connection bad" || !strings.Contains(found[0].Found, test.found) || !strings.Contains(found[0].Do, test.do) {
					t.Errorf("found %+v, want %q and %q", found, test.found, test.do)
				}
				if strings.Contains(found[0].Found, "s3cret") {
					t.Error("a token of the URL is told")
				}
			})
		}
	}
}

func TestReachRefusesWhatSendingRefuses(t *testing.T) {
	inside := netip.MustParseAddr("127.0.0.1")
	names := &nameServer{}
	names.answer.Store(&inside)
	s := openKind(t, "resend", map[string]string{"endpoint": "https://api.example.test", "api_key": "re_1", "from": "codes@example.org"},
		provider.Environment{Resolver: names.start(t)})
	if found := reach(t, s); !strings.Contains(found[0].Do, "allow_private") {
		t.Errorf("found %+v", found)
	}
}

// TestReachComparesClocks holds that any answer will do, that no credential goes out, and the bounds of a clock.
func TestReachComparesClocks(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for off, want := range map[time.Duration]string{
		0: "connection good", 59 * time.Second: "connection good", -59 * time.Second: "connection good",
		time.Minute: "connection good, clock doubtful", -4 * time.Minute: "connection good, clock doubtful",
		5 * time.Minute: "connection good, clock bad", -24 * time.Hour: "connection good, clock bad",
	} {
		var asked atomic.Int32
		endpoint := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if r.Method != http.MethodHead || r.Header.Get("Authorization") != "" || r.URL.Path != "/" {
				t.Errorf("asked %s %s with %v", r.Method, r.URL, r.Header)
			}
			w.Header().Set("Date", now.Add(-off).Format(http.TimeFormat))
			w.WriteHeader(http.StatusNotFound)
		})
		s := openKind(t, "resend", map[string]string{"endpoint": endpoint, "api_key": "re_1", "from": "codes@example.org", "allow_http": "true", "allow_private": "true"},
			provider.Environment{Now: func() time.Time { return now }})
		if got := summary(reach(t, s)); got != want || asked.Load() != 1 {
			t.Errorf("%s off: found %q, want %q", off, got, want)
		}
	}
}

func TestPublicSettingsHoldNoSecret(t *testing.T) {
	for _, k := range provider.Kinds() {
		values := map[string]string{}
		for _, f := range k.Fields() {
			switch {
			case len(f.OneOf) > 0:
				values[f.Name] = f.OneOf[0]
			case f.Type == "duration":
				values[f.Name] = "7s"
			case f.Type == "number":
				values[f.Name] = "7"
			case f.Type == "yes/no":
				values[f.Name] = "true"
			default:
				values[f.Name] = "value-of-" + f.Name
			}
		}
		settings, err := k.Parse(values)
		if err != nil {
			t.Fatal(err)
		}
		public := k.Public(settings)
		for _, f := range k.Fields() {
			if got, ok := public[f.Name]; ok == f.Secret || ok && got != values[f.Name] {
				t.Errorf("%s.%s: %q %v", k.Name, f.Name, got, ok)
			}
		}
	}
}
