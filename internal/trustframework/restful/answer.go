package restful

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/egress"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// linger bounds how long the rest of an answer is waited for that nobody needs.
const linger = time.Second

// output is one claim of an answer. text is the value as it stands in the answer, a string without its quotes.
type output struct {
	partner, text string
	value         any
}

// send makes the call and reads what came of it.
func (c *Client) send(ctx context.Context, call *execute.Call, s settings, r *request) ([]output, error) {
	inner, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(inner, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return nil, s.failure(requestFailed, errors.New("the URL cannot be used"))
	}
	switch {
	case r.method == http.MethodGet:
		// net/http repeats a GET without a body by itself where a kept connection is closed before the answer.
		req.Body, req.GetBody = io.NopCloser(http.NoBody), nil
	case len(r.body) == 0:
		req.Body, req.GetBody = http.NoBody, nil
	}
	req.Header = r.header
	client := c.clientFor(r.certificate)
	res, err := client.Do(req)
	if err != nil {
		return nil, c.lost(ctx, s, err)
	}
	defer res.Body.Close()
	wanted := wants(call.Profile)
	if success(res.StatusCode) && len(wanted) == 0 {
		drain(res.Body, cancel)
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, c.lost(ctx, s, err)
	}
	if !success(res.StatusCode) {
		return nil, refused(res.StatusCode, body, s, r)
	}
	return read(call, s, body, wanted)
}

func success(status int) bool { return status >= 200 && status <= 299 }

// drain reads what is left, so that the connection can be used again.
func drain(body io.Reader, cancel func()) {
	timer := time.AfterFunc(linger, cancel)
	defer timer.Stop()
	_, _ = io.Copy(io.Discard, io.LimitReader(body, maxAnswer))
}

// lost is the failure of a call without an answer. It keeps nothing of the error's own text, which can hold the URL.
func (c *Client) lost(ctx context.Context, s settings, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	cause := fmt.Errorf("%s: %s", s.target.host, egress.Detail(err))
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &dns) && !dns.IsTimeout:
		return s.failure(noName, cause)
	case egress.Timeout(err):
		return s.late(c.options.Timeout, cause)
	case errors.As(err, &op) && op.Op == "dial" && !errors.Is(err, egress.ErrPrivate):
		return s.failure(unreachable, cause)
	}
	return s.failure(requestFailed, cause)
}

// refused is the failure of an answer that is not a success.
func refused(status int, body []byte, s settings, r *request) error {
	cause := refusedBecause(status, s, r)
	if status >= 400 && status <= 499 && len(body) <= maxAnswer {
		if told, ok := readRefusal(body); ok {
			return told.failure(s, cause, r.secrets)
		}
	}
	return s.failure(requestFailed, cause)
}

func refusedBecause(status int, s settings, r *request) error {
	text := fmt.Sprintf("%s answered with status %d", s.target.host, status)
	switch {
	case (status == http.StatusUnauthorized || status == http.StatusForbidden) && len(r.keys) > 0:
		text += "; look at the policy key " + strings.Join(r.keys, " and ")
	case (status == http.StatusUnauthorized || status == http.StatusForbidden) && s.token != "":
		text += "; look at where the claim " + s.token + " comes from"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		text += "; look at AuthenticationType, which sends it nothing to know the caller by"
	case status >= 300 && status <= 399:
		text += "; redirects are not followed, write the final URL as ServiceUrl"
	}
	return errors.New(text)
}

// wants are the output claims that an answer is read for. Those that always have their default are not.
func wants(t *trustframework.TechnicalProfile) []trustframework.ClaimMapping {
	var wanted []trustframework.ClaimMapping
	for _, m := range t.OutputClaims {
		if !m.HasDefault || !m.AlwaysUseDefault {
			wanted = append(wanted, m)
		}
	}
	return wanted
}

// read takes the wanted claims out of an answer. One that is not there is left out; an answer that is no JSON object is
// a failure where a claim without a default is wanted.
func read(call *execute.Call, s settings, body []byte, wanted []trustframework.ClaimMapping) ([]output, error) {
	var object map[string]json.RawMessage
	if len(body) > maxAnswer || json.Unmarshal(body, &object) != nil || object == nil {
		for _, m := range wanted {
			if !m.HasDefault {
				return nil, s.failure(requestFailed, unreadable(s, body, m))
			}
		}
		return nil, nil
	}
	var outputs []output
	for _, m := range wanted {
		raw, there := member(object, m.PartnerName())
		if !there && s.paths {
			raw, there = walk(object, m.PartnerName())
		}
		if value, text, ok := decode(raw, typeOf(call.Policy, m.Claim)); there && ok {
			outputs = append(outputs, output{m.PartnerName(), text, value})
		}
	}
	return outputs, nil
}

func unreadable(s settings, body []byte, m trustframework.ClaimMapping) error {
	what := "is no JSON object"
	switch {
	case len(body) == 0:
		what = "is empty"
	case len(body) > maxAnswer:
		what = fmt.Sprintf("has more than %d bytes", maxAnswer)
	}
	return fmt.Errorf("the answer of %s %s, and the output claim %s is to be taken from it; a service with nothing to say answers {}", s.target.host, what, m.Claim)
}

func typeOf(p *trustframework.Policy, id string) claim.Type {
	if p != nil {
		if t, there := p.Claim(id); there {
			return claim.TypeOf(t.DataType)
		}
	}
	return claim.String
}

// decode reads a member of an answer. null is no value. An object, or a list for a claim that is none, becomes its JSON
// text, which a policy's JSON transformations can read; that B2C does so is UNCONFIRMED.
func decode(raw json.RawMessage, t claim.Type) (value any, text string, ok bool) {
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	if in.Decode(&value) != nil || value == nil {
		return nil, "", false
	}
	text = string(raw)
	switch v := value.(type) {
	case string:
		text = v
	case map[string]any:
		value = text
	case []any:
		if t != claim.StringCollection {
			value = text
		}
	}
	return value, text, true
}
