package provider_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

var (
	oldSecret = bytes.Repeat([]byte{1}, 24)
	newSecret = bytes.Repeat([]byte{2}, 32)
)

func secretText(keys ...[]byte) string {
	var list []string
	for _, k := range keys {
		list = append(list, "whsec_"+base64.StdEncoding.EncodeToString(k))
	}
	return strings.Join(list, " ")
}

// openWebhook opens a sender that may post to this machine unless settings say otherwise.
func openWebhook(t testing.TB, url string, settings map[string]string, env provider.Environment) outbox.Sender {
	t.Helper()
	all := map[string]string{"url": url, "secrets": secretText(newSecret), "allow_private": "true", "allow_http": "true"}
	maps.Copy(all, settings)
	return openKind(t, "webhook", all, env)
}

func serveHTTP(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestWebhookPostsASignedMessage(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	type post struct {
		header http.Header
		body   []byte
	}
	posts := make(chan post, 2)
	url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posts <- post{r.Header, body}
		io.WriteString(w, `{"id":"msg_77","more":[1]}`)
	})
	s := openWebhook(t, url+"/hook?token=x", map[string]string{"secrets": secretText(newSecret, oldSecret)},
		provider.Environment{Now: func() time.Time { now = now.Add(time.Second); return now }})
	m := sampleMessage()
	ref, err := s.Send(context.Background(), "dlv_1", m)
	if err != nil || ref != "msg_77" {
		t.Fatalf("got %q, %v, want the receiver's id", ref, err)
	}
	if _, err := s.Send(context.Background(), "dlv_1", m); err != nil {
		t.Fatal(err)
	}
	first, second := <-posts, <-posts
	for _, p := range []post{first, second} {
		if p.header.Get("Webhook-Id") != "dlv_1" || p.header.Get("Content-Type") != "application/json" {
			t.Errorf("got headers %v", p.header)
		}
		signed := "dlv_1." + p.header.Get("Webhook-Timestamp") + "." + string(p.body)
		var want []string
		for _, key := range [][]byte{newSecret, oldSecret} {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(signed))
			want = append(want, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		}
		if got := p.header.Get("Webhook-Signature"); got != strings.Join(want, " ") {
			t.Errorf("got signature %q, want %q", got, want)
		}
	}
	if first.header.Get("Webhook-Timestamp") == second.header.Get("Webhook-Timestamp") {
		t.Error("two tries have one timestamp")
	}
	var got map[string]any
	if err := json.Unmarshal(first.body, &got); err != nil {
		t.Fatal(err)
	}
	data := got["data"].(map[string]any)
	if got["type"] != "passcode.send" || !strings.HasPrefix(got["timestamp"].(string), "2026-11-22T10:00:0") {
		t.Errorf("got %v", got)
	}
	for name, want := range map[string]string{"id": "dlv_1", "channel": "email", "to": m.To, "subject": m.Subject,
		"text": m.Text, "html": m.HTML, "language": "en", "code": m.Code, "application": m.Application, "purpose": m.Purpose} {
		if data[name] != want {
			t.Errorf("got data.%s %v, want %q", name, data[name], want)
		}
	}
}

