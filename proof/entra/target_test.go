package entra_test

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// turns is a load balancer: each request goes to the next server, or to the one after it when that one cannot be
// reached. A request that a server had begun to read is not sent to another: its caller's connection is cut.
type turns struct {
	transport *http.Transport
	servers   []string
	next      atomic.Int64
}

// inTurns returns the address of a balancer of these servers.
func inTurns(t *testing.T, servers []string) string {
	t.Helper()
	// A server may close a connection that has not carried a request for some seconds, just as one is written to it. The short
	// form may run on a machine that is too slow to see that coming, so it keeps none.
	b := &turns{transport: &http.Transport{MaxIdleConnsPerHost: concurrency, IdleConnTimeout: 3 * time.Second,
		DisableKeepAlives: !rig.Full()}, servers: servers}
	t.Cleanup(b.transport.CloseIdleConnections)
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "servers.example.test"}) },
		Transport:    b,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0),
	})
	t.Cleanup(front.Close)
	return front.Listener.Addr().String()
}

// RoundTrip implements http.RoundTripper.
func (b *turns) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	first := b.next.Add(1)
	for i := range b.servers {
		to := r.Clone(r.Context())
		to.URL.Host = b.servers[(int(first)+i)%len(b.servers)]
		to.Body = io.NopCloser(bytes.NewReader(body))
		var answer *http.Response
		answer, err = b.transport.RoundTrip(to)
		var failed *net.OpError
		if err == nil || !errors.As(err, &failed) || failed.Op != "dial" {
			return answer, err
		}
	}
	return nil, err
}
