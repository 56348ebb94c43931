package restful_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/provider/nameserver"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/restful"
)

// raw starts a server that does with each connection what it likes.
func raw(t *testing.T, serve func(net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					serve(conn)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// until waits for the end of a test, so that a server says nothing more while it runs.
func until(t *testing.T) func() {
	t.Helper()
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	return func() { <-done }
}

func TestServicesThatFail(t *testing.T) {
	wait := until(t)
	say := func(text string, then func(net.Conn)) string {
		return raw(t, func(c net.Conn) {
			_, _ = io.WriteString(c, text)
			then(c)
		})
	}
	stay := func(net.Conn) { wait() }
	leave := func(net.Conn) {}
	reset := func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	clear := httptest.NewServer(http.NotFoundHandler())
	defer clear.Close()
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = quiet()
	stranger.StartTLS()
	defer stranger.Close()
	zone := nameserver.Zone{"broken.example": {"FAIL"}}
	const late = "UserMessageIfRequestTimeout"
	for name, test := range map[string]struct {
		url, key, log string
		impatient     bool
	}{
		"nothing listens":   {"http://" + closed.Addr().String(), "UserMessageIfCircuitOpen", "connection refused", false},
		"unknown name":      {"https://unknown.example", "UserMessageIfDnsResolutionFailed", "unknown.example: the host name is not known", false},
		"name server fails": {"https://broken.example", "UserMessageIfDnsResolutionFailed", "the host name could not be looked up", false},
		"silence":           {say("", stay), late, "no answer in time", true},
		"slow header":       {say("HTTP/1.1 200 OK\r\nX-A: ", stay), late, "no answer in time", true},
		"slow body":         {say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", stay), late, "no answer in time", true},
		"closed":            {say("", leave), "DefaultUserMessageIfRequestFailed", "connection closed", false},
		"reset":             {say("", reset), "DefaultUserMessageIfRequestFailed", "connection", false},
		"cut off":           {say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", leave), "DefaultUserMessageIfRequestFailed", "connection closed", false},
		"no HTTP":           {say("220 mail.example ESMTP\r\n", leave), "DefaultUserMessageIfRequestFailed", "network error", false},
		"huge header":       {say("HTTP/1.1 200 OK\r\nX-A: "+strings.Repeat("x", 256<<10)+"\r\n\r\n{}", leave), "DefaultUserMessageIfRequestFailed", "", false},
		"no TLS":            {strings.Replace(clear.URL, "http:", "https:", 1), "DefaultUserMessageIfRequestFailed", "does not speak TLS", false},
		"unknown authority": {stranger.URL, "DefaultUserMessageIfRequestFailed", "signed by an unknown authority", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := restful.Options{AllowHTTP: true, AllowPrivate: true, Resolver: zone.Start(t)}
			if test.impatient {
				o.Timeout = 20 * time.Millisecond
			}
			p, _ := load(t, profile("ServiceUrl="+test.url+"/path?code=url-Secret SendClaimsIn=QueryString"+open, in("email"), out("name")))
			_, _, err := call(t, client(t, o), p, "email", mailTo)
			text, failure := told(t, err)
			log := failure.Error()
			if failure.Key != test.key || !strings.Contains(log, test.log) {
				t.Errorf("told %s, logged %s", failure.Key, log)
			}
			for _, secret := range []string{"url-Secret", mailTo, "/path", "ESMTP", "fabrikam"} {
				if strings.Contains(text+log, secret) {
					t.Errorf("%q or %q shows %q", text, log, secret)
				}
			}
		})
	}
}

func TestTLSBefore12IsNotSpoken(t *testing.T) {
	reached := false
	old := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	old.Config.ErrorLog = quiet()
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	t.Cleanup(old.Close)
	p, _ := load(t, profile("ServiceUrl="+old.URL+open))
	_, _, err := call(t, client(t, options(old)), p)
	if _, failure := told(t, err); reached || strings.Contains(failure.Error(), "status") {
		t.Errorf("reached: %t, %v", reached, failure)
	}
}

func TestATextForAnyFailureStandsForATimeToo(t *testing.T) {
	wait := until(t)
	url := raw(t, func(net.Conn) { wait() })
	host := strings.TrimPrefix(url, "http://")
	for metadata, want := range map[string]string{
		"": "Failed to establish connection to restful service end point within timeout limit 0.02 seconds.",
		"UserMessageIfRequestTimeout={0}_seconds_for_{1}": "0.02 seconds for " + host,
		"DefaultUserMessageIfRequestFailed=Look_at_{0}":   "Look at " + host,
	} {
		p, _ := load(t, profile("ServiceUrl="+url+"/path"+open+" "+metadata))
		_, _, err := call(t, client(t, restful.Options{AllowHTTP: true, AllowPrivate: true, Timeout: 20 * time.Millisecond}), p)
		if text, _ := told(t, err); text != want {
			t.Errorf("told %q, want %q", text, want)
		}
	}
}

func TestACallThatIsGivenUpIsNoRefusal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	wait := until(t)
	url := raw(t, func(net.Conn) { cancel(); wait() })
	p, found := load(t, profile("ServiceUrl="+url+open))
	c := client(t, restful.Options{AllowHTTP: true, AllowPrivate: true})
	if err := c.Run(ctx, &execute.Call{Policy: p, Profile: found}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A service may have done what it was asked for before it closed a connection that was kept: a GET may send a message too.
func TestACallIsMadeOnce(t *testing.T) {
	for _, place := range []string{"QueryString", "Body"} {
		var asked atomic.Int32
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) == 1 {
				_, _ = io.WriteString(w, "{}")
				return
			}
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_ = conn.Close()
		})
		p, _ := load(t, profile("ServiceUrl="+server.URL+open+" SendClaimsIn="+place, in("email"), out("name")))
		c := client(t, options(server))
		if _, _, err := call(t, c, p, "email", mailTo); err != nil {
			t.Fatal(err)
		}
		_, _, err := call(t, c, p, "email", mailTo)
		if _, failure := told(t, err); asked.Load() != 2 || !strings.Contains(failure.Error(), "connection closed") {
			t.Errorf("%s: the second call was made %d times: %v", place, asked.Load()-1, failure)
		}
	}
}

func TestNobodyWaitsForAnAnswerThatIsNotNeeded(t *testing.T) {
	wait := until(t)
	url := raw(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{")
		wait()
	})
	p, _ := load(t, profile("ServiceUrl="+url+open))
	if _, _, err := call(t, client(t, restful.Options{AllowHTTP: true, AllowPrivate: true, Timeout: time.Hour}), p); err != nil {
		t.Errorf("the service has taken it: %v", err)
	}
}

func TestAPolicyHasTextsOfItsOwn(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	host := closed.Addr().String()
	for name, test := range map[string]struct{ metadata, want string }{
		"nothing":   {"", "Unable to connect to the restful service end point."},
		"its key":   {"UserMessageIfCircuitOpen=not_now DefaultUserMessageIfRequestFailed=sorry", "not now"},
		"any":       {"DefaultUserMessageIfRequestFailed=sorry UserMessageIfRequestTimeout=late", "sorry"},
		"other":     {"UserMessageIfRequestTimeout=late", "Unable to connect to the restful service end point."},
		"arguments": {"UserMessageIfCircuitOpen={0}._Look_at_{1}", "Unable to connect to the restful service end point. Look at " + host},
		"any's":     {"DefaultUserMessageIfRequestFailed=Look_at_{0}", "Look at " + host},
	} {
		p, _ := load(t, profile("ServiceUrl=http://"+host+"/path"+open+" "+test.metadata))
		_, _, err := call(t, client(t, restful.Options{AllowHTTP: true, AllowPrivate: true}), p)
		if text, _ := told(t, err); text != test.want {
			t.Errorf("%s: told %q", name, text)
		}
	}
}

func TestThePersonsLanguageCountsBeforeTheProfilesText(t *testing.T) {
	const localization = `<ContentDefinitions><ContentDefinition Id="api.page"><LoadUri>~/a.html</LoadUri><RecoveryUri>~/a.html</RecoveryUri><DataUri>urn:com:microsoft:aad:b2c:elements:contract:selfasserted:2.1.7</DataUri>
<LocalizedResourcesReferences><LocalizedResourcesReference Language="fr" LocalizedResourcesReferenceId="page.fr"/></LocalizedResourcesReferences></ContentDefinition></ContentDefinitions>
<Localization Enabled="true"><SupportedLanguages DefaultLanguage="en"><SupportedLanguage>en</SupportedLanguage><SupportedLanguage>fr</SupportedLanguage></SupportedLanguages>
<LocalizedResources Id="page.fr"><LocalizedStrings><LocalizedString ElementType="ErrorMessage" StringId="DefaultUserMessageIfRequestFailed">Plus tard.</LocalizedString></LocalizedStrings></LocalizedResources></Localization>`
	page := `<TechnicalProfile Id="Page"><DisplayName>Page</DisplayName><Protocol Name="Proprietary" Handler="Web.TPEngine.Providers.SelfAssertedAttributeProvider, Web.TPEngine"/>
<Metadata><Item Key="ContentDefinitionReferenceId">api.page</Item></Metadata><OutputClaims><OutputClaim ClaimTypeReferenceId="email"/></OutputClaims>
<ValidationTechnicalProfiles><ValidationTechnicalProfile ReferenceId="Rest"/></ValidationTechnicalProfiles></TechnicalProfile>`
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	p, _ := loadWith(t, profile("ServiceUrl="+server.URL+open+" DefaultUserMessageIfRequestFailed=Later.")+page, localization, "Development")
	r := &execute.Runner{Handlers: map[string]execute.Handler{restful.Kind: client(t, options(server))}, Now: time.Now}
	telling := func(p *trustframework.Policy, locale, want string) {
		t.Helper()
		claims := &claim.Bag{}
		claims.Set("email", claim.Text(mailTo))
		_, err := r.Run(t.Context(), execute.Request{Policy: p, Profile: "Page", Claims: claims, Session: &execute.Session{}, Scene: execute.Scene{Locale: locale}})
		if text, _ := told(t, err); text != want {
			t.Errorf("%s: told %q, want %q", locale, text, want)
		}
	}
	telling(p, "fr-CA", "Plus tard.")
	telling(p, "en", "Later.")
	server.Close()
	p, _ = loadWith(t, profile("ServiceUrl="+server.URL+open)+page, localization, "Development")
	telling(p, "fr", "Plus tard.") // there is no French text for a service that cannot be reached
}
