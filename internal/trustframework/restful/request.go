package restful

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// request is one call to a service.
type request struct {
	method, url string
	header      http.Header
	body        []byte
	certificate *tls.Certificate
	// secrets are texts that no trace and no error may show.
	secrets []string
	// keys names the policy keys that the service was shown, for whoever has to look at them when it refuses.
	keys []string
}

// request writes down what the service is asked. Its error is an *unfitClaim, or a Misuse.
func (c *Client) request(call *execute.Call, s settings, hidden []string) (*request, error) {
	r := &request{method: http.MethodPost, secrets: hidden, header: http.Header{"Accept": {"application/json"}, "User-Agent": {"otpost"}}}
	sent := inputs(call, s)
	more := url.Values{}
	switch s.place { // POST for Body and Form, GET for the others (restful-technical-profile.md, SendClaimsIn)
	case inBody:
		if err := r.json(call, s, sent); err != nil {
			return nil, err
		}
	case inForm:
		form := url.Values{}
		for _, in := range sent {
			form.Add(in.Partner, in.Value.String())
		}
		r.body = []byte(form.Encode())
		r.header.Set("Content-Type", "application/x-www-form-urlencoded")
	case inHeader:
		r.method = http.MethodGet
		if err := r.headers(sent); err != nil {
			return nil, err
		}
	case inQuery:
		r.method = http.MethodGet
		for _, in := range sent {
			more.Add(in.Partner, in.Value.String())
		}
	case inURL:
		r.method = http.MethodGet
	}
	var err error
	if r.url, err = s.target.fill(lookup(call), more); err != nil {
		return nil, err
	}
	return r, c.authenticate(r, call, s)
}

// inputs are the claims that are sent as such. The one that is the bearer token is not among them: it goes into its
// header, and whether B2C also sends it in the body is UNCONFIRMED. Of two with one partner name the first counts.
func inputs(call *execute.Call, s settings) []execute.Input {
	var sent []execute.Input
	seen := map[string]bool{}
	for _, in := range call.Inputs {
		token := s.token != "" && (strings.EqualFold(in.Claim, s.token) || strings.EqualFold(in.Partner, s.token))
		if token || seen[in.Partner] {
			continue
		}
		seen[in.Partner] = true
		sent = append(sent, in)
	}
	return sent
}

// find finds an input by the policy's name or the partner's.
func find(call *execute.Call, name string) (claim.Value, bool) {
	for _, in := range call.Inputs {
		if (strings.EqualFold(in.Claim, name) || strings.EqualFold(in.Partner, name)) && !in.Value.Empty() {
			return in.Value, true
		}
	}
	return claim.Value{}, false
}

func lookup(call *execute.Call) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, there := find(call, name)
		return v.String(), there
	}
}

// json writes the body: the payload claim as it is, or an object of the claims in the order of the policy.
func (r *request) json(call *execute.Call, s settings, sent []execute.Input) error {
	r.header.Set("Content-Type", "application/json")
	if s.payload != "" {
		v, there := find(call, s.payload)
		if !there {
			return call.Misuse("the claim " + s.payload + " is to be the body and has no value; run the transformation that makes it before, with InputClaimsTransformations")
		}
		r.body = []byte(v.String())
		return nil
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, in := range sent {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(in.Partner)
		if err != nil {
			return fmt.Errorf("restful: %w", err)
		}
		value, err := in.Value.MarshalJSON()
		if err != nil {
			return fmt.Errorf("restful: %w", err)
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	r.body = b.Bytes()
	return nil
}

// headers writes each claim into a header of its own.
func (r *request) headers(sent []execute.Input) error {
	for _, in := range sent {
		value := in.Value.String()
		if !httpguts.ValidHeaderFieldValue(value) {
			return &unfitClaim{in.Claim, "holds a sign that no header may hold"}
		}
		r.header.Set(in.Partner, value)
	}
	return nil
}

// private are the inputs that no trace may show: the payload, which has a code in it as a rule, the bearer token, and those
// whose names say that they are secret.
func private(call *execute.Call, s settings) []string {
	var texts []string
	for _, in := range call.Inputs {
		is := func(name string) bool {
			return strings.EqualFold(in.Claim, name) || strings.EqualFold(in.Partner, name)
		}
		if is(call.Setting("ClaimUsedForRequestPayload")) || is(s.token) || confidential(in.Partner) || confidential(in.Claim) || password(call, in) {
			texts = append(texts, in.Value.String())
		}
	}
	return texts
}

func password(call *execute.Call, in execute.Input) bool {
	if call.Policy == nil {
		return false
	}
	t, there := call.Policy.Claim(in.Claim)
	return there && strings.EqualFold(t.UserInput, "Password")
}

// confidential says that a claim with such a name is a secret. Partner names are all that a service is known by, so
// rather too much is hidden than too little.
func confidential(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"otp", "passcode", "password", "secret", "token", "verificationcode"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// framing are headers that say how a request is carried and to whom. A claim or key in one could be read as another
// request, or as one to another host.
var framing = []string{"connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
	"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}

// headerName says that a name may be that of a header which a policy fills.
func headerName(name string) bool {
	for _, f := range framing {
		if strings.EqualFold(name, f) {
			return false
		}
	}
	return httpguts.ValidHeaderFieldName(name)
}
