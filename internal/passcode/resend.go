package passcode

import (
	"context"
	"fmt"
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
		return e.Store.Update(ctx, ref, now, func(c *Challenge, t Turn) error {
			if err := mayResend(c, now); err != nil {
				return err
			}
			if err := t.Reach(c); err != nil {
				return err
			}
			next, err := e.again(c, &application, now)
			if err != nil {
				return err
			}
			guarded, err := e.guard(c, &application, &next)
			if err != nil {
				return err
			}
			if err := t.Spend(e.Limits.sends(c.Tenant, c.Mailbox, c.Application, client, guarded)...); err != nil {
				return err
			}
			next.State, next.Lease, next.DueAt = d.State, d.Lease, d.DueAt
			*d, issued.Challenge = next, *c
			faultpoint.Here("resend.before_commit")
			return t.Send(next)
		})
	})
	if err != nil {
		return Issued{}, e.refused(err)
	}
	e.observe(Event{Kind: EventResent, Channel: d.Channel, Purpose: issued.Challenge.Purpose})
	return issued, nil
}

func mayResend(c *Challenge, now time.Time) error {
	switch at := c.ResendAt(); {
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
