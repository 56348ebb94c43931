package restful_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/otpost/otpost/internal/provider/nameserver"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/restful"
)

// inner is a server that must not be reached, and how often it was.
func inner(t *testing.T) (port string, reached *atomic.Int32) {
	t.Helper()
	reached = &atomic.Int32{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		_, _ = io.WriteString(w, `{"email":"inside"}`)
	}))
	t.Cleanup(s.Close)
	_, port, _ = net.SplitHostPort(s.Listener.Addr().String())
	return port, reached
}

const open = " AuthenticationType=None"

func TestAdvisory_CVE_2025_67494_HostsInsideAreRefusedAsTheyAreWritten(t *testing.T) {
	port, reached := inner(t)
	c := client(t, restful.Options{AllowHTTP: true})
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST.", "x.localhost", "metadata.google.internal", "169.254.169.254", "10.1.2.3",
		"[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "[64:ff9b::7f00:1]", "[fd00::1]"} {
		p, found := load(t, profile("ServiceUrl=http://"+host+":"+port+open, out("email")))
		problems := c.Check(p, found)
		if len(problems) == 0 || !strings.Contains(problems[0].Error(), "rest.xml:3:1: ServiceUrl leads inside: the host has a private or reserved address") {
			t.Errorf("%s: %v", host, problems)
		}
		_, _, err := call(t, c, p)
		if text := misuse(t, err); !strings.Contains(text, "ServiceUrl leads inside") {
			t.Errorf("%s: %s", host, text)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("a server inside was reached %d times", reached.Load())
	}
}

func TestAdvisory_CVE_2026_5469_NamesThatComeToHostsInsideAreNotConnected(t *testing.T) {
	port, reached := inner(t)
	zone := nameserver.Zone{"a.example": {"A 127.0.0.1"}, "b.example": {"A 0.0.0.0"}, "c.example": {"A 10.0.0.1"}, "d.example": {"A 169.254.169.254"}}
	c := client(t, restful.Options{AllowHTTP: true, Resolver: zone.Start(t)})
	// The second spellings are read as addresses by some resolvers, and as names by others.
	for _, host := range []string{"a.example", "b.example", "c.example", "d.example", "0x7f.1", "2130706433", "0177.0.0.1"} {
		p, found := load(t, profile("ServiceUrl=http://"+host+":"+port+open+" AllowInsecureAuthInProduction=false", out("email")))
		if problems := c.Check(p, found); len(problems) != 0 {
			t.Errorf("%s: %v", host, problems)
		}
		_, _, err := call(t, c, p)
		_, failure := told(t, err)
		log := failure.Error()
		if strings.HasSuffix(host, "example") && (failure.Key != "DefaultUserMessageIfRequestFailed" || !strings.Contains(log, host+":"+port+": the host has a private or reserved address")) {
			t.Errorf("%s: %s", host, log)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("a server inside was reached %d times", reached.Load())
	}
}

func TestAdvisory_GHSA_r2x7_427f_rq69_ANameThatComesToAnotherAddressLaterIsJudgedAgain(t *testing.T) {
	outer, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("this system has one loopback address only")
	}
	_, port, _ := net.SplitHostPort(outer.Addr().String())
	hidden, err := net.Listen("tcp", "127.0.0.3:"+port)
	if err != nil {
		t.Fatal(err)
	}
	var outside, inside, looked atomic.Int32
	serveOn(t, outer, func(w http.ResponseWriter, _ *http.Request) {
		outside.Add(1)
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "{}")
	})
	serveOn(t, hidden, func(http.ResponseWriter, *http.Request) { inside.Add(1) })
	var answer atomic.Pointer[netip.Addr]
	stranger, other := netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")
	answer.Store(&stranger)
	resolver := nameserver.Start(t, func(q dnsmessage.Question, reply *dnsmessage.Message) {
		if q.Type == dnsmessage.TypeA {
			looked.Add(1)
			nameserver.Add(q, reply, &dnsmessage.AResource{A: answer.Load().As4()})
		}
	})
	c := restful.NewGuarded(restful.Options{AllowHTTP: true, Resolver: resolver}, stranger)
	defer c.Close()
	p, _ := load(t, profile("ServiceUrl=http://rebind.example:"+port+open, out("email")))
	if _, _, err := call(t, c, p); err != nil {
		t.Fatal(err)
	}
	answer.Store(&other)
	_, _, err = call(t, c, p)
	if _, failure := told(t, err); !strings.Contains(failure.Error(), "private or reserved address") {
		t.Error(failure)
	}
	if outside.Load() != 1 || inside.Load() != 0 || looked.Load() < 2 {
		t.Errorf("%d calls outside, %d inside, %d look-ups", outside.Load(), inside.Load(), looked.Load())
	}
}

func serveOn(t *testing.T, l net.Listener, h http.HandlerFunc) {
	t.Helper()
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	s.Start()
	t.Cleanup(s.Close)
}

func TestAdvisory_CVE_2026_27945_PoliciesFollowNoRedirects(t *testing.T) {
	port, reached := inner(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:"+port+"/", status)
		})
		p, _ := load(t, profile("ServiceUrl="+server.URL+open, out("email")))
		_, _, err := call(t, client(t, options(server)), p)
		if _, failure := told(t, err); !strings.Contains(failure.Error(), "redirects are not followed") {
			t.Error(failure)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("a redirect was followed %d times", reached.Load())
	}
}

