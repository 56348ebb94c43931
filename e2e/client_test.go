package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// client speaks REST to a server.
type client struct {
	t    testing.TB
	base string
	key  string
	http *http.Client
}

// newClient calls the public listener of a server with an application's key.
func newClient(t testing.TB, p *server, key string) *client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 256}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{t: t, base: "http://" + p.public, key: key, http: &http.Client{Transport: transport, Timeout: patience}}
}

// answer is one answer of a server.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// send makes one request; a failure to get any answer is an error.
func (c *client) send(method, path, body string) (answer, error) {
	r, err := http.NewRequest(method, c.base+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	return c.do(r)
}

func (c *client) do(r *http.Request) (answer, error) {
	got, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, body}, err
}

// planted makes a request whose id, which is logged as it comes, is a text of the caller's.
func (c *client) planted(id string) (answer, error) {
	r, err := http.NewRequest("GET", c.base+"/v1/passcodes/pc_1", nil)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("X-Request-Id", id)
	return c.do(r)
}

// call makes one request, wants the status, and reads the answer into the shape T.
func call[T any](c *client, method, path, body string, status int) (into T) {
	c.t.Helper()
	got, err := c.send(method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	if got.status != status {
		c.t.Fatalf("%s %s: got %v, want status %d", method, path, got, status)
	}
	if err := json.Unmarshal(got.body, &into); err != nil {
		c.t.Fatalf("%s %s: %v in %s", method, path, err, got.body)
	}
	return into
}

// refused makes a request and wants a problem document of that status.
func (c *client) refused(method, path, body string, status int) (problem, http.Header) {
	c.t.Helper()
	got, err := c.send(method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return got.problem(c.t, status), got.header
}

// problem reads a problem document and checks its form (RFC 9457 §3).
func (a answer) problem(t testing.TB, status int) (p problem) {
	t.Helper()
	if err := json.Unmarshal(a.body, &p); err != nil || a.status != status || p.Status != status || p.Type == "" ||
		p.Title == "" || p.Code == "" || a.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("got %v %v, want a problem document of status %d", a, a.header, status)
	}
	return p
}

// problem is a problem document.
type problem struct {
	Type, Title, Detail, Code, Instance string
	Status                              int
	Errors                              []struct{ Field, Detail string }
}

// passcode is what an issue and a resend answer.
type passcode struct {
	ID           string
	Status       string
	To           string
	AttemptsLeft int        `json:"attempts_left"`
	ResendAt     *time.Time `json:"resend_at"`
	Delivery     struct {
		State    string
		Provider string
		Attempts int
	}
}

// verdict is what a verify answers.
type verdict struct {
	Verified     bool
	Status       string
	Reason       string
	AttemptsLeft int `json:"attempts_left"`
}

// issue asks for a passcode. more are further members, each with a comma before it.
func (c *client) issue(to, more string) passcode {
	c.t.Helper()
	return call[passcode](c, "POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q%s}`, to, more), 201)
}

func (c *client) verify(id, code string) verdict {
	c.t.Helper()
	return call[verdict](c, "POST", "/v1/passcodes/"+id+"/verify", fmt.Sprintf(`{"code":%q}`, code), 200)
}

// address is the mailbox of the nth person.
func address(n int) string { return fmt.Sprintf("person%d@example.test", n) }

// issueAll issues one passcode to each of n people, many at a time, and wants each of them accepted.
func (c *client) issueAll(first, n int) {
	c.t.Helper()
	together(min(n, 32), n, func(i int) {
		got, err := c.send("POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q}`, address(first+i)))
		if err != nil || got.status != 201 {
			c.t.Errorf("issue %d: %v %v", i, got, err)
		}
	})
	if c.t.Failed() {
		c.t.FailNow()
	}
}

// together calls f for 0 to n-1 in so many goroutines and returns when all are done.
func together(goroutines, n int, f func(i int)) {
	todo := make(chan int)
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for i := range todo {
				f(i)
			}
		})
	}
	for i := range n {
		todo <- i
	}
	close(todo)
	all.Wait()
}

// get reads a path of the operations listener.
func (p *server) get(path string) (answer, error) {
	got, err := http.Get("http://" + p.ops + path)
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, body}, err
}
