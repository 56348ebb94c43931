package passcode

import (
	"context"
	"errors"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/outbox"
)

// endedReasons says how a challenge that is not pending answers to a code.
var endedReasons = map[State]Reason{
	Verified:  CodeUsed,
	Locked:    CodeLocked,
	Expired:   CodeExpired,
	Cancelled: CodeCancelled,
	Replaced:  CodeReplaced,
}

// verifyTime bounds the database's part of a verify.
const verifyTime = 10 * time.Second

// Verify implements Verbs. The try is counted, the code compared and the challenge consumed under one lock and in one
// transaction, so guesses that come together are no different from guesses in a row.
func (e *Engine) Verify(ctx context.Context, ref Ref, code string) (Verdict, error) {
	ref, err := e.find(ref)
	if err != nil {
		return Verdict{}, e.refused(err)
	}
	// A caller that hangs up must not undo the count of its guess.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verifyTime)
	defer cancel()
	now := e.Now()
	v, done, err := e.tryAtOnce(ctx, ref, code, now)
	if err == nil && !done {
		err = e.Store.Update(ctx, ref, now, func(c *Challenge, t Turn) (err error) {
			v, err = e.try(c, t, code, now)
			v.Challenge, v.TriesLeft = *c, c.TriesLeft()
			faultpoint.Here("verify.before_commit")
			return err
		})
	}
	if err != nil {
		return Verdict{}, e.refused(err)
	}
	faultpoint.Here("verify.after_commit")
	kind := EventTried
	if v.Verified {
		kind = EventVerified
	}
	e.observe(Event{Kind: kind, Channel: v.Challenge.Channel, Purpose: v.Challenge.Purpose, Reason: v.Reason})
	return v, nil
}

// tryAtOnce lets the store do in one step what Update and try do, if it can. The code is normalised for the default
// policy's alphabet, which is as a rule every policy's.
func (e *Engine) tryAtOnce(ctx context.Context, ref Ref, code string, now time.Time) (v Verdict, done bool, err error) {
	if ref.ID == "" {
		return v, false, nil
	}
	c, done, err := e.Store.Try(ctx, ref, now, func() (try Try, err error) {
		usual, _ := e.Policy(Application{}, "")
		try.Alphabet = usual.Alphabet
		try.Keyed, err = e.Ring.Hash(proof(ref.Tenant, ref.ID, normalise(code, e.characters(try.Alphabet))))
		try.Guesses = e.Limits.guessLimits()
		faultpoint.Here("verify.before_commit")
		return try, err
	})
	if err != nil || !done {
		return v, false, err
	}
	v = Verdict{Challenge: c, Verified: c.State == Verified, TriesLeft: c.TriesLeft()}
	if !v.Verified {
		v.Reason = WrongCode
	}
	return v, true, nil
}

// try evaluates one code against a locked challenge. It returns no error for a wrong one: that would undo its count.
func (e *Engine) try(c *Challenge, t Turn, code string, now time.Time) (Verdict, error) {
	if state := c.StateAt(now); state != Pending {
		if c.State == Pending {
			c.end(Expired, c.ExpiresAt)
		}
		return Verdict{Reason: endedReasons[state]}, nil
	}
	right := e.matches(c, normalise(code, e.characters(c.Policy.Alphabet)))
	if err := t.Guess(right, e.Limits.guesses(c.Tenant, c.Mailbox)...); err != nil {
		// What the comparison said is not told: a spent budget answers the same to every code.
		var spent *Exhausted
		if errors.As(err, &spent) {
			return Verdict{Reason: Throttled, RetryAt: spent.RetryAt},
				t.Note(c, Note{Kind: Limited, At: now, Reason: Throttled, Limit: spent.Name})
		}
		return Verdict{}, err
	}
	c.Tries++
	if right {
		c.end(Verified, now)
		return Verdict{Verified: true}, nil
	}
	if err := t.Note(c, Note{Kind: Tried, At: now, Reason: WrongCode}); err != nil {
		return Verdict{}, err
	}
	if c.TriesLeft() > 0 {
		return Verdict{Reason: WrongCode}, nil
	}
	c.end(Locked, now)
	return Verdict{Reason: CodeLocked, Last: true}, e.lockOut(c, t)
}

// lockOut keeps the recipient from new codes for a while. The lock-out of a generated code is in its row: it holds for
// that scope and key, and what goes wrong in one session closes no other.
func (e *Engine) lockOut(c *Challenge, t Turn) error {
	if c.Policy.Lockout == 0 || c.Channel == outbox.Caller {
		return nil
	}
	err := t.Spend(lockout(c.Tenant, c.Mailbox, c.Policy.Lockout, 1))
	var already *Exhausted
	if errors.As(err, &already) {
		return nil
	}
	return err
}

// end makes a challenge final. Its code will not be sent again, so the sealed copy goes.
func (c *Challenge) end(s State, at time.Time) {
	c.State, c.EndedAt, c.CodeSealed = s, at, nil
}

// find brings a Ref into the form the store looks up.
func (e *Engine) find(ref Ref) (Ref, error) {
	if ref.ID != "" {
		return ref, nil
	}
	if ref.Purpose == "" {
		ref.Purpose = Verify
	}
	if ref.Key != "" {
		return findKey(ref)
	}
	to, err := ParseAddress(ref.To)
	if err != nil {
		return ref, err
	}
	ref.To = to.Identifier
	return ref, nil
}
