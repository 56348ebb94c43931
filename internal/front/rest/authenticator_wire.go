package rest

import (
	"time"

	"github.com/otpost/otpost/internal/authenticator"
)

// The bounds of members; openapi.json repeats them.
const (
	maxIssuer = 64
	maxLabel  = 256
	maxSecret = 512
)

var enrolMembers = []member[authenticator.Request]{
	{"issuer", true, func(q *authenticator.Request, s *scanner) { q.Issuer = s.text(maxIssuer) }},
	{"label", true, func(q *authenticator.Request, s *scanner) { q.Label = s.text(maxLabel) }},
	{"secret", false, func(q *authenticator.Request, s *scanner) { q.Secret = s.text(maxSecret) }},
	{"algorithm", false, func(q *authenticator.Request, s *scanner) {
		q.Algorithm = oneOf(s, authenticator.SHA1, authenticator.SHA256, authenticator.SHA512)
	}},
	{"digits", false, func(q *authenticator.Request, s *scanner) { q.Digits = s.digitCount() }},
	{"period", false, func(q *authenticator.Request, s *scanner) {
		q.Period = time.Duration(s.integer(15, 120)) * time.Second
	}},
}

func (s *scanner) digitCount() int {
	faults := len(s.faults)
	n := s.integer(6, 8)
	if n == 7 && len(s.faults) == faults {
		s.fault("must be 6 or 8")
	}
	return n
}

// deviceBody is an authenticator as every answer shows it. It has no member for a secret.
type deviceBody struct {
	ID          string                  `json:"id"`
	Status      authenticator.State     `json:"status"`
	Issuer      string                  `json:"issuer"`
	Label       string                  `json:"label"`
	Algorithm   authenticator.Algorithm `json:"algorithm"`
	Digits      int                     `json:"digits"`
	Period      int                     `json:"period"`
	CreatedAt   instant                 `json:"created_at"`
	ConfirmedAt instant                 `json:"confirmed_at"`
}

// enrolledBody answers an enrolment, the one time that a secret is shown.
type enrolledBody struct {
	deviceBody
	Secret string `json:"secret"`
	URI    string `json:"uri"`
	QR     string `json:"qr"`
}

type devicesBody struct {
	Authenticators []deviceBody `json:"authenticators"`
}

type deviceVerdictBody struct {
	Verified bool   `json:"verified"`
	ID       string `json:"id,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

func deviceOf(d *authenticator.Device) deviceBody {
	return deviceBody{ID: d.ID, Status: d.State, Issuer: d.Issuer, Label: d.Label, Algorithm: d.Algorithm, Digits: d.Digits,
		Period: int(d.Period / time.Second), CreatedAt: instant(d.CreatedAt), ConfirmedAt: instant(d.ConfirmedAt)}
}
