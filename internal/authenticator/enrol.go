package authenticator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/qr"
)

// The bounds of what a device is made of, in bytes. With the longest of all a URI still fits into a QR code.
const (
	maxUser   = 256
	maxIssuer = 64
	maxLabel  = 256
)

// The bounds of a period.
const (
	minPeriod = 15 * time.Second
	maxPeriod = 2 * time.Minute
)

// Enrol implements Verbs.
func (e *Engine) Enrol(ctx context.Context, r Request) (Enrolment, error) {
	made, err := e.enrol(ctx, r)
	if err != nil {
		return Enrolment{}, e.refused(err)
	}
	e.observe(Event{Kind: EventEnrolled})
	return made, nil
}

func (e *Engine) enrol(ctx context.Context, r Request) (made Enrolment, err error) {
	if err := r.complete(); err != nil {
		return made, err
	}
	secret, err := e.secretOf(r.Secret)
	if err != nil {
		return made, err
	}
	now := e.Now()
	d := Device{ID: outbox.NewID("au", now), Tenant: r.Tenant, Application: r.Application, User: r.User, Issuer: r.Issuer,
		Label: r.Label, Algorithm: r.Algorithm, Digits: r.Digits, Period: r.Period, State: Pending, CreatedAt: now}
	if d.SecretSealed, err = e.Ring.Seal(secret, sealedFor(&d)); err != nil {
		return made, fmt.Errorf("seal secret of authenticator: %w", err)
	}
	made = Enrolment{Device: d, Secret: unpadded.EncodeToString(secret)}
	made.URI = uriOf(&d, made.Secret)
	if made.QR, err = qr.Draw(made.URI); err != nil {
		return made, err
	}
	return made, e.Store.Enrol(ctx, d, e.MaxDevices, now.Add(-e.ConfirmWithin))
}

func (e *Engine) secretOf(given string) ([]byte, error) {
	if given != "" {
		secret, err := parseSecret(given)
		if err != nil {
			return nil, invalid("secret", err.Error())
		}
		return secret, nil
	}
	secret := make([]byte, drawnSecret)
	if _, err := io.ReadFull(e.Rand, secret); err != nil {
		return nil, fmt.Errorf("draw secret: %w", err)
	}
	return secret, nil
}

// complete sets the defaults of a request, and says what is wrong with it.
func (r *Request) complete() error {
	if r.Algorithm == "" {
		r.Algorithm = SHA1
	}
	if r.Digits == 0 {
		r.Digits = 6
	}
	if r.Period == 0 {
		r.Period = 30 * time.Second
	}
	for _, text := range []struct {
		field, value string
		most         int
	}{{"user", r.User, maxUser}, {"issuer", r.Issuer, maxIssuer}, {"label", r.Label, maxLabel}} {
		if err := checkText(text.field, text.value, text.most); err != nil {
			return err
		}
	}
	switch {
	case strings.Contains(r.Issuer, ":"):
		return invalid("issuer", "must not hold a colon")
	case strings.Contains(r.Label, ":"):
		return invalid("label", "must not hold a colon")
	case hashes[r.Algorithm] == nil:
		return invalid("algorithm", "must be one of SHA1, SHA256, SHA512")
	case !slices.Contains([]int{6, 8}, r.Digits):
		return invalid("digits", "must be 6 or 8")
	case r.Period < minPeriod || r.Period > maxPeriod || r.Period%time.Second != 0:
		return invalid("period", fmt.Sprintf("must be %d to %d whole seconds", minPeriod/time.Second, maxPeriod/time.Second))
	}
	return nil
}

func checkText(field, text string, most int) error {
	switch {
	case strings.TrimSpace(text) == "":
		return invalid(field, "must not be empty")
	case len(text) > most:
		return invalid(field, fmt.Sprintf("must have at most %d bytes", most))
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return invalid(field, "must be text in UTF-8 without control characters")
	}
	return nil
}

// invalid refuses a request because of one member; what is wrong with it goes on from the member's name.
func invalid(field, what string) error {
	return &Refusal{Reason: InvalidRequest, Field: field, Detail: field + " " + what + "."}
}

// refused turns what the store says into the words of the doors, and counts it.
func (e *Engine) refused(err error) error {
	var refusal *Refusal
	switch {
	case errors.Is(err, ErrFull):
		refusal = &Refusal{Reason: TooMany,
			Detail: fmt.Sprintf("A user may have %d authenticators. Delete one, or confirm those that are pending.", e.MaxDevices)}
	case !errors.As(err, &refusal):
		return err
	}
	e.observe(Event{Kind: EventRefused, Reason: refusal.Reason})
	return refusal
}
