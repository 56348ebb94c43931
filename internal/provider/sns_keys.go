package provider

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/otpost/otpost/internal/egress"
	"github.com/otpost/otpost/internal/outbox"
)

// snsKeys keeps the public keys of Amazon SNS by the address of their certificate.
type snsKeys struct {
	get snsGet
	now func() time.Time

	// fetching lets one certificate be fetched at a time, so that made-up addresses cannot make a crowd of requests.
	fetching chan struct{}
	mu       sync.Mutex
	kept     map[string]*x509.Certificate
}

// snsGet fetches a page of Amazon SNS; the answer's status is 2xx when there is no fault.
type snsGet func(ctx context.Context, url string) (reply, *outbox.Fault)

// maxSNSKeys bounds what is kept. SNS signs with one key per region and changes it about once a year.
const maxSNSKeys = 32

func newSNSKeys(get snsGet, now func() time.Time) *snsKeys {
	return &snsKeys{get: get, now: now, fetching: make(chan struct{}, 1), kept: map[string]*x509.Certificate{}}
}

// newSNSGet makes the client for what a notice names: over https, without redirects, and to a public address. private
// allows others, since Amazon's own names come to such ones inside a network with an endpoint for SNS.
func newSNSGet(env Environment, private bool) snsGet {
	control := egress.RefusePrivate
	if private {
		control = nil
	}
	client := newHTTPClient(env, nil, control)
	return func(ctx context.Context, url string) (reply, *outbox.Fault) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return do(ctx, client, http.MethodGet, url, http.Header{"User-Agent": {"otpost"}}, nil, env.clock())
	}
}

var (
	snsHost = regexp.MustCompile(`^sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?$`)
	// snsCertPath leaves no room for an answer of the SNS API, which would repeat what it was asked.
	snsCertPath = regexp.MustCompile(`^/SimpleNotificationService-[A-Za-z0-9]{8,64}\.pem$`)
)

// snsURL reads an address that a notice names, or nil when it is not one of Amazon SNS.
func snsURL(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" || u.Fragment != "" || !snsHost.MatchString(u.Host) {
		return nil
	}
	return u
}

// find returns the key of the certificate at an address.
func (k *snsKeys) find(ctx context.Context, certURL string) (*rsa.PublicKey, error) {
	u := snsURL(certURL)
	if u == nil || u.RawQuery != "" || u.ForceQuery || !snsCertPath.MatchString(u.EscapedPath()) {
		return nil, fmt.Errorf("%w: its SigningCertURL is not a certificate of Amazon SNS", ErrForged)
	}
	cert := k.look(u.String())
	if cert == nil {
		var err error
		if cert, err = k.fetch(ctx, u.String()); err != nil {
			return nil, err
		}
	}
	if now := k.now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return nil, fmt.Errorf("%w: its certificate has ended or not begun", ErrForged)
	}
	return cert.PublicKey.(*rsa.PublicKey), nil
}

func (k *snsKeys) look(url string) *x509.Certificate {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept[url]
}

func (k *snsKeys) fetch(ctx context.Context, url string) (*x509.Certificate, error) {
	select {
	case k.fetching <- struct{}{}:
		defer func() { <-k.fetching }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: no answer in time", ErrUnchecked)
	}
	if cert := k.look(url); cert != nil {
		return cert, nil
	}
	r, fault := k.get(ctx, url)
	switch {
	case fault != nil && r.Status >= 400 && r.Status <= 499:
		return nil, fmt.Errorf("%w: there is no certificate at its SigningCertURL", ErrForged)
	case fault != nil:
		return nil, fmt.Errorf("%w: its certificate could not be fetched: %s", ErrUnchecked, fault.Detail)
	case !r.Whole:
		return nil, fmt.Errorf("%w: its certificate was not read whole", ErrUnchecked)
	}
	cert, err := parseSNSCert(r.Body)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.kept) >= maxSNSKeys {
		clear(k.kept)
	}
	k.kept[url] = cert
	return cert, nil
}

// parseSNSCert reads a file that is a certificate and nothing else.
func parseSNSCert(data []byte) (*x509.Certificate, error) {
	data = bytes.TrimSpace(data)
	if bytes.HasPrefix(data, []byte("-----BEGIN CERTIFICATE-----")) {
		block, rest := pem.Decode(data)
		if block != nil && len(bytes.TrimSpace(rest)) == 0 {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err == nil {
				if _, ok := cert.PublicKey.(*rsa.PublicKey); ok {
					return cert, nil
				}
			}
		}
	}
	return nil, fmt.Errorf("%w: what is at its SigningCertURL is not a certificate with an RSA key", ErrForged)
}
