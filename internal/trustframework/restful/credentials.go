package restful

import (
	"crypto/tls"
	"encoding/base64"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// authenticate adds what the service knows its caller by.
func (c *Client) authenticate(r *request, call *execute.Call, s settings) error {
	switch s.auth {
	case basic:
		return c.basic(r, call)
	case bearer:
		return c.bearer(r, call, s)
	case certificate:
		return c.certificate(r, call)
	case apiKey:
		first := call.Profile.Keys[0]
		text, err := c.key(r, call, first.ID)
		if err != nil {
			return err
		}
		r.header.Set(first.ID, text)
	}
	return nil
}

// basic adds user and password (RFC 7617 §2).
func (c *Client) basic(r *request, call *execute.Call) error {
	user, err := c.key(r, call, "BasicAuthenticationUsername")
	if err != nil {
		return err
	}
	password, err := c.key(r, call, "BasicAuthenticationPassword")
	if err != nil {
		return err
	}
	if strings.Contains(user, ":") {
		return c.misuse(call, "BasicAuthenticationUsername", "holds a colon, which no user name may")
	}
	pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	r.secrets = append(r.secrets, pair)
	r.header.Set("Authorization", "Basic "+pair)
	return nil
}

// bearer adds a token, of the policy's keys or of a claim (RFC 6750 §2.1).
func (c *Client) bearer(r *request, call *execute.Call, s settings) error {
	if s.token == "" {
		text, err := c.key(r, call, "BearerAuthenticationToken")
		if err != nil {
			return err
		}
		r.header.Set("Authorization", "Bearer "+text)
		return nil
	}
	v, there := find(call, s.token)
	switch text := v.String(); {
	case !there:
		return call.Misuse("the claim " + s.token + " is to be the bearer token and has no value; run the profile that gets it before")
	case !httpguts.ValidHeaderFieldValue(text):
		return &unfitClaim{s.token, "holds a sign that no token may hold"}
	default:
		r.header.Set("Authorization", "Bearer "+text)
		return nil
	}
}

// certificate takes certificate and key out of the policy key.
func (c *Client) certificate(r *request, call *execute.Call) error {
	text, err := c.text(r, call, "ClientCertificate")
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair([]byte(text), []byte(text))
	if err != nil {
		return c.misuse(call, "ClientCertificate", "is not a certificate with its private key; give both as PEM text, one after the other")
	}
	r.certificate = &pair
	return nil
}

// key is the text of a policy key that goes into a header.
func (c *Client) key(r *request, call *execute.Call, id string) (string, error) {
	text, err := c.text(r, call, id)
	if err != nil {
		return "", err
	}
	if !httpguts.ValidHeaderFieldValue(text) {
		return "", c.misuse(call, id, "holds a sign that no header may hold, such as a line break")
	}
	return text, nil
}

// text is a policy key without the blanks around it, which files end with.
func (c *Client) text(r *request, call *execute.Call, id string) (string, error) {
	k, _ := keyOf(call.Profile, id)
	if c.options.Keys == nil {
		return "", c.misuse(call, id, "is not known, since there are no policy keys here")
	}
	text, _ := c.options.Keys(k.Storage)
	if text = strings.TrimSpace(text); text == "" {
		return "", c.misuse(call, id, "is not known here; set its value")
	}
	r.secrets = append(r.secrets, text)
	r.keys = append(r.keys, k.Storage)
	return text, nil
}

// misuse is the error about a policy key.
func (c *Client) misuse(call *execute.Call, id, reason string) error {
	k, _ := keyOf(call.Profile, id)
	return &trustframework.Misuse{At: k.At, Element: "technical profile " + call.Profile.ID,
		Reason: "the policy key " + k.Storage + " (" + id + ") " + reason}
}