// The vector is the example of the Standard Webhooks specification, "Signature scheme".
func TestWebhookSignatureVector(t *testing.T) {
	h, err := provider.SignWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
		time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := h.Get("webhook-signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWebhookStatus(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		status     int
		retryAfter string
		class      outbox.Class
		wait       time.Duration
	}{
		{200, "", "", 0}, {201, "", "", 0}, {202, "", "", 0}, {204, "", "", 0},
		{301, "", outbox.Account, 0}, {304, "", outbox.Account, 0}, {307, "", outbox.Account, 0},
		{400, "", outbox.RejectedContent, 0}, {401, "", outbox.Account, 0}, {402, "", outbox.Quota, 0},
		{403, "", outbox.Account, 0}, {404, "", outbox.Account, 0}, {408, "3", outbox.Transient, 3 * time.Second},
		{410, "", outbox.Account, 0}, {413, "", outbox.RejectedContent, 0}, {422, "", outbox.RejectedContent, 0},
		{429, "", outbox.Throttled, 0},
		{429, "7", outbox.Throttled, 7 * time.Second},
		{429, "Sun, 22 Nov 2026 10:00:30 GMT", outbox.Throttled, 30 * time.Second},
		{429, "Sunday, 22-Nov-26 10:00:30 GMT", outbox.Throttled, 30 * time.Second},
		{429, "Sun, 22 Nov 2026 09:00:00 GMT", outbox.Throttled, 0},
		{429, "-7", outbox.Throttled, 0}, {429, "soon", outbox.Throttled, 0},
		{429, "99999999999999999", outbox.Throttled, 24 * time.Hour},
		{500, "", outbox.Transient, 0}, {502, "", outbox.Transient, 0}, {503, "2", outbox.Transient, 2 * time.Second}, {504, "", outbox.Transient, 0},
	}
	for _, test := range tests {
		t.Run(http.StatusText(test.status)+" "+test.retryAfter, func(t *testing.T) {
			url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
				if test.retryAfter != "" {
					w.Header().Set("Retry-After", test.retryAfter)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
			})
			_, err := openWebhook(t, url, nil, provider.Environment{Now: func() time.Time { return now }}).
				Send(context.Background(), "dlv_1", sampleMessage())
			if test.class == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if f := fault(t, err); f.Class != test.class || f.RetryAfter != test.wait {
				t.Errorf("got %v after %v, want %s after %v", f, f.RetryAfter, test.class, test.wait)
			}
		})
	}
}

func TestWebhookRefIsOnlyWhatCanBeShown(t *testing.T) {
	for body, want := range map[string]string{
		``: "", `ok`: "", `{}`: "", `[]`: "", `{"id":7}`: "", `{"id":"a\nb"}`: "", `{"id":"` + strings.Repeat("x", 200) + `"}`: "",
		`{"id":"a b"}`: "a b",
	} {
		url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
		ref, err := openWebhook(t, url, nil, provider.Environment{}).Send(context.Background(), "dlv_1", sampleMessage())
		if err != nil || ref != want {
			t.Errorf("%s: got %q, %v, want %q", body, ref, err, want)
		}
	}
}

// rawHTTP answers each connection with what serve writes after the request was read whole.
func rawHTTP(t testing.TB, serve func(c *net.TCPConn)) (url string) {
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c.(*net.TCPConn))
		}
	}()
	return "http://" + l.Addr().String()
}

func readRequest(c net.Conn) {
	r, err := http.ReadRequest(newReader(c))
	if err == nil {
		io.Copy(io.Discard, r.Body)
	}
}

