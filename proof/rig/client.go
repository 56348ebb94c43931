package rig

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

// Client speaks REST to a server.
type Client struct {
	t    testing.TB
	base string
	key  string
	HTTP *http.Client
}

// NewClient calls the public listener of a server with an application's key.
func NewClient(t testing.TB, p *Server, key string) *Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 256}
	t.Cleanup(transport.CloseIdleConnections)
	return &Client{t: t, base: "http://" + p.Public, key: key, HTTP: &http.Client{Transport: transport, Timeout: Patience}}
}

// Answer is one answer of a server.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

func (a Answer) String() string { return fmt.Sprintf("%d %s", a.Status, a.Body) }

// Send makes one request; a failure to get any answer is an error.
func (c *Client) Send(method, path, body string) (Answer, error) {
	r, err := http.NewRequest(method, c.base+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return Answer{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	return c.Do(r)
}

func (c *Client) Do(r *http.Request) (Answer, error) {
	got, err := c.HTTP.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	return Answer{got.StatusCode, got.Header, body}, err
}

// Planted makes a request whose id, which is logged as it comes, is a text of the caller's.
func (c *Client) Planted(id string) (Answer, error) {
	r, err := http.NewRequest("GET", c.base+"/v1/passcodes/pc_1", nil)
	if err != nil {
		return Answer{}, err
	}
	r.Header.Set("X-Request-Id", id)
	return c.Do(r)
}

// Call makes one request, wants the status, and reads the answer into the shape T.
func Call[T any](c *Client, method, path, body string, status int) (into T) {
	c.t.Helper()
	got, err := c.Send(method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	if got.Status != status {
		c.t.Fatalf("%s %s: got %v, want status %d", method, path, got, status)
	}
	if err := json.Unmarshal(got.Body, &into); err != nil {
		c.t.Fatalf("%s %s: %v in %s", method, path, err, got.Body)
	}
	return into
}

// Refused makes a request and wants a problem document of that status.
func (c *Client) Refused(method, path, body string, status int) (problem, http.Header) {
	c.t.Helper()
	got, err := c.Send(method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return got.Problem(c.t, status), got.Header
}

// Problem reads a problem document and checks its form (RFC 9457 §3).
func (a Answer) Problem(t testing.TB, status int) (p problem) {
	t.Helper()
	if err := json.Unmarshal(a.Body, &p); err != nil || a.Status != status || p.Status != status || p.Type == "" ||
		p.Title == "" || p.Code == "" || a.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("got %v %v, want a problem document of status %d", a, a.Header, status)
	}
	return p
}

// problem is a problem document.
type problem struct {
	Type, Title, Detail, Code, Instance string
	Status                              int
	Errors                              []struct{ Field, Detail string }
}

// Passcode is what an issue and a resend answer.
type Passcode struct {
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

// Issue asks for a passcode. more are further members, each with a comma before it.
func (c *Client) Issue(to, more string) Passcode {
	c.t.Helper()
	return Call[Passcode](c, "POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q%s}`, to, more), 201)
}

// longestWait is how long a caller may wait for the end of a delivery.
const longestWait = 10 * time.Second

// IssueAndWait is Issue by a caller who waits for the end of the delivery.
func (c *Client) IssueAndWait(to, more string) Passcode {
	c.t.Helper()
	began := time.Now()
	return c.ended(c.Issue(to, fmt.Sprintf(`,"wait_ms":%d`, longestWait.Milliseconds())+more), began)
}

// ResendAndWait asks for the message again and waits for the end of its delivery.
func (c *Client) ResendAndWait(id string) Passcode {
	c.t.Helper()
	began := time.Now()
	body := fmt.Sprintf(`{"wait_ms":%d}`, longestWait.Milliseconds())
	return c.ended(Call[Passcode](c, "POST", "/v1/passcodes/"+id+"/resend", body, 200), began)
}

// ended is p once its delivery has ended. An answer that came before that has used up the longest wait, as it may on a slow
// machine: then the caller goes on asking.
func (c *Client) ended(p Passcode, began time.Time) Passcode {
	c.t.Helper()
	open := func() bool { return p.Delivery.State == "queued" || p.Delivery.State == "sending" }
	if took := time.Since(began); open() && took < longestWait {
		c.t.Errorf("a caller who waits up to %v is told %q after %v", longestWait, p.Delivery.State, took)
	}
	Await(c.t, "the delivery to end", func() bool {
		if open() {
			p = Call[Passcode](c, "GET", "/v1/passcodes/"+p.ID, "", 200)
		}
		return !open()
	})
	return p
}

func (c *Client) Verify(id, code string) verdict {
	c.t.Helper()
	return Call[verdict](c, "POST", "/v1/passcodes/"+id+"/verify", fmt.Sprintf(`{"code":%q}`, code), 200)
}

// Address is the mailbox of the nth person.
func Address(n int) string { return fmt.Sprintf("person%d@example.test", n) }

// IssueAll issues one passcode to each of n people, many at a time, and wants each of them accepted.
func (c *Client) IssueAll(first, n int) {
	c.t.Helper()
	Together(min(n, 32), n, func(i int) {
		got, err := c.Send("POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q}`, Address(first+i)))
		if err != nil || got.Status != 201 {
			c.t.Errorf("issue %d: %v %v", i, got, err)
		}
	})
	if c.t.Failed() {
		c.t.FailNow()
	}
}

// Together calls f for 0 to n-1 in so many goroutines and returns when all are done.
func Together(goroutines, n int, f func(i int)) {
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

// Shown is what a path of the operations listener shows once it answers 200: a slow database makes a server unready for a
// moment.
func (p *Server) Shown(t testing.TB, path string) (shown Answer) {
	t.Helper()
	Await(t, path, func() bool {
		var err error
		shown, err = p.Get(path)
		return err == nil && shown.Status == http.StatusOK
	})
	return shown
}

// Get reads a path of the operations listener.
func (p *Server) Get(path string) (Answer, error) {
	got, err := http.Get("http://" + p.ops + path)
	if err != nil {
		return Answer{}, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	return Answer{got.StatusCode, got.Header, body}, err
}
