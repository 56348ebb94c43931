package passcode

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// Verbs is the engine as a door sees it.
type Verbs interface {
	// Issue sends a new passcode, and waits at most wait for a provider to take it.
	Issue(ctx context.Context, r Request, wait time.Duration) (Issued, error)
	// Resend sends the passcode again under the policy's limits. The try budget stays. ip is the end user's.
	Resend(ctx context.Context, ref Ref, application Application, ip string, wait time.Duration) (Issued, error)
	// Verify tries a code. A wrong, late or locked one is a Verdict, not an error.
	Verify(ctx context.Context, ref Ref, code string) (Verdict, error)
	// Cancel ends a pending challenge; cancelling an ended one changes nothing.
	Cancel(ctx context.Context, ref Ref) (Challenge, error)
	// Status returns a challenge and what became of its messages.
	Status(ctx context.Context, ref Ref) (Timeline, error)
	// Relay sends a code that the caller made.
	Relay(ctx context.Context, r Relay) (Relayed, error)
}

// Issued is what Issue and Resend return.
type Issued struct {
	Challenge Challenge
	Delivery  outbox.Delivery
	// Replayed is true when an idempotency key returned an earlier request's challenge.
	Replayed bool
}

// Relayed is what Relay returns.
type Relayed struct {
	Delivery outbox.Delivery
	Outcome  outbox.Outcome
	// Joined is true when the request was a repeat of one already on its way.
	Joined bool
}

// Engine implements Verbs. Its fields are what it needs; they are set once, before the first call.
type Engine struct {
	Store  Store
	Outbox Outbox
	Ring   Ring
	// Compose renders a message. It runs within the call, so a broken template fails to the caller.
	Compose func(Content) (outbox.Message, error)
	// Route chooses the way of a message; a route without providers when there is none. It answers from memory.
	Route func(Destination) Route
	// Guard says what a message takes of limits that are set for its destination, or refuses it with a *Refusal. It
	// answers from memory; nil guards nothing.
	Guard func(Destination, *outbox.Message) ([]Spend, error)
	// Policy finds the policy that an application's request names; an empty name is the application's own, or the default.
	Policy func(a Application, name string) (Policy, bool)
	Limits Limits
	Now    func() time.Time
	// Rand is where codes come from: crypto/rand.Reader, but for tests.
	Rand io.Reader
	// Observe is told what happened, for metrics. It may be nil.
	Observe func(Event)

	alphabets sync.Map // alphabet -> its characters
}

// Outbox is what the engine needs of outbox.Outbox.
type Outbox interface {
	// Reserve leases d to this process when its worker has room for one more, and reports whether it did. It is called
	// before the row is written. HandOver must follow when it was, Release when it was not, Abandon when nobody knows.
	Reserve(d *outbox.Delivery) bool
	HandOver(d outbox.Delivery)
	Release()
	Abandon(d outbox.Delivery)
	// Wake tells the worker that there may be rows to claim.
	Wake()
	Watch(id string) *outbox.Watch
	// Settle ends a caller's wait for a delivery. It returns the row as it then is.
	Settle(ctx context.Context, id string, handOver bool) (outbox.Delivery, error)
	// TakeUp sends a delivery that this process took over without claiming it.
	TakeUp(ctx context.Context, d outbox.Delivery) error
}

// Ring is what the engine needs of seal.Ring.
type Ring interface {
	// Hash returns the keyed hash of data under the primary key: 5 bytes that name the key, then 32.
	Hash(data []byte) ([]byte, error)
	// Hashes returns the keyed hash of data under every key, the primary one's first.
	Hashes(data []byte) [][]byte
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
}

// Content is what a message says.
type Content struct {
	Channel outbox.Channel
	To      string
	Code    string
	// Application is the name that people know, ApplicationID what the application is known by here.
	Application   string
	ApplicationID string
	Domain        string
	Purpose       Purpose
	Locale        string
	Lifetime      time.Duration
	Passcode      string
}

// EventKind is what happened.
type EventKind string

// The kinds of events.
const (
	EventIssued  EventKind = "issued"
	EventResent  EventKind = "resent"
	EventRelayed EventKind = "relayed"
	// EventGenerated is a code that its caller hands over.
	EventGenerated EventKind = "generated"
	EventVerified  EventKind = "verified"
	// EventTried is a code that was tried and not verified, EventRefused a request that was refused; Reason says why.
	EventTried   EventKind = "tried"
	EventRefused EventKind = "refused"
)

// Event is one thing that happened, without anybody's name in it.
type Event struct {
	Kind    EventKind
	Channel outbox.Channel
	Purpose Purpose
	Reason  Reason
}

func (e *Engine) observe(event Event) {
	if e.Observe != nil {
		e.Observe(event)
	}
}

// characters is the set an alphabet stands for. Alphabets are few, and each verify needs one.
func (e *Engine) characters(alphabet string) string {
	if set, ok := e.alphabets.Load(alphabet); ok {
		return set.(string)
	}
	set, err := Characters(alphabet)
	if err != nil {
		return "" // a policy is checked when it is set: this one was written by another program
	}
	e.alphabets.Store(alphabet, set)
	return set
}

// unwantedDetails say why a recipient is not sent to, and what to do.
var unwantedDetails = map[outbox.SuppressionReason]string{
	outbox.NoSuchRecipient:      "a provider reported that this recipient does not exist; check the address, or have an operator remove the suppression",
	outbox.BlockedRecipient:     "a provider reported that this recipient is blocked; have an operator remove it from the provider's list and from otpost's",
	outbox.ComplainingRecipient: "this recipient reported a message as spam; an operator can remove the suppression",
}

// refused turns what the store says into the words of the doors, and counts it.
func (e *Engine) refused(err error) error {
	var spent *Exhausted
	var unwanted *Unwanted
	var refusal *Refusal
	switch {
	case errors.As(err, &unwanted):
		refusal = &Refusal{Reason: Suppressed, Field: "to", RetryAt: unwanted.Until, Detail: unwantedDetails[unwanted.Reason]}
	case errors.As(err, &spent) && spent.Name == "lockout":
		refusal = &Refusal{Reason: LockedOut, RetryAt: spent.RetryAt, Limit: spent.Name,
			Detail: "too many wrong codes were tried for this recipient; wait until it is unlocked"}
	case errors.As(err, &spent) && spent.Name == "interval":
		refusal = &Refusal{Reason: TooSoon, RetryAt: spent.RetryAt, Detail: "a passcode was asked for a moment ago; wait before the next one"}
	case errors.As(err, &spent) && spent.Name == "generations":
		refusal = &Refusal{Reason: LimitReached, RetryAt: spent.RetryAt, Limit: spent.Name,
			Detail: "too many codes were generated for this key; try again later"}
	case errors.As(err, &spent) && strings.HasSuffix(spent.Name, "budget"):
		refusal = &Refusal{Reason: LimitReached, RetryAt: spent.RetryAt, Limit: spent.Name,
			Detail: "the " + spent.Name + " for text messages is spent; use another channel, or try again later"}
	case errors.As(err, &spent):
		refusal = &Refusal{Reason: LimitReached, RetryAt: spent.RetryAt, Limit: spent.Name,
			Detail: "the limit of messages per " + spent.Name + " is reached; try again later"}
	case errors.Is(err, ErrNoChallenge):
		refusal = &Refusal{Reason: NotFound}
	case !errors.As(err, &refusal):
		return err
	}
	e.observe(Event{Kind: EventRefused, Reason: refusal.Reason})
	return refusal
}
