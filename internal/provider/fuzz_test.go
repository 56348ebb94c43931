package provider_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

const passwordOfTheFuzzer = "correct-horse"

// FuzzSMTPReply lets a mail server say anything at any step, and then go on as it should. Nothing counts as taken that
// it did not take, and nothing it said is kept that holds the code or the password or is unfit for a line of text.
func FuzzSMTPReply(f *testing.F) {
	steps := []string{"greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "dot"}
	for i, seed := range []string{"220-hello\r\n220 there", "250-PIPELINING\r\n250-AUTH LOGIN\r\n250-SIZE", "334 UGFzc3dvcmQ6",
		"553 5.1.7 codes@example.org", "550 5.1.1 <jane@example.com>: 482913 correct-horse", "354 go", "250 2.0.0 Ok: queued as 482913A7"} {
		f.Add(uint8(i), []byte(seed))
	}
	for _, seed := range []string{"421 4.7.0 later", "4", "250", "250-", "999 x", "452 4.2.2 full\n\n", "550 \xff\xfe\x00\x1b[31m", "25 0", "-1",
		"250 " + strings.Repeat("x", 5000), strings.Repeat("250-x\r\n", 500), "454 Throttling failure", "550 5.1.1", "550 9.9.9 x", "550 5.1000.1 x"} {
		f.Add(uint8(4), []byte(seed))
		f.Add(uint8(6), []byte(seed))
	}
	m := sampleMessage()
	f.Fuzz(func(t *testing.T, at uint8, said []byte) {
		server := &script{extensions: []string{"AUTH PLAIN"}}
		step := steps[int(at)%len(steps)]
		server.at = func(s string, _ int) act {
			if s != step {
				return nil
			}
			return first(said, step)
		}
		settings := inClear(server.start(t))
		settings["username"], settings["password"], settings["insecure"] = "codes", passwordOfTheFuzzer, "true"
		s := openSMTP(t, settings)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ref, err := s.Send(ctx, "dlv_1", m)
		if ctx.Err() != nil {
			t.Fatalf("at %s the server said %q, and the conversation went on without an end", step, said)
		}
		if err == nil {
			if !slices.Contains(server.said(), ".") {
				t.Errorf("at %s the server said %q: taken as %q, though it got no message", step, said, ref)
			}
			checkKept(t, "reference", ref, &m)
			return
		}
		got := checkFault(t, err, &m)
		refusal := step == "dot" && (bytes.HasPrefix(said, []byte("4")) || bytes.HasPrefix(said, []byte("5")) || bytes.Contains(said, []byte("\n")))
		if slices.Contains(server.said(), ".") && step == "dot" && got.Class != outbox.Ambiguous && !refusal {
			t.Errorf("the server got the message and said %q: %v, though nobody knows", said, got)
		}
	})
}

// first says said on a line of its own, and then the usual reply. While a connection is set up, a reply that has no end
// would leave both sides waiting for each other until a timeout, so there the server hangs up unless what it said is a
// part of the usual reply.
func first(said []byte, step string) act {
	usual := map[string]string{"greeting": "220 hello", "EHLO": "250-hello\r\n250 AUTH PLAIN LOGIN", "AUTH": "235 2.7.0 in",
		"DATA": "354 go ahead"}[step]
	setup := step == "greeting" || step == "EHLO" || step == "AUTH"
	if usual == "" {
		usual = "250 2.0.0 ok"
	}
	return func(c *scriptConn) bool {
		lines := strings.Split(usual, "\r\n")
		c.said = lines[len(lines)-1]
		reply := []byte(usual + "\r\n")
		if len(said) > 0 {
			reply = slices.Concat(said, []byte("\r\n"), reply)
		}
		_, err := c.Write(reply)
		return err == nil && (!setup || continues(said, usual[:3]))
	}
}

// continues reports whether each line of said leads on to a line with that code.
func continues(said []byte, code string) bool {
	for line := range strings.SplitSeq(string(said), "\r\n") {
		if line != "" && !strings.HasPrefix(line, code+"-") || strings.ContainsAny(line, "\r\n") {
			return false
		}
	}
	return true
}

// checkFault wants one of the classes, and nothing in the text that must not be stored or shown.
func checkFault(t *testing.T, err error, m *outbox.Message) *outbox.Fault {
	t.Helper()
	got := fault(t, err)
	if !slices.Contains(outbox.Classes(), got.Class) || got.RetryAfter < 0 || got.RetryAfter > 24*time.Hour {
		t.Errorf("fault %+v", got)
	}
	checkKept(t, "code", got.Code, m)
	checkKept(t, "detail", got.Detail, m)
	return got
}

func checkKept(t *testing.T, what, text string, m *outbox.Message) {
	t.Helper()
	if !utf8.ValidString(text) || len(text) > 200 || strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("the %s %q is not a line of text", what, text)
	}
	for _, secret := range []string{m.Code, m.To, passwordOfTheFuzzer} {
		if strings.Contains(strings.ToLower(text), secret) {
			t.Errorf("the %s %q holds %q", what, text, secret)
		}
	}
}

