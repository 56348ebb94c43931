// Package emulate plays Entra against a receiver of the OnOtpSend event: with a signed token, the real timeout, one
// retry and a mailbox for what Microsoft would have sent itself. It tells what Entra would have made of each answer.
//
// The receiver trusts the emulator like any other issuer: it is given the issuer's name, the URL of its metadata, and
// the audience, all of which PrintIssuer prints. With a key file the issuer is the same from run to run.
package emulate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/otpost/otpost/internal/extension"
)

// idle is how long a connection is kept that carries nothing.
const idle = 3 * time.Second

// Exit codes of Run, beside zero for "every code was sent".
const (
	// ExitFailed: the emulator itself could not do its work.
	ExitFailed = 1
	// ExitFellBack: the receiver did not send every code, and Microsoft would have sent the rest.
	ExitFellBack = 3
	// ExitLost: at least one person would have got no code at all.
	ExitLost = 4
)

// Options say what is played.
type Options struct {
	// Target is the receiver's URL; its query, such as ?code=, is kept.
	Target string
	// To is the recipient; "{n}" in it becomes the event's number, so that many events go to many mailboxes.
	To          string
	Locale      string
	RequestType string
	// IP is the end user's address in the event, which may be empty. The default one is spread over many networks when
	// To is over many mailboxes.
	IP string
	// Tenant is the Entra tenant's id. AppID and AppName are the application that the person signs in to.
	Tenant  string
	AppID   string
	AppName string
	// Audience is the receiver's own application id, or its identifier URI.
	Audience string
	// Version is the shape of the token.
	Version extension.Version
	// Count events are sent, at most Concurrency at a time, and no more than Rate in a second unless it is 0. Without
	// a rate, events that fail at once, as those of a receiver that is down do, make room for the next ones at once.
	Count       int
	Concurrency int
	Rate        int
	// Timeout, Retries, Fallback and Casing: see extension.Caller.
	Timeout  time.Duration
	Retries  int
	Fallback bool
	Casing   extension.Casing
	// Listen is where the issuer listens, host:port. IssuerURL is under which URL the receiver reaches it, when that
	// is not http:// and Listen.
	Listen    string
	IssuerURL string
	// KeyFile holds the issuer's signing key and is made, with mode 0600, when it is not there. Empty means a new key
	// for each run.
	KeyFile string
	// Token is a token from elsewhere; no issuer is started then.
	Token string
	// PrintIssuer prints what a receiver must be told to trust the issuer, and sends nothing.
	PrintIssuer bool
	// JSON writes one JSON object per line instead of text.
	JSON bool
	// Summary leaves out the account of each event and the mailbox: the sum is all that is written.
	Summary bool
	// Progress, a terminal, is told about once a second how far a long run is; nil means that nobody is.
	Progress io.Writer

	// Client and Rand are for tests; nil means a client of its own and crypto/rand.
	Client *http.Client
	Rand   io.Reader
}

// defaultIP is an address of documentation (RFC 5737).
const defaultIP = "203.0.113.9"

// Defaults are the options of a call that names only target and recipient.
func Defaults() Options {
	return Options{
		Locale: "en-us", RequestType: "signIn", IP: defaultIP,
		Tenant: "00000000-0000-4000-8000-00000000e27a", AppID: "00000000-0000-4000-8000-0000000000a9", AppName: "Example",
		Audience: "00000000-0000-4000-8000-000000000079", Version: extension.V2,
		Count: 1, Concurrency: 1, Timeout: extension.DefaultTimeout, Retries: 1, Fallback: true,
		Listen: "127.0.0.1:8084",
	}
}

// Emulator is Entra, as far as a receiver can tell.
type Emulator struct {
	options Options
	issuer  *extension.Issuer
	server  *http.Server
	caller  extension.Caller

	mu    sync.Mutex
	token string
	until time.Time
}

// Run plays what the options say and writes the account of it to out.
func Run(ctx context.Context, o Options, out io.Writer) (exitCode int, err error) {
	if o.PrintIssuer {
		return printIssuer(o, out)
	}
	e, err := Open(o)
	if err != nil {
		return ExitFailed, err
	}
	defer e.Close()
	return e.Play(ctx, out)
}

// Open checks the options and starts the issuer. The caller closes the emulator.
func Open(o Options) (*Emulator, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	e := &Emulator{options: o}
	client := o.Client
	if client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		// All connections go to one host, and each is kept for the next event, but not until a server may lose patience with
		// one that has not carried any yet, which would cut off an event: otpost does after five seconds.
		transport.MaxIdleConns, transport.MaxIdleConnsPerHost, transport.IdleConnTimeout = o.Concurrency, o.Concurrency, idle
		client = &http.Client{Transport: transport}
	}
	e.caller = extension.Caller{Client: client, Token: e.bearer, Timeout: o.Timeout, Retries: o.Retries,
		Fallback: o.Fallback, Casing: o.Casing}
	if err := e.caller.Check(); err != nil {
		return nil, err
	}
	if o.Token == "" {
		if err := e.listen(); err != nil {
			return nil, fmt.Errorf("start token issuer: %w", err)
		}
	}
	return e, nil
}

func (o *Options) check() error {
	u, err := url.Parse(o.Target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("target: give the receiver's http or https URL, such as http://localhost:8080/entra/otp-send")
	}
	switch {
	case o.To == "":
		return errors.New("to: give the recipient's email address")
	case o.Count < 1:
		return fmt.Errorf("count: %d is not positive", o.Count)
	case o.Concurrency < 1:
		return fmt.Errorf("concurrency: %d is not positive", o.Concurrency)
	case o.Rate < 0:
		return fmt.Errorf("rate: %d is negative", o.Rate)
	}
	return nil
}

func (e *Emulator) listen() error {
	key, err := signingKey(e.options.KeyFile)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", e.options.Listen)
	if err != nil {
		return err
	}
	e.issuer, err = extension.NewIssuer(e.options.base(listener.Addr().String()), e.options.Tenant, key, nil)
	if err != nil {
		listener.Close()
		return err
	}
	e.server = &http.Server{Handler: e.issuer, ReadHeaderTimeout: 5 * time.Second}
	go e.server.Serve(listener) // ends with Close
	return nil
}

func (o *Options) base(address string) string {
	if o.IssuerURL != "" {
		return o.IssuerURL
	}
	return "http://" + address
}

// Issuer is the emulator's issuer, nil when the token came from elsewhere.
func (e *Emulator) Issuer() *extension.Issuer { return e.issuer }

// Close stops the issuer.
func (e *Emulator) Close() error {
	if e.options.Client == nil {
		e.caller.Client.CloseIdleConnections()
	}
	if e.server == nil {
		return nil
	}
	return e.server.Close()
}

// bearer is one token for as long as it lives, as Entra does it.
func (e *Emulator) bearer(context.Context) (string, error) {
	if e.issuer == nil {
		return e.options.Token, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if now.Before(e.until) {
		return e.token, nil
	}
	token, err := e.issuer.Mint(extension.Grant{Audience: e.options.Audience, Version: e.options.Version, Lifetime: time.Hour})
	if err != nil {
		return "", err
	}
	e.token, e.until = token, now.Add(50*time.Minute)
	return token, nil
}
