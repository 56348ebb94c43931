package rest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// No type in this file has a member for a code: what is not there cannot be answered.

// instant is a time on the wire: RFC 3339, UTC, milliseconds. The zero time is null.
type instant time.Time

// MarshalJSON implements json.Marshaler.
func (t instant) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return time.Time(t).UTC().AppendFormat(make([]byte, 0, 26), `"2006-01-02T15:04:05.000Z"`), nil
}

// word is a string that is null when empty.
type word string

// MarshalJSON implements json.Marshaler.
func (v word) MarshalJSON() ([]byte, error) {
	if v == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(v))
}

// challengeBody is a passcode as every answer shows it.
type challengeBody struct {
	ID           string         `json:"id"`
	Status       passcode.State `json:"status"`
	Channel      outbox.Channel `json:"channel"`
	To           string         `json:"to"`
	ExpiresAt    instant        `json:"expires_at"`
	AttemptsLeft int            `json:"attempts_left"`
	ResendAt     instant        `json:"resend_at"`
}

type deliveryBody struct {
	State    outbox.State `json:"state"`
	Provider word         `json:"provider"`
	Attempts int          `json:"attempts"`
}

// issuedBody answers an issue and a resend.
type issuedBody struct {
	challengeBody
	Delivery deliveryBody `json:"delivery"`
}

type verdictBody struct {
	Verified     bool           `json:"verified"`
	Status       passcode.State `json:"status"`
	Reason       string         `json:"reason,omitempty"`
	AttemptsLeft int            `json:"attempts_left"`
}

func challengeOf(c *passcode.Challenge, now time.Time) challengeBody {
	body := challengeBody{ID: c.ID, Status: c.StateAt(now), Channel: c.Channel, To: c.Identifier,
		ExpiresAt: instant(c.ExpiresAt), AttemptsLeft: c.TriesLeft()}
	if body.Status == passcode.Pending {
		body.ResendAt = instant(c.ResendAt())
	}
	return body
}

func deliveryOf(d *outbox.Delivery) deliveryBody {
	return deliveryBody{State: d.State, Provider: word(d.Provider), Attempts: d.Tries}
}

func issuedOf(i *passcode.Issued, now time.Time) issuedBody {
	return issuedBody{challengeOf(&i.Challenge, now), deliveryOf(&i.Delivery)}
}

func verdictOf(v *passcode.Verdict, now time.Time) verdictBody {
	return verdictBody{Verified: v.Verified, Status: v.Challenge.StateAt(now), Reason: reasons[v.Reason].code,
		AttemptsLeft: v.TriesLeft}
}

// reply writes an answer that is not a problem.
func reply(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // structs of strings, numbers and times always marshal
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	w.Write(b) // a client that left has nothing to be told
}
