package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// clientFlags are how the commands that use a running server reach it.
type clientFlags struct {
	URL string `name:"url" group:"Server" placeholder:"URL" help:"Base URL of the server, also OTPOST_URL (default http://localhost:8080)."`
	Key string `name:"key" group:"Server" placeholder:"KEY" help:"API key; better in OTPOST_KEY, or in the file that OTPOST_KEY_FILE names, where other users of this machine cannot see it."`
}

// clientVariables are the environment variables of clientFlags, which are no settings of the server.
func clientVariables() []string { return []string{"OTPOST_URL", "OTPOST_KEY", "OTPOST_KEY_FILE"} }

// client calls the REST API of a running server.
type client struct {
	base string
	key  string
}

// client takes flags over the environment over defaults.
func (f clientFlags) client(p *Program) (*client, error) {
	key := cmp.Or(f.Key, p.getenv("OTPOST_KEY"))
	if path := p.getenv("OTPOST_KEY_FILE"); key == "" && path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, usageErrorf("OTPOST_KEY_FILE: %w", err)
		}
		key = strings.TrimSpace(string(text))
	}
	if key == "" {
		return nil, usageErrorf("no API key; set OTPOST_KEY (otpost key create makes one)")
	}
	base := cmp.Or(f.URL, p.getenv("OTPOST_URL"), "http://localhost:8080")
	return &client{base: strings.TrimRight(base, "/"), key: key}, nil
}

func (p *Program) getenv(name string) string {
	value := ""
	for _, entry := range p.Environ {
		if text, found := strings.CutPrefix(entry, name+"="); found {
			value = text
		}
	}
	return value
}

// problem is an error answer of the API (RFC 9457 §3).
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	// Errors name the documents at fault, where settings were changed.
	Errors []documentFault `json:"errors"`
	// RetryAfter is the header of that name.
	RetryAfter string `json:"-"`
}

func (p *problem) Error() string {
	s := fmt.Sprintf("server answered %d %s", p.Status, cmp.Or(p.Code, http.StatusText(p.Status)))
	if text := cmp.Or(p.Detail, p.Title); text != "" {
		s += ": " + text
	}
	if p.RetryAfter != "" {
		s += " (retry after " + p.RetryAfter + " s)"
	}
	return inert(s)
}

// inert makes what a server wrote safe for a terminal: control and formatting characters become spaces.
func inert(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
}

// maxAnswer bounds what is read of an answer. The longest is a preview: a mail in every language.
const maxAnswer = 64 << 20

// patience is how long an answer may take beyond what the caller asked the server to wait.
const patience = 30 * time.Second

// post sends in and returns the body of a successful answer. A refusal carries exit code 3; no access, a failing
// server and no server at all are failures.
func (c *client) post(ctx context.Context, path string, in any) (json.RawMessage, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return c.ask(ctx, http.MethodPost, path, bytes.NewReader(body))
}

// get reads what is at path, as post does.
func (c *client) get(ctx context.Context, path string) (json.RawMessage, error) {
	return c.ask(ctx, http.MethodGet, path, nil)
}

// remove deletes what is at path, as post does.
func (c *client) remove(ctx context.Context, path string) error {
	_, err := c.ask(ctx, http.MethodDelete, path, nil)
	return err
}

func (c *client) ask(ctx context.Context, method, path string, body io.Reader) (json.RawMessage, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, usageErrorf("--url: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	var unreached *url.Error
	if errors.As(err, &unreached) { // its URL can hold a person's address
		return nil, fmt.Errorf("call server: %s: %w", c.base, unreached.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("call server: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = fmt.Errorf("it is longer than %d bytes", maxAnswer)
	}
	if err != nil {
		return nil, fmt.Errorf("read answer of server: %w", err)
	}
	if response.StatusCode/100 == 2 {
		return answer, nil
	}
	return nil, refusal(response, answer)
}

func refusal(response *http.Response, answer []byte) error {
	p := &problem{}
	if err := json.Unmarshal(answer, p); err != nil {
		p = &problem{} // not a problem document, such as a proxy's page: the status says enough
	}
	p.Status, p.RetryAfter = response.StatusCode, response.Header.Get("Retry-After")
	switch {
	case p.Status == http.StatusUnauthorized, p.Status == http.StatusForbidden, p.Status >= 500:
		return p
	default:
		return &exitError{exitRefused, p}
	}
}

// decode reads an answer into out.
func decode(answer json.RawMessage, out any) error {
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read answer of server: %w", err)
	}
	return nil
}

// marshal is json.Marshal without the escapes that only a web page needs.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// errNotSent is returned when the server proved that nothing was sent.
var errNotSent = errors.New("the message was not sent")

// errUnknown is returned when nobody knows whether a message was sent.
var errUnknown = errors.New("it is not known whether the message was sent")
