package restful

import (
	"crypto/tls"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	// maxAnswer bounds the body of an answer, maxHeader its header.
	maxAnswer = 64 << 10
	maxHeader = 64 << 10
)

// newTransport makes what calls go through: no proxy, HTTP/1.1, TLS 1.2 or later. control, when not nil, sees each address
// before it is connected, so that it does not matter what a name came to when it was looked at before.
func newTransport(o Options, control func(network, address string, c syscall.RawConn) error) *http.Transport {
	dialer := &net.Dialer{Control: control, Resolver: o.Resolver}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
	}
}

// clientFor is what sends one request. Redirects are not followed: they would lead where nobody has looked. With a
// certificate the connection is made for this request alone.
func (c *Client) clientFor(certificate *tls.Certificate) *http.Client {
	transport := c.transport
	if certificate != nil {
		transport = c.transport.Clone()
		transport.DisableKeepAlives = true
		transport.TLSClientConfig.Certificates = []tls.Certificate{*certificate}
	}
	var by http.RoundTripper = transport
	if c.options.Instead != nil {
		by = c.options.Instead
	}
	return &http.Client{
		Transport:     by,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
