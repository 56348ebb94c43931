package wire_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/otpost/otpost/bench/internal/wire"
)

// canned answers every write with the same bytes.
type canned struct{ io.Reader }

func (canned) Write(p []byte) (int, error) { return len(p), nil }

func TestAnswersOfARealServer(t *testing.T) {
	long := strings.Repeat("0123456789", 3000)
	mux := http.NewServeMux()
	mux.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(201)
		io.WriteString(w, "made")
	})
	mux.HandleFunc("/none", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) })
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, r *http.Request) {
		for part := range strings.SplitSeq(long, "55") {
			io.WriteString(w, part+"55")
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/long", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, long) })
	mux.HandleFunc("/hint", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "after the hint")
	})
	mux.HandleFunc("/close", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Connection", "close") })
	server := httptest.NewServer(mux)
	defer server.Close()
	stream, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	c := wire.New(stream)

	for _, want := range []struct {
		path   string
		status int
		body   string
		reuse  bool
	}{
		{"/plain", 201, "made", true},
		{"/none", 204, "", true},
		{"/chunked", 200, long + "55", true},
		{"/long", 200, long, true},
		{"/hint", 200, "after the hint", true},
		{"/missing", 404, "404 page not found\n", true},
		{"/close", 200, "", false},
	} {
		got, err := c.Do([]byte("GET " + want.path + " HTTP/1.1\r\nHost: bench\r\n\r\n"))
		if err != nil {
			t.Fatalf("%s: %v", want.path, err)
		}
		if got.Status != want.status || string(got.Body) != want.body || c.Reusable() != want.reuse {
			t.Errorf("%s: got %d, %d bytes, reusable %v; want %d, %d bytes, %v", want.path, got.Status, len(got.Body),
				c.Reusable(), want.status, len(want.body), want.reuse)
		}
	}
}

func TestMalformedAnswersAreErrors(t *testing.T) {
	for name, answer := range map[string]string{
		"not HTTP":          "220 mail ready\r\n\r\n",
		"no status code":    "HTTP/1.1 abc OK\r\n\r\n",
		"status too long":   "HTTP/1.1 2000\r\nContent-Length: 0\r\n\r\n",
		"no length":         "HTTP/1.1 200 OK\r\n\r\nbody",
		"negative length":   "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"two lengths":       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"huge length":       "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
		"too much body":     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
		"unknown encoding":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"bad chunk size":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"bad chunk end":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
		"bytes after chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore",
		"endless head":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", wire.MaxAnswer),
	} {
		if got, err := wire.New(canned{strings.NewReader(answer)}).Do(nil); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%s: got status %d and error %v, want a malformed answer", name, got.Status, err)
		}
	}
}

func TestEndOfStream(t *testing.T) {
	for answer, want := range map[string]error{
		"":            io.EOF,
		"HTTP/1.1 20": io.ErrUnexpectedEOF,
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab":               io.ErrUnexpectedEOF,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab": io.ErrUnexpectedEOF,
	} {
		if _, err := wire.New(canned{strings.NewReader(answer)}).Do(nil); err != want {
			t.Errorf("after %q: got %v, want %v", answer, err, want)
		}
	}
}

func TestMember(t *testing.T) {
	body := []byte(`{"id": "abc", "status":"id","n" : 4,"left":0, "verified":true}`)
	for name, want := range map[string]string{
		`"id"`: "abc", `"status"`: "id", `"n"`: "4", `"left"`: "0", `"verified"`: "true", `"absent"`: "",
	} {
		if got := string(wire.Member(body, name)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// FuzzAnswer holds that any bytes give the same answer or the same kind of failure however the network cuts them.
func FuzzAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n")
	f.Add("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404\r\ncontent-length:0\r\nconnection: close\r\n\r\n")
	f.Fuzz(func(t *testing.T, answer string) {
		whole, wholeErr := wire.New(canned{strings.NewReader(answer)}).Do(nil)
		bytewise, bytewiseErr := wire.New(canned{iotest.OneByteReader(strings.NewReader(answer))}).Do(nil)
		if wholeErr != nil {
			return // surplus bytes are only seen when they come along, so failures may differ
		}
		if bytewiseErr != nil || whole.Status != bytewise.Status || string(whole.Body) != string(bytewise.Body) {
			t.Fatalf("at once: %d %q; byte by byte: %d %q, %v", whole.Status, whole.Body, bytewise.Status,
				bytewise.Body, bytewiseErr)
		}
	})
}

func FuzzMember(f *testing.F) {
	f.Add(`{"id":"x"}`)
	f.Add(`"id" "id":`)
	f.Fuzz(func(t *testing.T, body string) {
		if got := wire.Member([]byte(body), `"id"`); !strings.Contains(body, string(got)) {
			t.Fatalf("%q is no part of %q", got, body)
		}
	})
}
