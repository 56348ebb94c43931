package silence_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// request is one HTTP request. own are the texts of it that an answer repeats: they are masked there.
type request struct {
	method, path, key, body string
	header                  []string
	own                     []string
}

// bytes is the request as it goes over the wire.
func (r *request) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: otp.example.test\r\n", r.method, r.path)
	if r.key != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", r.key)
	}
	for _, line := range r.header {
		b.WriteString(line + "\r\n")
	}
	if r.body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(r.body))
	}
	b.WriteString("\r\n" + r.body)
	return b.Bytes()
}

// wire is one connection that is kept, on which answers are seen byte for byte.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	// seen is what was read of the answer, in the order in which it came.
	seen bytes.Buffer
}

func dial(t testing.TB, address string) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	w := &wire{conn: conn}
	w.in = bufio.NewReader(io.TeeReader(conn, &w.seen))
	return w
}

// ask sends a request and returns the answer as it came, and how long that took.
func (w *wire) ask(t testing.TB, r *request) (answer []byte, took time.Duration) {
	t.Helper()
	text := r.bytes()
	w.seen.Reset()
	start := time.Now()
	w.conn.SetDeadline(start.Add(rig.Patience))
	if _, err := w.conn.Write(text); err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	got, err := http.ReadResponse(w.in, &http.Request{Method: r.method})
	if err == nil {
		_, err = io.Copy(io.Discard, got.Body)
	}
	took = time.Since(start)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	return bytes.Clone(w.seen.Bytes()), took
}

// statusOf is the status of an answer.
func statusOf(answer []byte) (status int) {
	fmt.Sscanf(string(answer), "HTTP/1.1 %d", &status)
	return status
}

// memberOf is a member of an answer's JSON whose value is a string.
func memberOf(answer []byte, name string) string {
	_, rest, _ := strings.Cut(string(answer), `"`+name+`":"`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
