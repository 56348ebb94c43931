package provider

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// Receipts reads the delivery reports that a vendor posts to us.
type Receipts interface {
	// Read checks that the vendor sent a report, and that it sent it just now where the signature covers a time, and
	// returns what it says, which may be nothing. Its errors are ErrForged, ErrMalformed and ErrUnchecked, wrapped with a
	// reason that quotes nothing of the report. Nothing may be done with a report that Read refuses.
	Read(ctx context.Context, p Posted) (Told, error)
}

// Posted is a request that claims to be a vendor's report.
type Posted struct {
	// URL is the address as the vendor was told it, with its query: some signatures cover it. It is made of the public
	// URL in the settings, never of the request's Host.
	URL    string
	Method string
	Header http.Header
	Body   []byte
	// Secret is what followed the provider's name in the path, empty when nothing did.
	Secret string
}

// Told is what a report says.
type Told struct {
	Receipts []outbox.Receipt
	// Answer is the body that the vendor expects, as JSON; nil for an empty 200.
	Answer []byte
}

// Errors of Receipts.Read.
var (
	// ErrForged: the signature or secret is missing or wrong, or the report is too old to be believed.
	ErrForged = errors.New("the report cannot be believed")
	// ErrMalformed: the sender is the vendor, but the report cannot be read.
	ErrMalformed = errors.New("the report cannot be read")
	// ErrUnchecked: what is needed to believe the report could not be had just now. The vendor should send it again, so it
	// is answered with a 503.
	ErrUnchecked = errors.New("the report cannot be checked just now")
)

// maxReportAge is how far the time under a signature may be from now, either way (Standard Webhooks, "Timestamp
// tolerance", and Svix use five minutes).
const maxReportAge = 5 * 60 // seconds

// knows reports whether a report of a vendor that signs nothing carries the secret that was agreed: as the last part of
// the path, as a bearer token, or as the password of basic authentication, whatever its user name.
func (p Posted) knows(secret string) bool {
	if secret == "" {
		return false
	}
	given := []string{p.Secret}
	if bearer, ok := strings.CutPrefix(p.Header.Get("Authorization"), "Bearer "); ok {
		given = append(given, bearer)
	}
	if _, password, ok := (&http.Request{Header: p.Header}).BasicAuth(); ok {
		given = append(given, password)
	}
	same := 0
	for _, g := range given {
		same |= subtle.ConstantTimeCompare([]byte(g), []byte(secret))
	}
	return same == 1
}
