package accounts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/egress"
)

// Service is a directory behind a URL of the owner's. A Question is posted to it as JSON; it answers 200 with an object of
// attributes by partner name, or 404 when there is no such account.
type Service struct {
	url, key string
	client   *http.Client
}

// The bounds of a question.
const (
	patience  = 5 * time.Second
	maxAnswer = 64 << 10
)

// NewService makes the client. The URL is the operator's own, may be inside the network, and may be http; key, if not empty,
// is sent as a bearer token.
func NewService(url, key string) (*Service, error) {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return nil, errors.New("want a URL that begins with https:// or http://")
	}
	// An answer that sends elsewhere is not followed: the key would go there too.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // a proxy of the environment would learn who asks for a code
	return &Service{url: url, key: key, client: &http.Client{Transport: transport, Timeout: patience, CheckRedirect: stay}}, nil
}

// Find implements Directory. Its errors hold no attribute and no answer's text.
func (s *Service) Find(ctx context.Context, q Question) (map[string]any, bool, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, false, fmt.Errorf("ask for account: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, false, errors.New("ask for account: the URL of the service cannot be read")
	}
	request.Header.Set("Content-Type", "application/json")
	if s.key != "" {
		request.Header.Set("Authorization", "Bearer "+s.key)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return nil, false, lost(ctx, "the service did not answer", err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return attributes(ctx, answer.Body)
	case http.StatusNotFound:
		return nil, false, nil
	}
	return nil, false, fmt.Errorf("ask for account: the service answered with status %d", answer.StatusCode)
}

// attributes reads an answer. Nested objects are for nobody: a claim is a value or a list.
func attributes(ctx context.Context, body io.Reader) (map[string]any, bool, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, false, lost(ctx, "the answer broke off", err)
	case len(text) > maxAnswer:
		return nil, false, fmt.Errorf("ask for account: the answer is larger than %d bytes", maxAnswer)
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	var found map[string]any
	if err := in.Decode(&found); err != nil || found == nil {
		return nil, false, errors.New("ask for account: the answer is not a JSON object")
	}
	return found, true, nil
}

// lost is the error of a question without a whole answer. It keeps nothing of the error's own text, which can hold the URL,
// and with it a key, or what the service said. A caller who left is told as that.
func lost(ctx context.Context, what string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("ask for account: %w", ctx.Err())
	}
	return fmt.Errorf("ask for account: %s: %s", what, egress.Detail(err))
}
