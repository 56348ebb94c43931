package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework/accounts"
)

// mute stands for all services that a policy asks, and notes what each would have been asked. The zero value answers with
// success and nothing else, and knows no account.
type mute struct {
	// keys finds policy keys; one that is not there is stood for by its name.
	keys func(storage string) (string, bool)
	// account are the attributes of the one account there is, if any.
	account map[string]any
	// shown are the keys that were given out.
	shown []string
	asked []triedRequest
}

// key finds a policy key.
func (m *mute) key(storage string) (string, bool) {
	text, known := m.keys(storage)
	if !known {
		return "policy key " + storage, true
	}
	m.shown = append(m.shown, text)
	return text, true
}

// RoundTrip notes a request, without its credentials, and answers 200.
func (m *mute) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := triedRequest{To: "REST service", Method: r.Method, URL: m.masked(r.URL.String())}
	for name, values := range r.Header {
		text := m.masked(strings.Join(values, ", "))
		if name == "Authorization" {
			scheme, _, _ := strings.Cut(text, " ")
			text = scheme + " ***"
		}
		if name != "User-Agent" && name != "Accept" {
			asked.Header = append(asked.Header, name+": "+text)
		}
	}
	slices.Sort(asked.Header)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	asked.Body = m.masked(string(body))
	m.asked = append(m.asked, asked)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte("{}"))), Request: r}, nil
}

// masked is a text without the policy keys.
func (m *mute) masked(text string) string {
	for _, key := range m.shown {
		text = strings.ReplaceAll(text, key, "***")
	}
	return text
}

// Find answers a directory profile with the one account.
func (m *mute) Find(_ context.Context, q accounts.Question) (map[string]any, bool, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, false, fmt.Errorf("ask for account: %w", err)
	}
	m.asked = append(m.asked, triedRequest{To: "directory", Method: "POST", URL: "b2c_accounts", Body: string(body)})
	return m.account, m.account != nil, nil
}
