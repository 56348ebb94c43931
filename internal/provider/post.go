package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

const (
	maxReplyBody = 1 << 20
	// replyBodyWait bounds the reading of a body: the status has been read by then and is what counts.
	replyBodyWait = time.Second
	maxRetryAfter = 24 * time.Hour
)

// reply is what a provider answered. Body holds what could be read of it, at most maxReplyBody; Whole is false when
// there was more.
type reply struct {
	Status int
	Header http.Header
	Body   []byte
	Whole  bool
}

// newHTTPClient makes the client of one sender: no proxy, no redirects, no cookies, HTTP/1.1. control, when not nil,
// sees each address before it is connected; roots, when not nil, replace the system's authorities.
func newHTTPClient(env Environment, roots *x509.CertPool,
	control func(network, address string, c syscall.RawConn) error) *http.Client {
	dialer := &net.Dialer{Timeout: 2 * time.Second, Control: control, Resolver: env.Resolver}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            countingDial(dialer),
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    3 * time.Second,
			MaxIdleConnsPerHost:    64,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post is do with the method POST.
func post(ctx context.Context, client *http.Client, url string, header http.Header, body []byte,
	now func() time.Time) (reply, *outbox.Fault) {
	return do(ctx, client, http.MethodPost, url, header, body, now)
}

// do sends a request once and judges the answer. A status of 2xx has no fault. Any other answer has the fault that its
// status means for most providers, and the reply beside it for a kind that knows better. Without an answer, the fault
// is Transient when the request cannot have been read whole by the server, and Ambiguous otherwise.
func do(ctx context.Context, client *http.Client, method, url string, header http.Header, body []byte,
	now func() time.Time) (reply, *outbox.Fault) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wrote written
	if by, ok := outbox.ConnectBy(ctx); ok {
		timer := time.AfterFunc(time.Until(by), func() {
			if wrote.reached.CompareAndSwap(connecting, gaveUp) {
				cancel()
			}
		})
		defer timer.Stop()
	}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, wrote.trace()), method, url, nil)
	if err != nil {
		return reply{}, outbox.Faultf(outbox.Account, "", "the URL cannot be used")
	}
	req.Header = header
	if len(body) > 0 { // a request without a body carries no message, so nothing is ambiguous about its loss
		req.ContentLength = int64(len(body))
		req.Body = wrote.body(body)
		// The transport calls GetBody only to repeat a request of which nothing was written.
		req.GetBody = func() (io.ReadCloser, error) { return wrote.body(body), nil }
	}
	res, err := client.Do(req)
	if err != nil {
		return reply{}, wrote.fault(err)
	}
	defer res.Body.Close()
	timer := time.AfterFunc(replyBodyWait, cancel)
	defer timer.Stop()
	if wrote.unasked.Load() {
		return reply{}, outbox.Faultf(outbox.Ambiguous, "", "the server answers without being asked")
	}
	r := reply{Status: res.StatusCode, Header: res.Header}
	r.Body, err = io.ReadAll(io.LimitReader(res.Body, maxReplyBody+1))
	r.Whole = err == nil && len(r.Body) <= maxReplyBody
	r.Body = r.Body[:min(len(r.Body), maxReplyBody)]
	return r, judge(r, now())
}

// The values of written.reached. Whichever of the last two comes first stays.
const (
	connecting int32 = iota
	connected
	gaveUp
)

// written knows whether a request can have reached the server whole.
type written struct {
	// last is set once the transport has taken the last byte of the body; until then the server cannot have it.
	last atomic.Bool
	// failed is set if the transport could not write that byte.
	failed atomic.Bool
	// unasked is set if the answer was there before the request.
	unasked atomic.Bool
	// reached says whether a connection came before the time for one was over.
	reached atomic.Int32
}

func (w *written) trace() *httptrace.ClientTrace {
	var stale func() bool
	return &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			if !w.reached.CompareAndSwap(connecting, connected) && w.reached.Load() == gaveUp {
				i.Conn.Close() // so that nothing is written after all
			}
			stale = watchArrivals(i.Conn)
		},
		WroteRequest: func(i httptrace.WroteRequestInfo) { w.failed.Store(i.Err != nil) },
		GotFirstResponseByte: func() {
			if stale() {
				w.unasked.Store(true)
			}
		},
	}
}

func (w *written) body(b []byte) io.ReadCloser {
	w.last.Store(len(b) == 0)
	w.failed.Store(false)
	return &watchedBody{rest: b, last: &w.last}
}

func (w *written) fault(err error) *outbox.Fault {
	class := networkClass(err)
	if class == outbox.Transient && w.last.Load() && !w.failed.Load() {
		class = outbox.Ambiguous
	} else if class == outbox.Transient && w.reached.Load() == gaveUp {
		return &outbox.Fault{Class: class, Detail: errNoConnection.Error()}
	}
	return &outbox.Fault{Class: class, Detail: networkDetail(err), Err: contextError(err)}
}

// watchedBody sees the moment its last byte is taken.
type watchedBody struct {
	rest []byte
	last *atomic.Bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	if len(b.rest) == 0 {
		b.last.Store(true)
	}
	return n, nil
}

func (b *watchedBody) Close() error { return nil }

// judge says what a status means (RFC 9110 §15); nil for 2xx.
func judge(r reply, now time.Time) *outbox.Fault {
	f := &outbox.Fault{Code: strconv.Itoa(r.Status), Detail: strings.ToLower(http.StatusText(r.Status))}
	switch s := r.Status; {
	case s >= 200 && s <= 299:
		return nil
	case s < 200:
		// Nothing that ends a request: 101 to a request that asked for no upgrade. Whether it was taken is not said.
		f.Class = outbox.Ambiguous
	case s == http.StatusTooManyRequests:
		f.Class, f.RetryAfter = outbox.Throttled, retryAfter(r.Header, now)
	case s >= 500, s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusMisdirectedRequest:
		f.Class, f.RetryAfter = outbox.Transient, retryAfter(r.Header, now)
	case s == http.StatusPaymentRequired:
		f.Class = outbox.Quota
	case s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusNotFound,
		s == http.StatusMethodNotAllowed, s == http.StatusGone:
		f.Class = outbox.Account
	case s >= 300 && s <= 399:
		f.Class, f.Detail = outbox.Account, "the server redirects; redirects are not followed, set the final URL"
	default:
		f.Class = outbox.RejectedContent
	}
	return f
}

// retryAfter reads Retry-After in both forms of RFC 9110 §10.2.3, seconds and date. It is zero when there is none,
// when it is unreadable or past, and at most a day.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if n, err := strconv.ParseUint(v, 10, 64); err == nil {
		return time.Duration(min(n, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
