package passcode

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/outbox"
)

// maxRelayedCode bounds a code that a caller brings.
const maxRelayedCode = 32

// Relay implements Verbs. When AnswerBy is set it returns by then with what can honestly be said: a repeat joins the
// first request's delivery, a delivery proved unsent is given up so that the caller's own fallback is the only
// message, and one whose fate is open is handed over for good before the caller is told so.
func (e *Engine) Relay(ctx context.Context, r Relay) (Relayed, error) {
	now := e.Now()
	d, spends, err := e.relayed(&r, now)
	if err != nil {
		return Relayed{}, e.refused(err)
	}
	reserved := e.Outbox.Reserve(&d)
	joined, tookUp, err := e.Store.Relay(ctx, d, spends, now)
	if err != nil {
		if reserved {
			e.unreserve(d, err)
		}
		return Relayed{}, e.refused(err)
	}
	if reserved && joined != nil && !tookUp {
		e.Outbox.Release()
		reserved = false
	}
	faultpoint.Here("relay.after_commit")
	e.observe(Event{Kind: EventRelayed, Channel: d.Channel, Purpose: r.Purpose})
	if joined != nil {
		d = *joined
	}
	watch := e.Outbox.Watch(d.ID)
	defer watch.Stop()
	switch {
	case tookUp:
		err = e.Outbox.TakeUp(ctx, d)
	case reserved:
		e.Outbox.HandOver(d)
	default:
		e.Outbox.Wake()
	}
	if err != nil {
		return Relayed{}, err
	}
	d, err = e.settle(ctx, d, watch, &r)
	return Relayed{Delivery: d, Outcome: outbox.OutcomeOf(&d), Joined: joined != nil}, err
}

// relayed checks a request and makes its delivery.
func (e *Engine) relayed(r *Relay, now time.Time) (d outbox.Delivery, spends []Spend, err error) {
	to, err := ParseAddress(r.To)
	if err != nil {
		return d, nil, err
	}
	client, err := parseClient(r.IP)
	if err != nil {
		return d, nil, err
	}
	if r.Code == "" || len(r.Code) > maxRelayedCode || strings.ContainsFunc(r.Code, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return d, nil, &Refusal{Reason: InvalidRequest, Field: "code", Detail: "must be 1 to 32 printable ASCII characters"}
	}
	if !slices.Contains(Purposes(), r.Purpose) {
		r.Purpose = Verify
	}
	c := Challenge{Tenant: r.Tenant, Application: r.Application.ID, Channel: to.Channel, To: to.Deliverable,
		Purpose: r.Purpose, Locale: r.Locale, ExpiresAt: now.Add(r.Lifetime)}
	way := destination(&c, &r.Application)
	way.Provider = r.Provider
	if d, err = e.deliveryBy(e.Route(way), &c, &r.Application, r.Code, now); err != nil {
		return d, nil, err
	}
	guarded, err := e.guard(&c, &r.Application, &d)
	if err != nil {
		return d, nil, err
	}
	d.AnswerBy = r.AnswerBy
	parts := append([]string{r.Tenant, to.Identifier, r.Code}, r.Dedup...)
	hashes := e.Ring.Hashes(bound("otpost relay 1", parts...))
	if len(hashes) == 0 {
		return d, nil, errors.New("hash request: the ring has no key")
	}
	// The first request may have been written under another key, before a rotation or by a node that is behind it.
	d.Dedup, d.DedupElse = hashes[0], hashes[1:]
	return d, e.Limits.sends(r.Tenant, to.Mailbox, r.Application.ID, client, guarded), nil
}

// settle waits for the outcome until AnswerBy, and then settles what the caller may be told.
func (e *Engine) settle(ctx context.Context, d outbox.Delivery, watch *outbox.Watch, r *Relay) (outbox.Delivery, error) {
	if d.State.Final() || r.AnswerBy.IsZero() {
		return d, nil
	}
	waiting, cancel := context.WithTimeout(ctx, r.AnswerBy.Sub(e.Now()))
	defer cancel()
	if after, ok := watch.Wait(waiting); ok {
		return after, nil
	}
	// The caller may hang up at the same moment; what it is told must be true all the same.
	return e.Outbox.Settle(context.WithoutCancel(ctx), d.ID, !r.KeepFallback)
}
