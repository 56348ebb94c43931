package extension

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Bounds and defaults of a caller (Graph, customExtensionClientConfiguration).
const (
	MinTimeout     = 200 * time.Millisecond
	MaxTimeout     = 2000 * time.Millisecond
	DefaultTimeout = 1000 * time.Millisecond
	MaxRetries     = 1
)

// maxAnswer bounds an answer. Entra has a limit of its own (1003024) that it does not publish; the right answer is
// under 200 bytes.
const maxAnswer = 64 << 10

// Caller calls an extension the way Entra does. It is used by many goroutines at once.
type Caller struct {
	// Client carries the calls; nil means http.DefaultClient. Redirects are never followed.
	Client *http.Client
	// Token returns the bearer token to present.
	Token func(ctx context.Context) (string, error)
	// Timeout bounds each attempt, answer included: 200 to 2000 ms, zero means 1000 ms.
	Timeout time.Duration
	// Retries is how often a failed attempt is repeated: 0 or 1.
	Retries int
	// Fallback is true when the listener falls back to Microsoft's own mail on error.
	Fallback bool
	// Casing is how the code's member is written.
	Casing Casing
}

// Attempt is one call.
type Attempt struct {
	// Number counts from 1.
	Number int
	// Status is the HTTP status, zero when there was no answer.
	Status int
	Code   Code
	// At is when it began.
	At   time.Time
	Took time.Duration
	// Err is why there was no answer, nil when there was one.
	Err error
}

// Result is what came of an event.
type Result struct {
	// Sent is true when the receiver said that the code is on its way.
	Sent bool
	// FellBack is true when Microsoft would have mailed the code itself. When neither is true, no code was sent and
	// the sign-in fails.
	FellBack bool
	Attempts []Attempt
}

// Check says what is wrong with the caller's settings.
func (c *Caller) Check() error {
	if c.Timeout != 0 && (c.Timeout < MinTimeout || c.Timeout > MaxTimeout) {
		return fmt.Errorf("timeout: %v is outside %v to %v", c.Timeout, MinTimeout, MaxTimeout)
	}
	if c.Retries < 0 || c.Retries > MaxRetries {
		return fmt.Errorf("retries: %d is outside 0 to %d", c.Retries, MaxRetries)
	}
	return nil
}

// Call posts the event to target and judges the answer. The error is about the caller's side only: a wrong setting, a
// target that is no URL, a token that could not be had, or ctx ending.
func (c *Caller) Call(ctx context.Context, target string, e Event) (Result, error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	token, err := c.Token(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("get token: %w", err)
	}
	body := e.Encode(c.Casing)
	var result Result
	for number := 1; ; number++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
		if err != nil {
			return Result{}, fmt.Errorf("make request: %w", bare(err))
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Client-Request-Id", e.CorrelationID)
		a := c.attempt(req)
		if err := ctx.Err(); err != nil {
			return result, fmt.Errorf("call extension: %w", err)
		}
		a.Number = number
		result.Attempts = append(result.Attempts, a)
		if a.Code == 0 || number > c.Retries || !retried(a.Code, a.Status) {
			result.Sent = a.Code == 0
			result.FellBack = !result.Sent && c.Fallback
			return result, nil
		}
	}
}

func (c *Caller) attempt(req *http.Request) (a Attempt) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(req.Context(), timeout)
	defer cancel()
	began := time.Now()
	defer func() { a.At, a.Took = began, time.Since(began) }()

	resp, err := c.client().Do(req.WithContext(ctx))
	if err != nil {
		return Attempt{Code: unanswered(err), Err: bare(err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return Attempt{Status: resp.StatusCode, Code: unanswered(err), Err: err}
	}
	if len(body) > maxAnswer {
		return Attempt{Status: resp.StatusCode, Code: ResponseSizeExceeded}
	}
	return Attempt{Status: resp.StatusCode, Code: Judge(resp.StatusCode, resp.Header.Get("Content-Type"), body)}
}

func (c *Caller) client() *http.Client {
	client := http.Client{}
	if c.Client != nil {
		client = *c.Client
	}
	client.CheckRedirect = noRedirect
	return &client
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// bare takes the URL out of an error: its query may hold a function key.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func unanswered(err error) Code {
	if errors.Is(err, context.DeadlineExceeded) {
		return TimedOut
	}
	return ConnectionError
}
