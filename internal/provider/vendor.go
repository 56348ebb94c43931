package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/otpost/otpost/internal/egress"
	"github.com/otpost/otpost/internal/outbox"
)

// connection is what every kind that speaks to a vendor over HTTP can be told about the way there. It is embedded in the
// settings of the kind, which has an endpoint setting of its own, with the vendor's address as its default.
type connection struct {
	Timeout      time.Duration `name:"timeout" default:"10s" help:"How long one request may take."`
	AllowHTTP    bool          `name:"allow_http" place:"true" default:"false" help:"Allow an http endpoint: codes and credentials travel in clear."`
	AllowPrivate bool          `name:"allow_private" default:"false" help:"Allow endpoints with private, loopback or reserved addresses."`
	RootCA       string        `name:"root_ca" help:"PEM text or file of the only authorities to trust, for a private one."`
}

// vendor is the company on the other side of a sender: where requests go, and how its answers are judged. A kind's
// sender holds one and adds what is the company's own.
type vendor struct {
	client  *http.Client
	base    string // without a slash at the end
	timeout time.Duration
	now     func() time.Time
	// private are spellings of credentials, which no detail may repeat.
	private []string
}

// newVendor checks an endpoint and makes the client for it. private are the credentials.
func newVendor(kind, endpoint string, c connection, env Environment, private ...string) (*vendor, error) {
	if err := checkEndpoint(endpoint, c); err != nil {
		return nil, fmt.Errorf("provider %s: setting endpoint: %w", kind, err)
	}
	roots, err := rootPool(c.RootCA, env)
	if err != nil {
		return nil, fmt.Errorf("provider %s: setting root_ca: %w", kind, err)
	}
	var control func(string, string, syscall.RawConn) error
	if !c.AllowPrivate {
		control = egress.RefusePrivate
	}
	v := &vendor{client: newHTTPClient(env, roots, control), base: strings.TrimSuffix(endpoint, "/"), timeout: c.Timeout,
		now: env.clock()}
	for _, p := range private {
		v.private = append(v.private, privateWords("", p)...)
	}
	return v, nil
}

// checkEndpoint refuses what could only fail later: another scheme, a query, an address inside the network.
func checkEndpoint(endpoint string, c connection) error {
	if err := checkURL(endpoint, c.AllowHTTP); err != nil {
		return err
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("want a URL without a query, such as https://api.example.org")
	}
	return checkHost(u.Hostname(), c.AllowPrivate)
}

// call is one request to a vendor. Path begins with a slash and may have a query.
type call struct {
	Method string // POST when empty
	Path   string
	Header http.Header
	Body   []byte
}

// do makes a call and judges the answer as the function do does. The fault of an answer has the HTTP status as its code
// and no word of the vendor's; a kind that can read the answer sets Class, Code and Detail by explain.
func (v *vendor) do(ctx context.Context, c call) (reply, *outbox.Fault) {
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	method, header := c.Method, c.Header
	if method == "" {
		method = http.MethodPost
	}
	if header == nil {
		header = http.Header{}
	}
	header.Set("User-Agent", "otpost")
	return do(ctx, v.client, method, v.base+c.Path, header, c.Body, v.now)
}

// postJSON posts value as JSON. The header may be nil and is changed.
func (v *vendor) postJSON(ctx context.Context, path string, header http.Header, value any) (reply, *outbox.Fault) {
	body, err := json.Marshal(value)
	if err != nil {
		return reply{}, outbox.Faultf(outbox.RejectedContent, "", "the message cannot be written as JSON")
	}
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	return v.do(ctx, call{Path: path, Header: header, Body: body})
}

// postForm posts values as application/x-www-form-urlencoded. The header may be nil and is changed.
func (v *vendor) postForm(ctx context.Context, path string, header http.Header, values url.Values) (reply, *outbox.Fault) {
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(ctx, call{Path: path, Header: header, Body: []byte(values.Encode())})
}

// refused makes the fault of a refusal that the vendor put into words: code is its code, text what it said. m is the
// message, whose code and recipient the text may repeat.
func (v *vendor) refused(class outbox.Class, code, text string, m *outbox.Message) *outbox.Fault {
	return &outbox.Fault{Class: class, Code: cut(code, 60), Detail: scrub(text, m, v.private)}
}

// explain puts the vendor's own code and text into a fault that was judged by its status. An empty class keeps the one
// that the status means.
func (v *vendor) explain(f *outbox.Fault, class outbox.Class, code, text string, m *outbox.Message) *outbox.Fault {
	explained := v.refused(class, code, text, m)
	if class == "" {
		explained.Class = f.Class
	}
	if code == "" {
		explained.Code = f.Code
	}
	if explained.Detail == "" {
		explained.Detail = f.Detail
	}
	explained.RetryAfter, explained.Err = f.RetryAfter, f.Err
	return explained
}

// unread is the fault of a 2xx answer of a vendor that hides refusals in it, when the answer could not be read whole:
// nobody knows what it said.
func unread(r reply) *outbox.Fault {
	return outbox.Faultf(outbox.Ambiguous, fmt.Sprint(r.Status), "the answer was not read whole")
}

// Close closes the connections that are kept between requests.
func (v *vendor) Close() error {
	v.client.CloseIdleConnections()
	return nil
}
