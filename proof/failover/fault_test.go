package failover_test

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// none is the class of a try that the provider took.
const none outbox.Class = ""

// fault is one way in which a vendor misbehaves.
type fault struct {
	name, words string
	// may are the conclusions that are right.
	may []outbox.Class
	// takes: the vendor keeps the message, whatever it answers.
	takes bool
	// lost: its answer does not come, or says nothing. Only then may a message be sent again without a hedge.
	lost bool
	// place is where the vendor is, when that is what is wrong; nil for a port on which it listens.
	place func(*house) string
	// hello is what it says on a new connection before it is asked.
	hello string
	// answer says something to a request, and reports whether another may follow on the connection.
	answer func(*visit) bool
}

var (
	unreached  = []outbox.Class{outbox.Transient}
	ourAccount = []outbox.Class{outbox.Account}
	unknown    = []outbox.Class{outbox.Ambiguous}
	taken      = []outbox.Class{none}
)

// faults are the matrix.
func faults() []*fault {
	return slices.Concat(onTheWay(), refusals(), silences(), oddities())
}

// onTheWay are vendors that nobody gets to speak to.
func onTheWay() []*fault {
	return []*fault{
		{name: "refused", words: "connections are refused", may: unreached, place: (*house).closedPort},
		{name: "unknown-host", words: "its name is not known", may: unreached, place: func(*house) string { return "http://vendor.invalid" }},
		{name: "untrusted", words: "its certificate is signed by nobody known", may: ourAccount, place: (*house).untrusted},
		{name: "blackhole", words: "connections are never completed", may: unreached, place: (*house).blackhole},
	}
}

// refusals are answers that say why nothing was sent.
func refusals() []*fault {
	refusal := func(name, words string, class outbox.Class, status, body string, header ...string) *fault {
		return &fault{name: name, words: words, may: []outbox.Class{class}, answer: reply(status, body, header...)}
	}
	return []*fault{
		refusal("credentials", "401, the key is wrong", outbox.Account, "401 Unauthorized", `{"name":"invalid_api_key","message":"API key is invalid"}`),
		refusal("throttled", "429 with Retry-After in seconds", outbox.Throttled, "429 Too Many Requests",
			`{"name":"rate_limit_exceeded","message":"Too many requests"}`, "Retry-After: 2"),
		{name: "throttled-date", words: "429 with Retry-After as a date", may: []outbox.Class{outbox.Throttled}, answer: throttledUntil},
		refusal("quota", "429, the day's quota is used up", outbox.Quota, "429 Too Many Requests", `{"name":"daily_quota_exceeded","message":"Quota"}`),
		refusal("broken", "500", outbox.Transient, "500 Internal Server Error", `{"name":"application_error","message":"Oops"}`),
		refusal("busy", "503 with a page in HTML", outbox.Transient, "503 Service Unavailable", "<html>busy</html>"),
	}
}

// throttledUntil names a date that is between one and two seconds off, as dates have no fractions.
func throttledUntil(v *visit) bool {
	at := time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat)
	return reply("429 Too Many Requests", `{"name":"rate_limit_exceeded"}`, "Retry-After: "+at)(v)
}

// silences are answers that do not come, or not as one. The message is kept: that is the worse half of not knowing.
func silences() []*fault {
	lost := func(name, words string, answer func(*visit) bool) *fault {
		return &fault{name: name, words: words, may: unknown, takes: true, lost: true, answer: answer}
	}
	return []*fault{
		lost("silent", "it takes the message and never answers", silent),
		lost("slow-headers", "it takes the message and its headers never end", then(say("HTTP/1.1 200 OK\r\nX-A: "), leak("a"))),
		lost("reset", "it takes the message and resets the connection", reset),
		lost("cut-off", "it takes the message and closes amid the headers", then(say("HTTP/1.1 200 OK\r\nContent-Le"), hangUp)),
		lost("babble", "it takes the message and answers with bytes that are no HTTP", then(say("\x00\xff\xfe\r\n\r\n"), hangUp)),
		{name: "unasked", words: "it answers before it is asked", may: []outbox.Class{none, outbox.Ambiguous, outbox.Transient}, takes: true,
			lost: true, hello: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", answer: hangUp},
	}
}

// oddities are answers that accept, each odd in its own way.
func oddities() []*fault {
	odd := func(name, words string, answer func(*visit) bool) *fault {
		return &fault{name: name, words: words, may: taken, takes: true, answer: answer}
	}
	const head = "HTTP/1.1 200 OK\r\n"
	return []*fault{
		odd("slow-body", "200, and its body never ends", then(say(head+"Content-Length: 9999\r\n\r\n"), leak("x"))),
		odd("wrong-length", "200, and a body that is shorter than it says", then(say(head+"Content-Length: 500\r\n\r\n{}"), hangUp)),
		odd("garbage", "200 with a body that is no JSON", reply("200 OK", "\x00\x01 login please")),
	}
}

// say writes bytes as they are.
func say(text string) func(*visit) bool {
	return func(v *visit) bool {
		_, err := io.WriteString(v.conn, text)
		return err == nil
	}
}

// then does one thing after the other.
func then(steps ...func(*visit) bool) func(*visit) bool {
	return func(v *visit) bool {
		for _, do := range steps {
			if !do(v) {
				return false
			}
		}
		return true
	}
}

// hangUp closes the connection.
func hangUp(*visit) bool { return false }

// reset closes it with RST.
func reset(v *visit) bool {
	if tcp, ok := v.conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	return false
}

// silent says nothing more until the other side goes away.
func silent(v *visit) bool {
	io.Copy(io.Discard, v.conn)
	return false
}

// leak writes a little from time to time until the other side goes away.
func leak(text string) func(*visit) bool {
	return func(v *visit) bool {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-v.stop:
				return false
			}
			if _, err := io.WriteString(v.conn, text); err != nil {
				return false
			}
		}
	}
}

// reply is a whole answer.
func reply(status, body string, header ...string) func(*visit) bool {
	lines := append([]string{"HTTP/1.1 " + status, "Content-Type: application/json", "Content-Length: " + itoa(len(body))}, header...)
	return say(strings.Join(lines, "\r\n") + "\r\n\r\n" + body)
}
