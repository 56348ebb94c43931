package failover_test

import (
	"bufio"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
)

const apiKey = "re_failover_0123456789"

func itoa(n int) string { return strconv.Itoa(n) }

// vendor is the API of Resend, as far as a mail needs it, which misbehaves until it is made well.
type vendor struct {
	fault    *fault
	listener net.Listener
	stop     chan struct{}

	mu   sync.Mutex
	well bool
	// takes are how often the message of each delivery was kept, asked how often one came.
	takes, asked map[string]int
	conns        map[net.Conn]bool
	// broken are rules of the contract that otpost broke.
	broken []string
}

// visit is one request that the vendor answers.
type visit struct {
	conn net.Conn
	stop <-chan struct{}
}

func openVendor(t testing.TB, f *fault) *vendor {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &vendor{fault: f, listener: l, stop: make(chan struct{}), takes: map[string]int{}, asked: map[string]int{}, conns: map[net.Conn]bool{}}
	go v.accept()
	t.Cleanup(v.close)
	return v
}

func (v *vendor) url() string { return "http://" + v.listener.Addr().String() }

func (v *vendor) accept() {
	for {
		c, err := v.listener.Accept()
		if err != nil {
			return
		}
		v.mu.Lock()
		v.conns[c] = true
		v.mu.Unlock()
		go v.attend(c)
	}
}

func (v *vendor) close() {
	close(v.stop)
	v.listener.Close()
	v.mu.Lock()
	defer v.mu.Unlock()
	for c := range v.conns {
		c.Close()
	}
}

// recover makes the vendor well.
func (v *vendor) recover() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.well = true
}

// attend serves one connection.
func (v *vendor) attend(c net.Conn) {
	defer func() {
		c.Close()
		v.mu.Lock()
		delete(v.conns, c)
		v.mu.Unlock()
	}()
	in := bufio.NewReader(c)
	v.mu.Lock()
	misbehaves := !v.well
	v.mu.Unlock()
	if misbehaves && v.fault.hello != "" {
		io.WriteString(c, v.fault.hello)
	}
	for v.request(c, in) {
	}
}

// request takes one request and answers it; it reports whether another may follow.
func (v *vendor) request(c net.Conn, in *bufio.Reader) bool {
	r, err := http.ReadRequest(in)
	if err != nil {
		return false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	visit := &visit{conn: c, stop: v.stop}
	id, problem := read(r, body)
	if problem != "" {
		v.mu.Lock()
		v.broken = append(v.broken, problem)
		v.mu.Unlock()
		return reply("422 Unprocessable Entity", `{"name":"validation_error","message":"`+problem+`"}`)(visit)
	}
	return v.answer(id)(visit)
}

// answer keeps the message, or not, and says how to answer.
func (v *vendor) answer(id string) func(*visit) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked[id]++
	if v.well || v.fault.takes {
		v.takes[id]++
	}
	if v.well {
		return reply("200 OK", `{"id":"ref_`+id+`"}`)
	}
	return v.fault.answer
}

// read checks a request of a mail as Resend does (resend-openapi 1.5.0, SendEmailRequest), and says whose it is.
func read(r *http.Request, body []byte) (id, problem string) {
	var mail struct {
		From, Subject, Text string
		To                  []string
		Tags                []struct{ Name, Value string }
	}
	id = r.Header.Get("Idempotency-Key")
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/emails":
		return id, "no such path"
	case r.Header.Get("Authorization") != "Bearer "+apiKey:
		return id, "the key is missing"
	case media != "application/json" || json.Unmarshal(body, &mail) != nil:
		return id, "the body is no JSON"
	case mail.From == "" || mail.Subject == "" || mail.Text == "" || len(mail.To) != 1:
		return id, "a field is missing"
	case id == "" || len(id) > 256 || len(mail.Tags) != 1 || mail.Tags[0].Value != id:
		return id, "key and tag do not name one message"
	}
	return id, ""
}

// kept is a copy of how often each message was kept.
func (v *vendor) kept() map[string]int {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := make(map[string]int, len(v.takes))
	for id, n := range v.takes {
		all[id] = n
	}
	return all
}

// complaints are the rules that otpost broke.
func (v *vendor) complaints() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string(nil), v.broken...)
}
