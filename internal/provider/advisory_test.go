package provider_test

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/nameserver"
)

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// guarded are the settings of a webhook as strangers would find it: nothing private is allowed.
func guarded(url string) map[string]string {
	return map[string]string{"url": url, "secrets": secretText(newSecret), "allow_http": "true"}
}

func TestAdvisory_CVE_2026_5469_WebhookDoesNotReachInternalHosts(t *testing.T) {
	var reached atomic.Int32
	url := serveHTTP(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	_, port, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "[::1]"} {
		parsed := parsed(t, "webhook", guarded("http://"+host+":"+port))
		if _, err := kind(t, "webhook").Open(parsed, provider.Environment{}); err == nil {
			t.Errorf("%s was accepted as a setting", host)
		}
	}
	names := &nameServer{}
	resolver := names.start(t)
	for _, address := range []string{"127.0.0.1", "0.0.0.0", "10.0.0.1"} { // behind a name, they are found when it is connected
		inside := netip.MustParseAddr(address)
		names.answer.Store(&inside)
		s := openKind(t, "webhook", guarded("http://hook.example:"+port), provider.Environment{Resolver: resolver})
		_, err := s.Send(context.Background(), "dlv_1", sampleMessage())
		if f := fault(t, err); f.Class != outbox.Account {
			t.Errorf("%s: got %v, want config", address, f)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("an internal server was reached %d times", reached.Load())
	}
}

func TestAdvisory_CVE_2026_27945_RedirectsAreNotFollowed(t *testing.T) {
	var reached atomic.Int32
	inside := serveHTTP(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		outside := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside, status) })
		_, err := openWebhook(t, outside, nil, provider.Environment{}).Send(context.Background(), "dlv_1", sampleMessage())
		if f := fault(t, err); f.Class != outbox.Account {
			t.Errorf("%d: got %v, want config", status, f)
		}
	}
	if reached.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestAdvisory_CVE_2024_49753_ProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	var asked atomic.Int32
	proxy := serveHTTP(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	t.Setenv("HTTP_PROXY", proxy)
	t.Setenv("HTTPS_PROXY", proxy)
	l := listen(t)
	l.Close()
	here, names := netip.MustParseAddr("127.0.0.1"), &nameServer{} // the environment's proxy is never used for loopback names
	names.answer.Store(&here)
	_, err := openWebhook(t, "http://hook.example:"+portOf(l), nil, provider.Environment{Resolver: names.start(t)}).
		Send(context.Background(), "dlv_1", sampleMessage())
	if f := fault(t, err); f.Detail != "connection refused" {
		t.Errorf("got %v, want connection refused", f)
	}
	if asked.Load() != 0 {
		t.Error("the proxy of the environment was used")
	}
}

func TestAdvisory_GHSA_r2x7_427f_rq69_ChangingResolver(t *testing.T) {
	// The name belongs to a stranger's server at 127.0.0.2 first, and to an internal one at 127.0.0.3 later.
	stranger, inside := netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")
	outer, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("this system has one loopback address only")
	}
	_, port, _ := net.SplitHostPort(outer.Addr().String())
	inner, err := net.Listen("tcp", "127.0.0.3:"+port)
	if err != nil {
		t.Fatal(err)
	}
	var outerPosts, innerPosts atomic.Int32
	serveOn(t, outer, func(w http.ResponseWriter, _ *http.Request) {
		outerPosts.Add(1)
		w.Header().Set("Connection", "close") // so that the next post has to connect again
	})
	serveOn(t, inner, func(http.ResponseWriter, *http.Request) { innerPosts.Add(1) })
	names := &nameServer{}
	names.answer.Store(&stranger)
	env := provider.Environment{Resolver: names.start(t)}
	settings, err := kind(t, "webhook").Parse(guarded("http://rebind.example:" + port))
	if err != nil {
		t.Fatal(err)
	}
	s, err := provider.OpenGuardedWebhook(settings, env, stranger)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send(context.Background(), "dlv_1", sampleMessage()); err != nil {
		t.Fatal(err)
	}
	names.answer.Store(&inside)
	_, err = s.Send(context.Background(), "dlv_2", sampleMessage())
	if f := fault(t, err); f.Class != outbox.Account {
		t.Errorf("got %v, want config", f)
	}
	if outerPosts.Load() != 1 || innerPosts.Load() != 0 || names.asked.Load() < 2 {
		t.Errorf("got %d posts outside, %d inside, %d lookups, want 1, 0 and at least 2", outerPosts.Load(), innerPosts.Load(), names.asked.Load())
	}
}

func serveOn(t testing.TB, l net.Listener, h http.HandlerFunc) {
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	s.Start()
	t.Cleanup(s.Close)
}

// nameServer answers every question for an A record with one address, which may change.
type nameServer struct {
	answer atomic.Pointer[netip.Addr]
	asked  atomic.Int32
}

func (n *nameServer) start(t testing.TB) *net.Resolver {
	return nameserver.Start(t, func(q dnsmessage.Question, reply *dnsmessage.Message) {
		if q.Type == dnsmessage.TypeA {
			n.asked.Add(1)
			nameserver.Add(q, reply, &dnsmessage.AResource{A: n.answer.Load().As4()})
		}
	})
}
