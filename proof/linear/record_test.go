package linear_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// record is one call of a history.
type record struct {
	call   call
	answer answer
	client int
	// began and ended are nanoseconds since the run began.
	began, ended int64
}

// spoken are the members that the model looks at, of all answers.
type spoken struct {
	ID, Status, Reason string
	Verified           bool
	AttemptsLeft       int        `json:"attempts_left"`
	ExpiresAt          *time.Time `json:"expires_at"`
	ResendAt           *time.Time `json:"resend_at"`
}

// read fills in what a server answered, and with it at what time it did so when that can be told: a fresh code expires
// one lifetime after it was made, and the next message may follow one interval after this one.
func (r *record) read(got rig.Answer, rules rules) error {
	if got.Status >= 400 {
		var problem struct{ Code string }
		if err := json.Unmarshal(got.Body, &problem); err != nil {
			return fmt.Errorf("%v: %w", got, err)
		}
		r.answer = answer{refusal: problem.Code}
		return nil
	}
	var s spoken
	if err := json.Unmarshal(got.Body, &s); err != nil {
		return fmt.Errorf("%v: %w", got, err)
	}
	r.answer = answer{passcode: s.ID, verified: s.Verified, status: s.Status, reason: s.Reason, left: s.AttemptsLeft,
		more: s.ResendAt != nil, replayed: got.Header.Get("Idempotency-Replayed") == "true"}
	switch c := &r.call; {
	case c.verb == issue && r.answer.replayed:
	case c.verb == issue:
		c.passcode = s.ID
		return r.happened(s.ExpiresAt.Add(-rules.lifetime))
	case c.verb == resend && rules.freshCodes:
		return r.happened(s.ExpiresAt.Add(-rules.lifetime))
	case c.verb == resend && s.ResendAt != nil:
		return r.happened(s.ResendAt.Add(-rules.interval))
	}
	return nil
}

// happened says when a call was carried out by the server's clock.
func (r *record) happened(at time.Time) error {
	ms := at.UnixMilli()
	if ms < r.call.from || ms > r.call.until {
		return fmt.Errorf("%v was carried out at %d, and it was under way from %d to %d", r.call, ms, r.call.from, r.call.until)
	}
	r.call.from, r.call.until = ms, ms
	return nil
}