func TestAdvisory_CVE_2024_49753_PoliciesUseNoProxyOfTheEnvironment(t *testing.T) {
	port, reached := inner(t)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:"+port)
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:"+port)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	_, free, _ := net.SplitHostPort(closed.Addr().String())
	resolver := nameserver.Zone{"service.example": {"A 127.0.0.1"}}.Start(t) // the environment's proxy is never used for loopback names
	p, _ := load(t, profile("ServiceUrl=http://service.example:"+free+open))
	c := client(t, restful.Options{AllowHTTP: true, AllowPrivate: true, Resolver: resolver})
	if c.HasProxy() { // net/http reads the environment once, perhaps before this test changed it
		t.Error("the client asks for a proxy")
	}
	_, _, err = call(t, c, p)
	if _, failure := told(t, err); !strings.Contains(failure.Error(), "connection refused") || reached.Load() != 0 {
		t.Errorf("%v, the proxy was asked %d times", failure, reached.Load())
	}
}

func TestClaimsStayWhereThePolicyPutsThem(t *testing.T) {
	for text, want := range map[string]string{
		"a@evil.example":        "/v1/a@evil.example/x",
		"//evil.example":        "/v1/%2F%2Fevil.example/x",
		"a?b=c":                 "/v1/a%3Fb=c/x",
		"a#b":                   "/v1/a%23b/x",
		"http://evil.example/":  "/v1/http:%2F%2Fevil.example%2F/x",
		"...":                   "/v1/.../x",
		"a..b":                  "/v1/a..b/x",
		"..":                    "",
		".":                     "",
		"../admin":              "",
		"a/../../admin":         "",
		"a\\..\\admin":          "",
		"%2e%2e/admin":          "",
		"..%2fadmin":            "",
		"%252e%252e%252fadmin":  "",
		"%25252e./%2525admin":   "/v1/%2525252e.%2F%252525admin/x",
		"a\r\nHost: evil":       "",
		"a\x00":                 "",
		"a b":                   "/v1/a%20b/x",
		"a;b=c,d&e=f":           "/v1/a%3Bb=c%2Cd&e=f/x",
		"evil.example:80/a/../": "",
	} {
		got, err := asked(t, "ServiceUrl=SERVER/v1/{name}/x SendClaimsIn=Url"+open, []string{in("name")}, "name", text)
		if want == "" {
			_, failure := told(t, err)
			if log := failure.Error(); got.method != "" || !strings.Contains(log, "the claim name would lead out of its place") || strings.Contains(log, "admin") {
				t.Errorf("%q: asked %s, %s", text, got.uri, log)
			}
			continue
		}
		if err != nil || got.uri != want {
			t.Errorf("%q: asked %s, want %s: %v", text, got.uri, want, err)
		}
	}
}

func TestPartsOfASegmentDoNotMakeDots(t *testing.T) {
	got, err := asked(t, "ServiceUrl=SERVER/v1/.{name}/{email}{objectId} SendClaimsIn=Url"+open, []string{in("name", "email", "objectId")},
		"name", "a", "email", "%2e", "objectId", "%2e")
	_, failure := told(t, err)
	if got.method != "" || !strings.Contains(failure.Error(), "would") {
		t.Errorf("asked %s: %v", got.uri, failure)
	}
	got, err = asked(t, "ServiceUrl=SERVER/v1/.{name} SendClaimsIn=Url"+open, []string{in("name")}, "name", "/a")
	if _, failure := told(t, err); got.method != "" || !strings.Contains(failure.Error(), "the claim name would change where the URL leads") {
		t.Errorf("asked %s: %v", got.uri, failure)
	}
	if got, err := asked(t, "ServiceUrl=SERVER/v1/../{name} SendClaimsIn=Url"+open, []string{in("name")}, "name", "a"); err != nil || got.uri != "/v1/../a" {
		t.Errorf("asked %s, though the policy is the dots' author: %v", got.uri, err)
	}
}

func TestAClaimIsNoHeaderButItsOwn(t *testing.T) {
	for _, text := range []string{"a\r\nX-Admin: yes", "a\nb", "a\rb", "a\x00b"} {
		got, err := asked(t, "ServiceUrl=SERVER SendClaimsIn=Header"+open, []string{in("name:x-name")}, "name", text)
		_, failure := told(t, err)
		if got.method != "" || !strings.Contains(failure.Error(), "the claim name holds a sign that no header may hold") {
			t.Errorf("%q: %v, %v", text, got.header, failure)
		}
		got, err = asked(t, "ServiceUrl=SERVER AuthenticationType=Bearer UseClaimAsBearerToken=token", []string{in("token")}, "token", text)
		if _, failure := told(t, err); got.method != "" || !strings.Contains(failure.Error(), "the claim token holds a sign") {
			t.Errorf("%q: %v", text, failure)
		}
	}
	got, err := asked(t, "ServiceUrl=SERVER SendClaimsIn=Header"+open, []string{in("groups:x-name")}, "groups", claim.List("a", "b"))
	if err != nil || got.header.Get("X-Name") != "a,b" {
		t.Errorf("%v, %v", got.header, err)
	}
	for _, name := range []string{"Host", "content-length", "Transfer-Encoding", "a b", "x:y", "connection"} {
		p, found := load(t, profile("ServiceUrl=https://api.example.org SendClaimsIn=Header"+open, `<InputClaims><InputClaim ClaimTypeReferenceId="name" PartnerClaimType="`+name+`"/></InputClaims>`))
		c := client(t, restful.Options{})
		if problems := c.Check(p, found); len(problems) != 1 || !strings.Contains(problems[0].Reason, "the input claim name cannot be sent as a header") {
			t.Errorf("%s: %v", name, problems)
		}
		_, _, err := call(t, c, p, "name", "a")
		misuse(t, err)
	}
}
