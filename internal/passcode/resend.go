package passcode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/outbox"
)

// Resend implements Verbs.
func (e *Engine) Resend(ctx context.Context, ref Ref, application Application, ip string, wait time.Duration) (Issued, error) {
	client, err := parseClient(ip)
	if err != nil {
		return Issued{}, e.refused(err)
	}
	if ref, err = e.find(ref); err != nil {
		return Issued{}, e.refused(err)
	}
	now := e.Now()
	var issued Issued
	d := &issued.Delivery
	err = e.send(ctx, d, wait, func() error {
		var refused error // which leaves a note, and so is not the transaction's error
		err := e.Store.Update(ctx, ref, now, func(c *Challenge, t Turn) error {
			before := *c
			next, err := e.mayResend(c, t, &application, client, now)
			if refused = err; err != nil {
				*c = before
				return note(c, t, err, now)
			}
			next.State, next.Lease, next.DueAt = d.State, d.Lease, d.DueAt
			*d, issued.Challenge = next, *c
			faultpoint.Here("resend.before_commit")
			return t.Send(next)
		})
		return cmp.Or(err, refused)
	})
	if err != nil {
		return Issued{}, e.refused(err)
	}
	e.observe(Event{Kind: EventResent, Channel: d.Channel, Purpose: issued.Challenge.Purpose})
	return issued, nil
}

// mayResend makes the next message of a challenge, and takes what it costs.
func (e *Engine) mayResend(c *Challenge, t Turn, a *Application, client netip.Addr, now time.Time) (next outbox.Delivery, err error) {
	if err := due(c, now); err != nil {
		return next, err
	}
	if err := t.Reach(c); err != nil {
		return next, err
	}
	if next, err = e.again(c, a, now); err != nil {
		return next, err
	}
	guarded, err := e.guard(c, a, &next)
	if err != nil {
		return next, err
	}
	return next, t.Spend(e.Limits.sends(c.Tenant, c.Mailbox, c.Application, client, guarded)...)
}

// note keeps that a limit refused a resend, and returns any other error.
func note(c *Challenge, t Turn, refused error, now time.Time) error {
	n := Note{Kind: Limited, At: now}
	var spent *Exhausted
	var unwanted *Unwanted
	var refusal *Refusal
	switch {
	case errors.As(refused, &spent):
		n.Reason, n.Limit = LimitReached, spent.Name
	case errors.As(refused, &unwanted):
		n.Reason = Suppressed
	case errors.As(refused, &refusal) && slices.Contains([]Reason{TooSoon, NoResendsLeft, DestinationRefused}, refusal.Reason):
		n.Reason = refusal.Reason
	default:
		return refused
	}
	return t.Note(c, n)
}

// due refuses a resend that the challenge's state or policy does not allow.
func due(c *Challenge, now time.Time) error {
	switch at := c.ResendAt(); {
	case c.Channel == outbox.Caller:
		return &Refusal{Reason: NoResendsLeft, Detail: "this passcode is handed over by its caller, so there is no message to send again"}
	case c.StateAt(now) != Pending:
		return &Refusal{Reason: Ended, State: c.StateAt(now), Detail: "this passcode has ended; issue a new one"}
	case at.IsZero():
		return &Refusal{Reason: NoResendsLeft, Detail: "this passcode was sent as often as its policy allows; issue a new one"}
	case c.Policy.ResendInterval > 0 && now.Before(at): // without an interval, clocks that differ do not make one
		return &Refusal{Reason: TooSoon, RetryAt: at, Detail: "a message was sent a moment ago; wait before the next one"}
	}
	return nil
}

// again makes the next message of a challenge: the same code, or a new one with a new life where the policy says so.
func (e *Engine) again(c *Challenge, a *Application, now time.Time) (d outbox.Delivery, err error) {
	var code string
	c.Sends++
	c.SentAt = now
	if c.Policy.FreshCode {
		c.ExpiresAt = now.Add(c.Policy.Lifetime)
		code, err = e.freshCode(c)
	} else {
		code, err = e.sameCode(c)
	}
	if err != nil {
		return d, err
	}
	return e.delivery(c, a, code, now)
}

func (e *Engine) sameCode(c *Challenge) (string, error) {
	plain, err := e.Ring.Open(c.CodeSealed, sealContext(c))
	if err != nil {
		return "", fmt.Errorf("open code: %w", err)
	}
	if c.Sends > c.Policy.Resends {
		c.CodeSealed = nil
	}
	return string(plain), nil
}
