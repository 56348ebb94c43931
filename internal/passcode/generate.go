package passcode

import (
	"cmp"
	"context"
	"net/netip"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/outbox"
)

// Generation asks for a code that the caller hands over by itself.
type Generation struct {
	Tenant      string
	Application Application
	// Scope is what the code belongs to; two scopes have two codes for one key.
	Scope   string
	Purpose Purpose
	// Key is what the code is found by: any text of 1 to 320 bytes without control characters, compared as it stands. One
	// that is an address or a number, however it is spelled, counts wrong codes against that recipient.
	Key string
	// Policy is how the code is made and lives. Every generation begins its lifetime anew; Resends is how many may follow
	// the first in this scope, ended codes included, 0 to 1000; FreshCode draws a new code each time, without it the same one is
	// handed over while it may be tried. The tries of a code that is handed over again stay; ResendInterval must be 0.
	Policy Policy
	// Renew begins the count of generations anew after a code was verified, for a scope that has no end.
	Renew bool
	// IP is the end user's address, for network limits.
	IP string
}

// Generated is what Generate returns.
type Generated struct {
	Challenge Challenge
	Code      string
	// Reused is true when the code is one that was handed over before.
	Reused bool
}

// String is for logs, and has no code in it.
func (g Generated) String() string { return "generated " + g.Challenge.ID }

// GoString is String.
func (g Generated) GoString() string { return g.String() }

// Generate makes a code that the caller hands over by itself, so that nothing is sent. Verify finds it by
// Ref{Scope, Purpose, Key}. It is refused with LockedOut for the policy's Lockout after a code of this scope and key was
// locked, with NoResendsLeft when the generations are used up, and with LimitReached.
//
// A code is handed over again only under the policy it was made under; another policy has a new one drawn. Counts and
// lock-out last for as long as ended challenges are kept, a day at least.
func (e *Engine) Generate(ctx context.Context, g Generation) (Generated, error) {
	now := e.Now()
	c, client, err := e.generation(&g, now)
	if err != nil {
		return Generated{}, e.refused(err)
	}
	var made Generated
	ref := Ref{Tenant: c.Tenant, Scope: c.Scope, Purpose: c.Purpose, To: c.Identifier}
	err = e.Store.Generate(ctx, ref, now, func(newest *Challenge, t Turn) (next *Challenge, err error) {
		made, next, err = e.generate(c, newest, g.Renew, t, client, now)
		return next, err
	})
	if err != nil {
		return Generated{}, e.refused(err)
	}
	faultpoint.Here("generate.after_commit")
	e.observe(Event{Kind: EventGenerated, Channel: c.Channel, Purpose: c.Purpose})
	return made, nil
}

// generation checks a request and makes the challenge it asks for as if it were the first, still without a code.
func (e *Engine) generation(g *Generation, now time.Time) (c Challenge, client netip.Addr, err error) {
	identifier, mailbox, err := parseKey(g.Key)
	if err != nil {
		return c, client, err
	}
	purpose, err := parsePurpose(g.Purpose)
	if err != nil {
		return c, client, err
	}
	if client, err = parseClient(g.IP); err != nil {
		return c, client, err
	}
	policy, err := checked(g.Policy, maxGenerations)
	if err == nil && policy.ResendInterval != 0 {
		err = &Refusal{Reason: InvalidRequest, Field: "policy", Detail: "resend_interval: must be 0 for a code that is handed over by its caller"}
	}
	return Challenge{ID: outbox.NewID("pc", now), Tenant: g.Tenant, Application: g.Application.ID, Scope: g.Scope,
		Channel: outbox.Caller, To: g.Key, Identifier: identifier, Mailbox: mailbox, Purpose: purpose, State: Pending,
		Policy: policy, Sends: 1, CreatedAt: now, SentAt: now, ExpiresAt: now.Add(policy.Lifetime)}, client, err
}