func TestWebhookFaultsOfTheNetwork(t *testing.T) {
	answer := func(text string) func(*net.TCPConn) {
		return func(c *net.TCPConn) {
			defer c.Close()
			readRequest(c)
			io.WriteString(c, text)
		}
	}
	tests := map[string]struct {
		serve func(*net.TCPConn)
		want  outbox.Class
	}{
		"reset before reading": {func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, ""},
		"reset after reading":  {func(c *net.TCPConn) { readRequest(c); c.SetLinger(0); c.Close() }, outbox.Ambiguous},
		"closed after reading": {func(c *net.TCPConn) { readRequest(c); c.Close() }, outbox.Ambiguous},
		"half a header":        {answer("HTTP/1.1 200 O"), outbox.Ambiguous},
		"not HTTP":             {answer("220 mail.example.org ESMTP\r\n"), outbox.Ambiguous},
		"an upgrade unasked":   {answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), outbox.Ambiguous},
		"endless header":       {answer("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100_000)), outbox.Ambiguous},
		"wrong length":         {answer("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}"), outbox.Class("taken")},
		"refused, wrong length": {answer("HTTP/1.1 503 Busy\r\nContent-Length: 500\r\n\r\n{}"),
			outbox.Transient},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := openWebhook(t, rawHTTP(t, test.serve), nil, provider.Environment{}).
				Send(context.Background(), "dlv_1", sampleMessage())
			switch {
			case test.want == "taken":
				if err != nil {
					t.Errorf("got %v, want success", err)
				}
			case test.want == "": // the reset may come before or after the write
				if f := fault(t, err); f.Class != outbox.Transient && f.Class != outbox.Ambiguous {
					t.Errorf("got %v", f)
				}
			case fault(t, err).Class != test.want:
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestWebhookNoAnswerBeforeTheBodyWasReadIsTransient(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	end := make(chan struct{})
	url := rawHTTP(t, func(c *net.TCPConn) {
		defer c.Close()
		cancel()
		<-end
	})
	_, err := openWebhook(t, url, nil, provider.Environment{}).Send(ctx, "dlv_1", bigMessage())
	close(end)
	if f := fault(t, err); f.Class != outbox.Transient {
		t.Errorf("got %v, want transient: the body does not fit between two sockets", f)
	}
}

func TestWebhookSlowHeadersAreAmbiguous(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	url := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	_, err := openWebhook(t, url, nil, provider.Environment{}).Send(ctx, "dlv_1", sampleMessage())
	if f := fault(t, err); f.Class != outbox.Ambiguous || f.Detail != "cancelled" {
		t.Errorf("got %v, want ambiguous: cancelled", f)
	}
}

func TestWebhookSlowBodyIsNotWaitedFor(t *testing.T) {
	url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"id":`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ref, err := openWebhook(t, url, nil, provider.Environment{}).Send(context.Background(), "dlv_1", sampleMessage())
	if err != nil || ref != "" {
		t.Errorf("got %q, %v, want taken without a reference", ref, err)
	}
}

func TestWebhookEndlessBodyIsCut(t *testing.T) {
	url := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	if _, err := openWebhook(t, url, nil, provider.Environment{}).Send(context.Background(), "dlv_1", sampleMessage()); err != nil {
		t.Error(err)
	}
}

func TestWebhookTimeoutIsItsOwn(t *testing.T) {
	err := inTime(t, func(left time.Duration, there func()) error {
		url := serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			there()
			<-r.Context().Done()
		})
		_, err := openWebhook(t, url, map[string]string{"timeout": left.String()}, provider.Environment{}).
			Send(context.Background(), "dlv_1", sampleMessage())
		return err
	})
	if f := fault(t, err); f.Class != outbox.Ambiguous || f.Detail != "no answer in time" {
		t.Errorf("got %v, want ambiguous: no answer in time", f)
	}
}

func TestWebhookUnreachable(t *testing.T) {
	l := listen(t)
	url := "http://" + l.Addr().String()
	l.Close()
	_, err := openWebhook(t, url+"?token=s3cret", nil, provider.Environment{}).Send(context.Background(), "dlv_1", sampleMessage())
	if f := fault(t, err); f.Class != outbox.Transient || strings.Contains(f.Error(), "s3cret") {
		t.Errorf("got %v, want transient without the URL", f)
	}
}

func TestWebhookChecksTheCertificate(t *testing.T) {
	config, pem := testCertificate(t, "127.0.0.1")
	other, _ := testCertificate(t, "127.0.0.1")
	for _, test := range []struct {
		name string
		tls  *tls.Config
		ok   bool
	}{{"trusted", config, true}, {"foreign", other, false}} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		s.Config.ErrorLog = discardLog()
		s.TLS = test.tls
		s.StartTLS()
		t.Cleanup(s.Close)
		_, err := openWebhook(t, s.URL, map[string]string{"root_ca": pem, "allow_http": "false"}, provider.Environment{}).
			Send(context.Background(), "dlv_1", sampleMessage())
		if test.ok && err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if !test.ok && fault(t, err).Class != outbox.Account {
			t.Errorf("%s: got %v, want config", test.name, err)
		}
	}
}

func TestWebhookAnswerBeforeTheRequestIsNotBelieved(t *testing.T) {
	log.SetOutput(io.Discard) // net/http prints what it finds on an idle connection
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	url := rawHTTP(t, func(c *net.TCPConn) {
		defer c.Close()
		r := newReader(c)
		for {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, request.Body)
			io.WriteString(c, "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	s := openWebhook(t, url, nil, provider.Environment{})
	var all sync.WaitGroup
	for range 16 { // so many that a connection is often given to the next before it was looked at
		all.Go(func() {
			for range 100 {
				if _, err := s.Send(context.Background(), "dlv_1", sampleMessage()); err == nil {
					t.Error("a message that was refused counts as taken")
				}
			}
		})
	}
	all.Wait()
}

func TestWebhookToAPortWithoutTLSIsOurSetting(t *testing.T) {
	plain := strings.Replace(serveHTTP(t, func(http.ResponseWriter, *http.Request) {}), "http:", "https:", 1)
	mail := strings.Replace(rawHTTP(t, func(c *net.TCPConn) {
		defer c.Close()
		io.WriteString(c, "220 mail.example.org ESMTP\r\n")
		io.Copy(io.Discard, c)
	}), "http:", "https:", 1)
	for name, url := range map[string]string{"HTTP in clear": plain, "mail": mail} {
		_, err := openWebhook(t, url, nil, provider.Environment{}).Send(context.Background(), "dlv_1", sampleMessage())
		if f := fault(t, err); f.Class != outbox.Account || !strings.Contains(f.Detail, "does not speak TLS") {
			t.Errorf("%s: got %v, want config: the server does not speak TLS", name, f)
		}
	}
}

func TestWebhookSettings(t *testing.T) {
	good := secretText(newSecret)
	for _, test := range []struct {
		settings map[string]string
		want     string
	}{
		{map[string]string{"url": "https://a.example/x", "secrets": good}, ""},
		{map[string]string{"url": "http://a.example", "secrets": good}, "allow_http"},
		{map[string]string{"url": "http://a.example", "secrets": good, "allow_http": "true"}, ""},
		{map[string]string{"url": "ftp://a.example", "secrets": good}, "want an https URL"},
		{map[string]string{"url": "a.example", "secrets": good}, "want a URL"},
		{map[string]string{"url": "https:a.example", "secrets": good}, "want a URL"},
		{map[string]string{"url": "https://user:pw@a.example", "secrets": good}, "user name"},
		{map[string]string{"url": "https://a.example", "secrets": "s3cret"}, "want whsec_"},
		{map[string]string{"url": "https://a.example", "secrets": "whsec_s3cret!"}, "not base64"},
		{map[string]string{"url": "https://a.example", "secrets": "whsec_c2hvcnQ="}, "24 to 64 bytes"},
		{map[string]string{"url": "https://a.example", "secrets": " , "}, "at least one"},
		{map[string]string{"url": "https://a.example", "secrets": good, "root_ca": "-----BEGIN nothing"}, "no certificate"},
	} {
		k := kind(t, "webhook")
		parsed, err := k.Parse(test.settings)
		if err == nil {
			_, err = k.Open(parsed, provider.Environment{})
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: got %v, want %q", test.settings, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v is in the error", err)
		}
	}
}

func TestInboxKeepsOnce(t *testing.T) {
	box := &memoryInbox{kept: map[string]outbox.Message{}}
	s := openKind(t, "inbox", nil, provider.Environment{Inbox: box})
	m := sampleMessage()
	for range 2 {
		if ref, err := s.Send(context.Background(), "dlv_1", m); err != nil || ref != "dlv_1" {
			t.Fatalf("got %q, %v", ref, err)
		}
	}
	if len(box.kept) != 1 || box.kept["dlv_1"] != m {
		t.Errorf("got %v, want the message once", box.kept)
	}
	box.err = errors.New("disk full of jane@example.com")
	_, err := s.Send(context.Background(), "dlv_2", m)
	if f := fault(t, err); f.Class != outbox.Transient || strings.Contains(f.Error(), "jane") {
		t.Errorf("got %v, want transient", f)
	}
}

func TestInboxNeedsAnInbox(t *testing.T) {
	k := kind(t, "inbox")
	parsed, err := k.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(parsed, provider.Environment{}); err == nil {
		t.Error("an inbox was opened where none is allowed")
	}
}

type memoryInbox struct {
	kept map[string]outbox.Message
	err  error
}

func (b *memoryInbox) Keep(_ context.Context, id string, m outbox.Message) error {
	if _, ok := b.kept[id]; !ok && b.err == nil {
		b.kept[id] = m
	}
	return b.err
}

// A receiver that gives the code back as its id would put it into the database and into answers.
func TestWebhookTakesNoReferenceWithTheCodeInIt(t *testing.T) {
	for answer, want := range map[string]string{`{"id":"482913"}`: "", `{"id":"msg-482913-1"}`: "", `{"id":"msg-482914"}`: "msg-482914"} {
		url := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) })
		ref, err := openWebhook(t, url, nil, provider.Environment{}).Send(context.Background(), "dlv_1", sampleMessage())
		if err != nil || ref != want {
			t.Errorf("%s: got %q, %v, want %q", answer, ref, err, want)
		}
	}
}
