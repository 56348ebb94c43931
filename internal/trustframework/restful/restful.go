// Package restful calls REST services for technical profiles of B2C policies, as their metadata say, and takes claims or
// a refusal from the answer.
package restful

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/otpost/otpost/internal/egress"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// Kind is the handler that policies name (restful-technical-profile.md, "Protocol").
const Kind = "Web.TPEngine.Providers.RestfulProvider"

// defaultTimeout bounds a call where Options say nothing. How long B2C waits is UNCONFIRMED: its documentation does not
// say.
const defaultTimeout = 10 * time.Second

// Options say where a Client may go, and with what. The zero value goes to public hosts over https, without keys.
type Options struct {
	// Keys finds the text of a policy key by its StorageReferenceId. Without it Check says nothing of keys, and a profile
	// that needs one cannot be run.
	Keys func(storage string) (string, bool)
	// AllowHTTP allows services over http: claims and credentials travel in clear.
	AllowHTTP bool
	// AllowPrivate allows services at private, loopback and reserved addresses.
	AllowPrivate bool
	// Timeout bounds one call with its answer; 0 is 10 seconds.
	Timeout time.Duration
	// Roots, when set, are the only authorities for services' certificates.
	Roots *x509.CertPool
	// Resolver, when set, looks names up.
	Resolver *net.Resolver
	// Instead, when set, answers every request, and nothing is called.
	Instead http.RoundTripper
}

// Client is the handler of RESTful technical profiles. It may be used by many at once.
type Client struct {
	options   Options
	transport *http.Transport
}

var _ execute.Handler = (*Client)(nil)

// New makes a client.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	var control func(string, string, syscall.RawConn) error
	if !o.AllowPrivate {
		control = egress.RefusePrivate
	}
	return &Client{options: o, transport: newTransport(o, control)}
}

// Close closes the connections that are kept between calls.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Run calls the service once. It never calls again by itself: a service may have done what it was asked for, though no
// answer came. Whether B2C calls again is UNCONFIRMED.
func (c *Client) Run(ctx context.Context, call *execute.Call) error {
	outputs, err := c.exchange(ctx, call)
	if err != nil {
		return err
	}
	for _, o := range outputs {
		if confidential(o.partner) {
			call.Secret(o.text)
		}
		call.Output(o.partner, o.value)
	}
	return nil
}

// exchange is Run without setting the outputs.
func (c *Client) exchange(ctx context.Context, call *execute.Call) ([]output, error) {
	s, problems := c.read(call.Policy, call.Profile)
	hidden := private(call, s)
	for _, text := range hidden { // before anything can end the call, since the trace has the inputs already
		call.Secret(text)
	}
	for _, p := range problems {
		if p.Weight != trustframework.Odd {
			return nil, &trustframework.Misuse{At: p.At, Element: "technical profile " + call.Profile.ID, Reason: p.Reason}
		}
	}
	r, err := c.request(call, s, hidden)
	if err != nil {
		var unfit *unfitClaim
		if errors.As(err, &unfit) {
			return nil, s.failure(requestFailed, unfit)
		}
		return nil, err
	}
	for _, text := range r.secrets {
		call.Secret(text)
	}
	return c.send(ctx, call, s, r)
}

// Check says what of a profile will not work.
func (c *Client) Check(p *trustframework.Policy, t *trustframework.TechnicalProfile) []trustframework.Problem {
	_, problems := c.read(p, t)
	return problems
}