// generate hands the newest code over again, or makes the next challenge with a code of its own. newest is locked, and nil
// where there was none yet.
func (e *Engine) generate(c Challenge, newest *Challenge, renew bool, t Turn, client netip.Addr, now time.Time) (made Generated, next *Challenge, err error) {
	renewed := renew && newest != nil && newest.State == Verified
	if err := mayGenerate(newest, &c.Policy, now); err != nil && !renewed {
		return made, nil, err
	}
	if err := t.Spend(e.Limits.generated(c.Tenant, c.Mailbox, client)...); err != nil {
		return made, nil, err
	}
	if newest != nil && newest.reusable(&c.Policy, now) {
		newest.Sends++
		newest.SentAt, newest.ExpiresAt = now, now.Add(newest.Policy.Lifetime)
		code, err := e.sameCode(newest)
		return Generated{Challenge: *newest, Code: code, Reused: true}, nil, err
	}
	if newest != nil && !renewed {
		c.Sends = newest.Sends + 1
		newest.giveWay(now)
	}
	code, err := e.freshCode(&c)
	return Generated{Challenge: c, Code: code}, &c, err
}

// mayGenerate refuses what came before does not allow. A lock-out is that of the policy which the locked code had.
func mayGenerate(newest *Challenge, p *Policy, now time.Time) error {
	if newest == nil {
		return nil
	}
	if until := newest.EndedAt.Add(newest.Policy.Lockout); newest.State == Locked && now.Before(until) {
		return &Refusal{Reason: LockedOut, RetryAt: until, Limit: "lockout",
			Detail: "too many wrong codes were tried for this key; wait until it is unlocked"}
	}
	if newest.Sends > p.Resends {
		return &Refusal{Reason: NoResendsLeft, Detail: "codes were generated as often as the policy allows; begin a new session"}
	}
	return nil
}

// reusable reports whether the same code may be handed over again.
func (c *Challenge) reusable(p *Policy, now time.Time) bool {
	return !p.FreshCode && c.Policy == *p && c.StateAt(now) == Pending && c.TriesLeft() > 0
}

// giveWay ends a challenge whose place another takes.
func (c *Challenge) giveWay(now time.Time) {
	switch {
	case c.State != Pending:
	case c.StateAt(now) == Expired:
		c.end(Expired, c.ExpiresAt)
	default:
		c.end(Replaced, now)
	}
}

// maxKey is how many bytes the key of a generated code may have.
const maxKey = 320

// parseKey says what a generated code is found by, and with whose its wrong codes are counted. No address has a colon
// before its @, and so none has an identifier that begins like this.
func parseKey(key string) (identifier, mailbox string, err error) {
	switch {
	case key == "" || len(key) > maxKey:
		err = &Refusal{Reason: InvalidRequest, Field: "key", Detail: "must have 1 to 320 bytes"}
	case !utf8.ValidString(key):
		err = &Refusal{Reason: InvalidRequest, Field: "key", Detail: "not valid UTF-8"}
	case strings.ContainsFunc(key, unicode.IsControl):
		err = &Refusal{Reason: InvalidRequest, Field: "key", Detail: "holds a control character"}
	}
	return "key:" + key, countedAs(key), err
}

// countedAs is whose wrong codes and generations those of a key are. A key may be an address in a spelling that otpost would
// not send to and a mail service of the caller's does, so that each would bring a budget of its own: what a mail service
// takes for the same mailbox is counted as one, and more than that rather than less.
func countedAs(key string) string {
	if address, err := ParseAddress(key); err == nil {
		return address.Mailbox
	}
	plain := norm.NFKC.String(key)
	if i := strings.LastIndexByte(plain, '<'); i >= 0 { // a name before the address (RFC 5322 §3.4)
		plain, _, _ = strings.Cut(plain[i+1:], ">")
	}
	plain = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`"\'<>,;:`, r) {
			return -1
		}
		return r
	}, withoutComments(plain))
	plain = strings.Trim(plain, ".")
	if address, err := ParseAddress(plain); err == nil {
		return address.Mailbox
	}
	return cmp.Or(strings.ToLower(plain), key)
}

// comment stands in brackets, and means nothing (RFC 5322 §3.2.2).
var comment = regexp.MustCompile(`\([^()]*\)`)

// withoutComments takes comments in comments out too.
func withoutComments(text string) string {
	for {
		less := comment.ReplaceAllString(text, "")
		if less == text {
			return text
		}
		text = less
	}
}

// findKey brings a Ref with a key into the form the store looks up.
func findKey(ref Ref) (Ref, error) {
	if ref.To != "" {
		return ref, &Refusal{Reason: InvalidRequest, Field: "key", Detail: "give a key or a recipient, not both"}
	}
	identifier, _, err := parseKey(ref.Key)
	ref.To, ref.Key = identifier, ""
	return ref, err
}
