package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Issuer is one who signs tokens, and where its keys are announced. Its text is issuer=metadata-URL.
type Issuer struct {
	Issuer   string
	Metadata string
}

func (i Issuer) String() string { return i.Issuer + "=" + i.Metadata }

// MarshalText writes the text form.
func (i Issuer) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the text form. Whoever can change the metadata can sign tokens, so it must come by https, or from
// this machine. The first equals sign divides: an issuer has no query (OpenID Connect Core §2).
func (i *Issuer) UnmarshalText(text []byte) error {
	issuer, metadata, found := strings.Cut(string(text), "=")
	if !found {
		return fmt.Errorf("%q has no equals sign between issuer and metadata URL", text)
	}
	for _, s := range []string{issuer, metadata} {
		if u, err := url.Parse(s); err != nil || u.Host == "" || (u.Scheme != "https" && !onThisMachine(u)) {
			return fmt.Errorf("%q is not an https URL", s)
		}
	}
	*i = Issuer{Issuer: issuer, Metadata: metadata}
	return nil
}

// onThisMachine reports whether u is plain http that nobody can change on its way.
func onThisMachine(u *url.URL) bool {
	if u.Scheme != "http" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || (err == nil && ip.IsLoopback())
}
