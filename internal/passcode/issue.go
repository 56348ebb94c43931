package passcode

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/outbox"
)

// idempotencyLife is how long an idempotency key is remembered.
const idempotencyLife = 24 * time.Hour

// Issue implements Verbs. Challenge and delivery are on disk, or neither, when it returns.
func (e *Engine) Issue(ctx context.Context, r Request, wait time.Duration) (Issued, error) {
	now := e.Now()
	c, client, err := e.challenge(&r, now)
	if err != nil {
		return Issued{}, e.refused(err)
	}
	code, err := e.freshCode(&c)
	if err != nil {
		return Issued{}, err
	}
	d, err := e.delivery(&c, &r.Application, code, now)
	if err != nil {
		return Issued{}, e.refused(err)
	}
	guarded, err := e.guard(&c, &r.Application, &d)
	if err != nil {
		return Issued{}, e.refused(err)
	}
	i := Issuance{Challenge: c, Delivery: d, Now: now, Spends: e.issueSpends(&c, r.Apart, client, guarded)}
	if r.IdempotencyKey != "" {
		i.Idempotency = &Idempotency{Application: r.Application.ID, Key: r.IdempotencyKey, Fingerprint: r.Fingerprint,
			ExpiresAt: now.Add(idempotencyLife)}
	}
	err = e.send(ctx, &i.Delivery, wait, func() error { return e.Store.Issue(ctx, i) })
	var repeated *Repeated
	if errors.As(err, &repeated) {
		return e.replay(ctx, r, repeated)
	}
	if err != nil {
		return Issued{}, e.refused(err)
	}
	e.observe(Event{Kind: EventIssued, Channel: c.Channel, Purpose: c.Purpose})
	return Issued{Challenge: c, Delivery: i.Delivery}, nil
}

// challenge checks a request and makes the challenge it asks for, still without a code.
func (e *Engine) challenge(r *Request, now time.Time) (c Challenge, client netip.Addr, err error) {
	to, err := ParseAddress(r.To)
	if err != nil {
		return c, client, err
	}
	if r.Channel != "" && r.Channel != to.Channel {
		return c, client, &Refusal{Reason: InvalidRequest, Field: "channel",
			Detail: fmt.Sprintf("to is for the channel %q; leave channel out, since to alone decides it", to.Channel)}
	}
	if r.Purpose, err = parsePurpose(r.Purpose); err != nil {
		return c, client, err
	}
	if client, err = parseClient(r.IP); err != nil {
		return c, client, err
	}
	policy, err := e.policy(r)
	if err != nil {
		return c, client, err
	}
	return Challenge{ID: outbox.NewID("pc", now), Tenant: r.Tenant, Application: r.Application.ID, Scope: r.Scope,
		Channel: to.Channel, To: to.Deliverable, Identifier: to.Identifier, Mailbox: to.Mailbox, Purpose: r.Purpose,
		State: Pending, Policy: policy, Sends: 1, Locale: r.Locale, Metadata: r.Metadata,
		CreatedAt: now, SentAt: now, ExpiresAt: now.Add(policy.Lifetime)}, client, nil
}

// policy is the one that a request brings or names.
func (e *Engine) policy(r *Request) (Policy, error) {
	if r.Terms != nil {
		return checked(*r.Terms, maxResends)
	}
	policy, ok := e.Policy(r.Application, r.Policy)
	if !ok {
		return policy, &Refusal{Reason: UnknownPolicy, Field: "policy", Detail: "no policy has this name"}
	}
	return policy, nil
}

// checked is a policy that a caller brings, in the form that is kept.
func checked(p Policy, resends int64) (Policy, error) {
	p = p.kept()
	if err := p.validate(resends); err != nil {
		return p, &Refusal{Reason: InvalidRequest, Field: "policy", Detail: err.Error()}
	}
	return p, nil
}

func parsePurpose(p Purpose) (Purpose, error) {
	if p == "" {
		return Verify, nil
	}
	if !slices.Contains(Purposes(), p) {
		return p, &Refusal{Reason: InvalidRequest, Field: "purpose", Detail: fmt.Sprintf("must be one of %v", Purposes())}
	}
	return p, nil
}

func parseClient(ip string) (netip.Addr, error) {
	if ip == "" {
		return netip.Addr{}, nil
	}
	client, err := netip.ParseAddr(ip)
	if err != nil || client.IsUnspecified() {
		return netip.Addr{}, &Refusal{Reason: InvalidRequest, Field: "ip", Detail: "not an IPv4 or IPv6 address"}
	}
	return client, nil
}

// freshCode draws a code for a challenge and keeps its hash, and a sealed copy when it may have to be sent again.
func (e *Engine) freshCode(c *Challenge) (code string, err error) {
	set := e.characters(c.Policy.Alphabet)
	if set == "" {
		return "", fmt.Errorf("draw code: alphabet %q has no characters", c.Policy.Alphabet)
	}
	if code, err = draw(e.Rand, set, c.Policy.Length); err != nil {
		return "", err
	}
	keyed, err := e.Ring.Hash(proof(c.Tenant, c.ID, normalise(code, set)))
	if err != nil {
		return "", fmt.Errorf("hash code: %w", err)
	}
	c.CodeHash = bind(keyed, c.Purpose, c.Identifier)
	c.CodeSealed = nil
	if !c.Policy.FreshCode && c.Sends <= c.Policy.Resends {
		if c.CodeSealed, err = e.Ring.Seal([]byte(code), sealContext(c)); err != nil {
			return "", fmt.Errorf("seal code: %w", err)
		}
	}
	return code, nil
}