// FuzzShortMessageReports lets those who know the secret say anything: what is read of it names a message, has an event,
// and keeps no words of theirs.
func FuzzShortMessageReports(f *testing.F) {
	delivered, _ := json.Marshal(vonageReceipt("delivered", "0"))
	failed, _ := json.Marshal(vonageReceipt("failed", "482913 jane"))
	for _, seed := range []string{string(delivered), string(failed), `{"results":[{"messageId":"a","status":{"groupName":"REJECTED","id":52}}]}`,
		`{"type":"passcode.bounced","data":{"ref":"a","reason":"jane@example.com"}}`, "messageId=a&status=failed&err-code=-1", "[", "null", `{"results":[{}]}`} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	settings := map[string]map[string]string{"vonage": vonageSettings(), "webhook": guarded("https://hook.example.org"),
		"infobip": infobipSettings("endpoint", "https://xxxxx.api.infobip.com")}
	f.Fuzz(func(t *testing.T, body string, object bool) {
		header, err := provider.SignWebhook(secretText(newSecret), "rep_1", examNow, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if object {
			header.Set("Content-Type", "application/json")
		}
		for name, s := range settings {
			told, err := receiptsOf(t, name, s).Read(t.Context(), provider.Posted{URL: reportsURL, Method: "POST", Header: header, Body: []byte(body), Secret: "Path-Secret-1"})
			if err != nil && (!errors.Is(err, provider.ErrMalformed) || len(told.Receipts) > 0) {
				t.Errorf("%s: got %+v, %v", name, told, err)
			}
			for _, r := range told.Receipts {
				known := slices.Contains(outbox.Classes(), r.Class) && r.Report == outbox.ReportBounced || r.Class == "" && r.Report != outbox.ReportBounced
				if r.Event == "" || r.Ref == "" && r.Delivery == "" || !known || strings.Trim(r.Code, "-0123456789 ") != "" || r.Detail != "" {
					t.Errorf("%s: got %+v", name, r)
				}
			}
		}
	})
}

// A vendor of short messages repeats a number as it was sent it, which is often without the plus.
func TestScrubTakesANumberAwayWithoutItsPlus(t *testing.T) {
	m := outbox.Message{To: "+34600111222", Code: "482913"}
	for text, want := range map[string]string{
		"to +34600111222 is not valid": "to +... is not valid", "34600111222: no route": "...: no route", "no route": "no route",
	} {
		if got := provider.Scrub(text, &m, "", ""); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// FuzzScrub looks for what a server repeats: the code, the address and the credentials, in any text.
func FuzzScrub(f *testing.F) {
	f.Add("550 no such user jane@example.com, your code 482913", "482913", "jane@example.com", "hunter2")
	f.Add("AHVzZXIAaHVudGVyMg== hunter2 HUNTER2", "KXWQZR2A", "+33612345678", "hunter2")
	f.Add("\xff\xfe482913\x00\x1b[31m", "482913", "j@x.example", "482913")
	f.Add(strings.Repeat("@", 300), "1234", "a.b@c.d", "...")
	f.Fuzz(func(t *testing.T, text, code, to, password string) {
		if len(code) < 4 || strings.ContainsFunc(code, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') }) ||
			len(password) < 3 || strings.ContainsFunc(password, func(r rune) bool { return r <= ' ' || r > '~' || r == '.' }) {
			t.Skip()
		}
		m := outbox.Message{To: to, Code: code}
		out := provider.Scrub(text, &m, "user", password)
		if !utf8.ValidString(out) || len(out) > 200 || strings.ContainsFunc(out, unicode.IsControl) {
			t.Errorf("%q became %q", text, out)
		}
		for _, secret := range []string{code, password} {
			if strings.Contains(strings.ToLower(out), strings.ToLower(secret)) {
				t.Errorf("%q became %q, which holds %q", text, out, secret)
			}
		}
		if local, _, found := strings.Cut(to, "@"); found && len(local) > 2 && !strings.Contains(local, ".") && strings.Contains(out, local) && utf8.ValidString(local) {
			t.Errorf("%q became %q, which holds the mailbox %q", text, out, local)
		}
	})
}

// anyServer answers each request with the same bytes and hangs up.
type anyServer struct {
	mu     sync.Mutex
	answer []byte
}

func (s *anyServer) start(t testing.TB) (url string) {
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				s.serve(c)
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/hook?token=" + passwordOfTheFuzzer
}

func (s *anyServer) serve(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Write(s.answer)
}

// FuzzWebhookAnswer lets a webhook's receiver answer anything. Only a status of 2xx counts as taken, and what is kept
// of the answer holds neither the code nor the URL.
func FuzzWebhookAnswer(f *testing.F) {
	for _, seed := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"id\":\"msg_1234\"}", "HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"id\":\"482913\"}", "HTTP/1.0 202 x\r\n\r\n{\"id\":\"a\\u001b[31m\"}",
		"HTTP/1.1 429 Slow\r\nRetry-After: 99999999999999999999\r\n\r\n", "HTTP/1.1 503 x\r\nRetry-After: -1\r\n\r\n",
		"HTTP/1.1 503 x\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n\r\n", "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "SSH-2.0-x\r\n", "",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	server := &anyServer{}
	s := openWebhook(f, server.start(f), nil, provider.Environment{})
	m := sampleMessage()
	f.Fuzz(func(t *testing.T, answer []byte) {
		server.mu.Lock()
		server.answer = answer
		server.mu.Unlock()
		ref, err := s.Send(t.Context(), "dlv_1", m)
		if taken := lastStatus(answer)/100 == 2; err == nil && !taken {
			t.Errorf("%q counts as taken", answer)
		}
		if err == nil {
			checkKept(t, "reference", ref, &m)
			return
		}
		checkFault(t, err, &m)
	})
}

// lastStatus is the first status that is final, 0 when there is none.
func lastStatus(answer []byte) int {
	r := bufio.NewReader(bytes.NewReader(answer))
	for {
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			return 0
		}
		if response.StatusCode/100 != 1 || response.StatusCode == http.StatusSwitchingProtocols {
			return response.StatusCode
		}
	}
}

// FuzzWebhookSecret reads any text as a signing secret. What is taken signs, and no error repeats it.
func FuzzWebhookSecret(f *testing.F) {
	for _, seed := range []string{secretText(newSecret), "whsec_", "whsec_AAAA", "WHSEC_" + strings.Repeat("A", 32), "whsec_" + strings.Repeat("A", 89), "whsec_" + strings.Repeat("A", 31) + "!", "sk_live_x"} {
		f.Add(seed)
	}
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, secret string) {
		header, err := provider.SignWebhook(secret, "dlv_1", at, []byte("body"))
		if err != nil {
			if rest, found := strings.CutPrefix(secret, "whsec_"); found && len(rest) > 8 && strings.Contains(err.Error(), rest) {
				t.Errorf("the error %q repeats the secret", err)
			}
			return
		}
		if n := len(strings.TrimPrefix(secret, "whsec_")); n < 32 || n > 120 || !strings.HasPrefix(header.Get("Webhook-Signature"), "v1,") {
			t.Errorf("%q signs: %v", secret, header)
		}
		other, err := provider.SignWebhook(secret, "dlv_2", at, []byte("body"))
		if err != nil || other.Get("Webhook-Signature") == header.Get("Webhook-Signature") {
			t.Errorf("two messages have the signature %v, %v", other, err)
		}
	})
}
