// Package passcode is the engine: it issues, resends, relays, verifies and cancels one-time passcodes, and holds the
// policies and limits they live under. It knows no SQL, no HTTP and no vendor.
//
// The life of one passcode is a challenge:
//
//	pending -> verified | locked | expired | cancelled | replaced
//
// Expiry is judged when a challenge is read, never by a job.
package passcode

import (
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// Purpose is what a proved passcode is for. A code issued for one purpose proves nothing for another.
type Purpose string

// The purposes. Verify is the default.
const (
	SignUp        Purpose = "sign_up"
	SignIn        Purpose = "sign_in"
	PasswordReset Purpose = "password_reset"
	MFA           Purpose = "mfa"
	Verify        Purpose = "verify"
)

// Purposes lists every purpose.
func Purposes() []Purpose { return []Purpose{SignUp, SignIn, PasswordReset, MFA, Verify} }

// State is where a challenge is in its life.
type State string

// The states of a challenge. A CHECK constraint in the schema repeats them.
const (
	Pending   State = "pending"
	Verified  State = "verified"
	Locked    State = "locked"
	Expired   State = "expired"
	Cancelled State = "cancelled"
	Replaced  State = "replaced"
)

// Application is on whose behalf a passcode is sent. The door gets it from access.
type Application struct {
	ID   string
	Name string
	// Domain is the host that an origin-bound last line names, empty for none.
	Domain string
}

// Request is what a door asks for when it wants a passcode sent.
type Request struct {
	Tenant      string
	Application Application
	// Scope is what the challenge belongs to: empty for plain API use, or a browser session, or a policy journey.
	Scope string
	// To is an email address or an E.164 number, as the caller wrote it. It alone decides the channel.
	To string
	// Channel, when set, must be the channel that To implies.
	Channel outbox.Channel
	Purpose Purpose
	// Locale is a BCP 47 tag or an Accept-Language list; empty means the default language.
	Locale string
	// Policy names a policy; empty means the default one.
	Policy string
	// Terms, when set, are the policy, whatever Policy names.
	Terms *Policy
	// Apart is the least time between two requests for the same tenant, purpose and identifier, in whatever scope; a
	// request that comes too soon is refused with TooSoon. 0 is none.
	Apart time.Duration
	// IP is the end user's address, for network limits. The caller's own address never counts.
	IP string
	// Metadata is the caller's own, returned unread: at most 16 pairs, 64-byte keys, 256-byte values.
	Metadata map[string]string
	// IdempotencyKey makes a repeated request return the first one's challenge; Fingerprint is the hash of what was
	// asked, so that the same key with another request is refused.
	IdempotencyKey string
	Fingerprint    []byte
}

// Challenge is the life of one passcode.
type Challenge struct {
	ID          string
	Tenant      string
	Application string
	Scope       string
	Channel     outbox.Channel
	// To is the deliverable form, Identifier the canonical one that lookups use, Mailbox the one that limits count
	// (no sub-address). See Address, and parseKey for a Generation.
	To         string
	Identifier string
	Mailbox    string
	Purpose    Purpose
	State      State
	// CodeHash is made of the keyed hash of the normalised code, bound to tenant, challenge, purpose and identifier; see
	// bind.
	CodeHash []byte
	// CodeSealed opens to the code. It is kept only while the code may have to be sent again.
	CodeSealed []byte
	// Policy is a copy: later edits do not change a living code.
	Policy Policy
	// Tries counts codes evaluated; Sends counts messages asked for, the first included. Of a Generation Sends counts all
	// codes that its scope and key were given.
	Tries int
	Sends int
	// Locale is the language asked for, reused by a resend.
	Locale    string
	Metadata  map[string]string
	CreatedAt time.Time
	SentAt    time.Time
	ExpiresAt time.Time
	EndedAt   time.Time
}

// StateAt is the challenge's state as of now: a pending one past its expiry is Expired whatever the row says.
func (c *Challenge) StateAt(now time.Time) State {
	if c.State == Pending && !now.Before(c.ExpiresAt) {
		return Expired
	}
	return c.State
}

// TriesLeft is how many codes may still be tried.
func (c *Challenge) TriesLeft() int { return max(0, c.Policy.Tries-c.Tries) }

// ResendAt is the earliest time of the next resend, zero when none is left or there is no message to send.
func (c *Challenge) ResendAt() time.Time {
	if c.Sends > c.Policy.Resends || c.Channel == outbox.Caller {
		return time.Time{}
	}
	return c.SentAt.Add(c.Policy.ResendInterval)
}

// Reason is why the engine did not do what it was asked. Every door maps every reason.
type Reason string

// Reasons that are answers to a code that was tried; they come in a Verdict.
const (
	WrongCode     Reason = "wrong_code"
	CodeExpired   Reason = "expired"
	CodeLocked    Reason = "locked"
	CodeUsed      Reason = "used"
	CodeCancelled Reason = "cancelled"
	CodeReplaced  Reason = "replaced"
	// Throttled: the guess budget of the identifier is spent; RetryAt says until when.
	Throttled Reason = "throttled"
)

// Reasons that refuse a request; they come in a Refusal.
const (
	// InvalidRecipient: To is not an address or number that can be sent to.
	InvalidRecipient Reason = "invalid_recipient"
	// Suppressed: a provider reported that the recipient does not exist, or does not want messages; RetryAt says until
	// when that counts, zero until it is removed.
	Suppressed Reason = "recipient_suppressed"
	// InvalidRequest: another member is wrong; Field says which.
	InvalidRequest Reason = "invalid_request"
	// UnknownPolicy: Policy names none.
	UnknownPolicy Reason = "unknown_policy"
	// NotFound: no such challenge for this tenant.
	NotFound Reason = "not_found"
	// LimitReached: a send limit of the identifier, the network or the application is spent.
	LimitReached Reason = "limit_reached"
	// TooSoon: the resend interval is not over.
	TooSoon Reason = "too_soon"
	// NoResendsLeft: the policy's resends are used up.
	NoResendsLeft Reason = "no_resends_left"
	// LockedOut: the identifier is locked out after too many wrong codes.
	LockedOut Reason = "locked_out"
	// Ended: the challenge is not pending any more; State says what it is.
	Ended Reason = "ended"
	// DestinationRefused: no message may go to this country or prefix.
	DestinationRefused Reason = "destination_refused"
	// NoRoute: no provider is set up for the channel.
	NoRoute Reason = "no_route"
	// KeyReused: the idempotency key was used for another request.
	KeyReused Reason = "idempotency_key_reused"
)

// Reasons lists every reason, so that a test can walk each through every door.
func Reasons() []Reason {
	return []Reason{WrongCode, CodeExpired, CodeLocked, CodeUsed, CodeCancelled, CodeReplaced, Throttled,
		InvalidRecipient, Suppressed, InvalidRequest, UnknownPolicy, NotFound, LimitReached, TooSoon, NoResendsLeft, LockedOut,
		Ended, DestinationRefused, NoRoute, KeyReused}
}

// Refusal is the error of every verb that will not do what was asked. Any other error is internal, and its text is
// not for the caller.
type Refusal struct {
	Reason Reason
	// Field is the request member at fault, when one is: "to", "channel", "purpose", "locale", "policy", "ip", "metadata", "key".
	Field string
	// Detail is a sentence for the caller: what is wrong and what to do. It never holds a code or the value itself.
	Detail string
	// RetryAt is when the same request may succeed, zero when never.
	RetryAt time.Time
	// Limit names the limit that was reached: "identifier", "network", "application", "generations".
	Limit string
	// State is the challenge's state for Ended.
	State State
}

func (r *Refusal) Error() string {
	if r.Detail != "" {
		return string(r.Reason) + ": " + r.Detail
	}
	return string(r.Reason)
}

// Verdict is the answer to a code that was tried.
type Verdict struct {
	Challenge Challenge
	Verified  bool
	// Reason is empty when Verified.
	Reason    Reason
	TriesLeft int
	// Last is true of the wrong code that used up the tries. Its Reason is CodeLocked, as that of every later one is.
	Last bool
	// RetryAt is set for Throttled.
	RetryAt time.Time
}

// Ref finds a challenge: by ID, or when ID is empty by Scope, Purpose and To, or Key where it was generated (the newest
// one).
type Ref struct {
	Tenant  string
	ID      string
	Scope   string
	Purpose Purpose
	To      string
	// Key is that of a Generation.
	Key string
}

// Relay is a code that the caller made and asks to have sent.
type Relay struct {
	Tenant      string
	Application Application
	To          string
	Code        string
	Purpose     Purpose
	Locale      string
	IP          string
	// Lifetime is how long the caller's code lives: it is said in the message and bounds the sending.
	Lifetime time.Duration
	// Dedup are the values that make a repeated request the same request; the code is always among them. Only their
	// keyed hash is stored.
	Dedup []string
	// AnswerBy, when set, is until when the caller waits to be told; it has a fallback of its own. See
	// outbox.Delivery.AnswerBy.
	AnswerBy time.Time
	// Provider, when set, is the only one to try, whatever the routes say: a test of it.
	Provider string
	// KeepFallback leaves the caller its fallback when the outcome is still unknown at AnswerBy: the delivery is not
	// handed over, so it is not tried again after a failure, though a try under way may yet reach the person.
	KeepFallback bool
}

// Timeline is everything that is known of one challenge.
type Timeline struct {
	Challenge  Challenge
	Deliveries []outbox.Delivery
	Attempts   []outbox.Attempt
	// Reports are what providers said later.
	Reports []outbox.Reported
	Notes   []Note
}

// Note is something that happened to a challenge and that neither it nor a delivery shows.
type Note struct {
	Kind NoteKind
	At   time.Time
	// Reason is WrongCode for Tried, and for Limited why a request was refused.
	Reason Reason
	// Limit names the limit that was spent, where one was.
	Limit string
}

// NoteKind is what happened.
type NoteKind string

// The kinds of notes. A CHECK constraint in the schema repeats them.
const (
	// Tried: a wrong code, which counts.
	Tried NoteKind = "tried"
	// Limited: a resend or a code that was refused by a limit. Of one challenge no more than 32 are kept.
	Limited NoteKind = "limited"
)