func sealContext(c *Challenge) string { return "code " + c.ID }

// delivery composes the message of a challenge now, so that a broken template fails to the caller.
func (e *Engine) delivery(c *Challenge, a *Application, code string, now time.Time) (outbox.Delivery, error) {
	return e.deliveryBy(e.Route(destination(c, a)), c, a, code, now)
}

func (e *Engine) deliveryBy(route Route, c *Challenge, a *Application, code string, now time.Time) (outbox.Delivery, error) {
	if len(route.Providers) == 0 {
		return outbox.Delivery{}, &Refusal{Reason: NoRoute, Field: "to",
			Detail: fmt.Sprintf("no provider is set up for the channel %q", c.Channel)}
	}
	m, err := e.Compose(Content{Channel: c.Channel, To: c.To, Code: code, Application: a.Name, ApplicationID: a.ID, Domain: a.Domain,
		Purpose: c.Purpose, Locale: c.Locale, Lifetime: c.ExpiresAt.Sub(now), Passcode: c.ID})
	if err != nil {
		return outbox.Delivery{}, fmt.Errorf("compose message: %w", err)
	}
	return outbox.Delivery{ID: outbox.NewID("dl", now), Tenant: c.Tenant, Application: c.Application, Challenge: c.ID,
		Channel: c.Channel, To: c.To, Route: route.Providers, Hedge: route.Hedge, State: outbox.Queued, CreatedAt: now, DueAt: now,
		Deadline: c.ExpiresAt, Message: &m}, nil
}

func destination(c *Challenge, a *Application) Destination {
	return Destination{Tenant: c.Tenant, Application: *a, Purpose: c.Purpose, Channel: c.Channel, To: c.To}
}

// guard asks the guard about a message.
func (e *Engine) guard(c *Challenge, a *Application, d *outbox.Delivery) ([]Spend, error) {
	if e.Guard == nil {
		return nil, nil
	}
	return e.Guard(destination(c, a), d.Message)
}

func (e *Engine) issueSpends(c *Challenge, apart time.Duration, client netip.Addr, guarded []Spend) []Spend {
	spends := e.Limits.sends(c.Tenant, c.Mailbox, c.Application, client, guarded)
	if apart > 0 {
		spends = append([]Spend{interval(c.Tenant, c.Mailbox, c.Purpose, apart)}, spends...)
	}
	if c.Policy.Lockout > 0 {
		spends = append([]Spend{lockout(c.Tenant, c.Mailbox, c.Policy.Lockout, 0)}, spends...)
	}
	return spends
}

// send writes a delivery, already leased to this process when its worker has room, hands it over, and waits.
func (e *Engine) send(ctx context.Context, d *outbox.Delivery, wait time.Duration, write func() error) error {
	reserved := e.Outbox.Reserve(d)
	if err := write(); err != nil {
		if reserved {
			e.unreserve(*d, err)
		}
		return err
	}
	faultpoint.Here("issue.after_commit")
	var watch *outbox.Watch
	if wait > 0 {
		watch = e.Outbox.Watch(d.ID)
		defer watch.Stop()
	}
	if reserved {
		if wait > 0 {
			d.AwaitedUntil = e.Now().Add(wait)
		}
		e.Outbox.HandOver(*d)
	} else {
		e.Outbox.Wake()
	}
	if watch != nil {
		e.await(ctx, d, watch, wait)
	}
	return nil
}

// unreserve gives back a reservation after its write failed. After a clear no there is no row; after anything else
// there may be one.
func (e *Engine) unreserve(d outbox.Delivery, err error) {
	var spent *Exhausted
	var unwanted *Unwanted
	var repeated *Repeated
	var refusal *Refusal
	if errors.As(err, &spent) || errors.As(err, &unwanted) || errors.As(err, &repeated) || errors.As(err, &refusal) || errors.Is(err, ErrNoChallenge) {
		e.Outbox.Release()
		return
	}
	e.Outbox.Abandon(d)
}

// await waits until a provider has answered, or wait is over, and brings d up to date.
func (e *Engine) await(ctx context.Context, d *outbox.Delivery, watch *outbox.Watch, wait time.Duration) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	after, ok := watch.Wait(waiting)
	if !ok {
		var err error
		if after, err = watch.Look(context.WithoutCancel(ctx)); err != nil {
			return // what was true when it was handed over still is
		}
	}
	after.Message = d.Message
	*d = after
}

// replay answers a request whose idempotency key was used before.
func (e *Engine) replay(ctx context.Context, r Request, before *Repeated) (Issued, error) {
	if string(before.Fingerprint) != string(r.Fingerprint) {
		return Issued{}, e.refused(&Refusal{Reason: KeyReused,
			Detail: "this idempotency key was used for another request; use a new key for each request"})
	}
	line, err := e.Store.Timeline(ctx, Ref{Tenant: r.Tenant, ID: before.Challenge})
	if err != nil {
		return Issued{}, e.refused(err)
	}
	issued := Issued{Challenge: line.Challenge, Replayed: true}
	if len(line.Deliveries) > 0 {
		issued.Delivery = line.Deliveries[0]
	}
	return issued, nil
}
