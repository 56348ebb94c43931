package extension

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of a key set's documents and of the time it takes to get them.
const (
	maxMetadata  = 256 << 10
	maxKeys      = 512 << 10
	fetchTimeout = 10 * time.Second
	minKeyBits   = 2048
)

// snapshot is the keys of an issuer at one moment, by key id. It never changes once it is published.
type snapshot map[string][]*rsa.PublicKey

// keySet keeps the keys that one metadata document leads to. The last good ones stay in use when a fetch fails.
type keySet struct {
	// metadata is empty when the keys are fixed.
	metadata string
	lazy     bool
	// issuers are the names that the document may give its issuer.
	issuers  []string
	client   *http.Client
	loopback bool
	now      func() time.Time

	current atomic.Pointer[snapshot]

	mu     sync.Mutex
	flight *flight
	// triedAt is when the last fetch began; failed says that it came to nothing.
	triedAt time.Time
	failed  bool
}

// flight is a fetch under way; err may be read once done is closed.
type flight struct {
	done chan struct{}
	err  error
}

var (
	errTooSoon = errors.New("fetched a moment ago")
	errNoKey   = errors.New("no RSA signing key in the key set")
)

// fixed is a key set that is never fetched.
func fixed(keys *jose.JSONWebKeySet) (*keySet, error) {
	snap := make(snapshot)
	for _, key := range keys.Keys {
		snap.add(key)
	}
	if len(snap) == 0 {
		return nil, errNoKey
	}
	set := new(keySet)
	set.current.Store(&snap)
	return set, nil
}

// find returns the keys of that id, nil when there are none.
func (s *keySet) find(kid string) (*snapshot, []*rsa.PublicKey) {
	snap := s.current.Load()
	if snap == nil {
		return nil, nil
	}
	return snap, (*snap)[kid]
}

// fetch loads the keys anew. Callers at the same time share one fetch, and a fetch is refused when the last one began
// less than interval ago, so that forged key ids cannot make us hammer the issuer. The fetch itself goes on when ctx
// ends: the next caller wants its result too.
func (s *keySet) fetch(ctx context.Context, interval time.Duration) error {
	s.mu.Lock()
	f := s.flight
	if f == nil {
		now := s.now()
		if s.failed {
			interval = min(interval, failedInterval)
		}
		if !s.triedAt.IsZero() && now.Sub(s.triedAt) < interval {
			s.mu.Unlock()
			return errTooSoon
		}
		f = &flight{done: make(chan struct{})}
		s.flight, s.triedAt = f, now
		go s.fly(context.WithoutCancel(ctx), f)
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *keySet) fly(ctx context.Context, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	snap, err := s.load(ctx)
	if err == nil {
		s.current.Store(&snap)
	}
	s.mu.Lock()
	s.flight, s.failed, f.err = nil, err != nil, err
	s.mu.Unlock()
	close(f.done)
}

// load reads the metadata (OpenID Connect Discovery 1.0 §4) and the keys it points to (RFC 7517 §5).
func (s *keySet) load(ctx context.Context) (snapshot, error) {
	raw, err := s.get(ctx, s.metadata, maxMetadata)
	if err != nil {
		return nil, fmt.Errorf("read metadata %s: %w", s.metadata, err)
	}
	var doc struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("read metadata %s: not JSON", s.metadata)
	}
	if !slices.Contains(s.issuers, doc.Issuer) {
		return nil, fmt.Errorf("read metadata %s: it describes the issuer %s, which is not trusted", s.metadata, quote(doc.Issuer))
	}
	if err := checkURL(doc.Keys, s.loopback); err != nil {
		return nil, fmt.Errorf("read metadata %s: jwks_uri: %w", s.metadata, err)
	}
	raw, err = s.get(ctx, doc.Keys, maxKeys)
	if err != nil {
		return nil, fmt.Errorf("read keys %s: %w", doc.Keys, err)
	}
	snap, err := readKeys(raw)
	if err != nil {
		return nil, fmt.Errorf("read keys %s: %w", doc.Keys, err)
	}
	return snap, nil
}

func (s *keySet) get(ctx context.Context, address string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("longer than %d bytes", limit)
	}
	return body, nil
}

// readKeys takes the RSA signing keys of a key set and passes over all others (RFC 7517 §5: unknown keys are ignored).
func readKeys(raw []byte) (snapshot, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, errors.New("not a JSON key set")
	}
	snap := make(snapshot)
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err == nil {
			snap.add(key)
		}
	}
	if len(snap) == 0 {
		return nil, errNoKey
	}
	return snap, nil
}

func (s snapshot) add(key jose.JSONWebKey) {
	public, ok := key.Key.(*rsa.PublicKey)
	if !ok || key.KeyID == "" || public.N.BitLen() < minKeyBits || (key.Use != "" && key.Use != "sig") {
		return
	}
	s[key.KeyID] = append(s[key.KeyID], public)
}

// checkURL wants https, or http to this machine when that is allowed.
func checkURL(address string, loopback bool) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%s is not an absolute URL", quote(address))
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback && isLoopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("%s must be https", quote(address))
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// quote makes a stranger's value safe and short for an error text.
func quote(s string) string {
	const most = 120
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}
