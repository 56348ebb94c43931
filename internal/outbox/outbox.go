// Package outbox carries messages to people: every message is a durable row before it is sent, and the row keeps
// the history of each try.
//
// A delivery moves only forward:
//
//	queued -> sending -> accepted -> delivered | bounced
//	   \_________\_____> failed | stale
//
// A row is written already leased to the process that accepted it and handed to that process's worker without a
// poll. A lease that lapses, because its process died, is claimed by any other. See docs/states.md.
package outbox

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// Channel is the way a message travels.
type Channel string

// The channels a message can be sent over.
const (
	Email Channel = "email"
	SMS   Channel = "sms"
)

// Caller is the channel of a passcode that is no message: its caller hands the code over. No delivery has it.
const Caller Channel = "caller"

// Message is one rendered message to one person. It holds a live code: it is kept only sealed, and only while it
// may still have to be sent.
type Message struct {
	Channel Channel `json:"channel"`
	// To is the address (ASCII, RFC 5321) or the number (E.164) that the provider is given.
	To string `json:"to"`
	// From and FromName override the provider's own sender when they are set.
	From     string `json:"from,omitempty"`
	FromName string `json:"from_name,omitempty"`
	// Subject and HTML are empty for SMS.
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
	HTML    string `json:"html,omitempty"`
	// Language is the BCP 47 tag the message was rendered in.
	Language string `json:"language"`
	// Code, Application and Purpose are for providers that fill a template of their own.
	Code        string `json:"code"`
	Application string `json:"application,omitempty"`
	Purpose     string `json:"purpose,omitempty"`
	// Passcode is the id of the challenge the message belongs to, empty when the caller brought the code.
	Passcode string `json:"passcode,omitempty"`
}

// State is where a delivery is in its life.
type State string

// The states of a delivery. A CHECK constraint in the schema repeats them.
const (
	// Queued: waiting for its next try; nobody holds it.
	Queued State = "queued"
	// Sending: leased to a process, which is trying or about to.
	Sending State = "sending"
	// Accepted: a provider took it and answered with a reference.
	Accepted State = "accepted"
	// Delivered and Bounced: the provider's later word.
	Delivered State = "delivered"
	Bounced   State = "bounced"
	// Failed: proved not sent, and not tried again.
	Failed State = "failed"
	// Stale: its code ended before a provider took it.
	Stale State = "stale"
)

// Final reports whether a delivery in this state will never be sent again.
func (s State) Final() bool { return s != Queued && s != Sending }

// Delivery is one message on its way.
type Delivery struct {
	// ID is the idempotency key wherever a provider takes one, and the left part of the Message-ID.
	ID          string
	Tenant      string
	Application string
	// Challenge is the passcode the message carries, empty for a relayed code.
	Challenge string
	Channel   Channel
	// To is the canonical address or number, readable to operators and masked in logs.
	To string
	// Route names the providers in the order they are tried. It is fixed when the row is written, but that a provider
	// which refused the message for good is taken out.
	Route []string
	// Hedge is how long a provider may be silent before the next is asked as well, 0 for never. It is not kept: what
	// another process takes up is tried at one provider after the other.
	Hedge time.Duration
	// AwaitedUntil is until when a caller waits to be told that the message was taken, zero when none does; see ConnectBy.
	// It is not kept either. Nothing else depends on it: that is AnswerBy.
	AwaitedUntil time.Time
	// Step is the index in Route of the next provider to try.
	Step  int
	State State
	// Tries counts attempts that were begun and recorded.
	Tries int
	// Uncertain is set once an attempt ended without a readable answer: the message may have been sent.
	Uncertain bool
	CreatedAt time.Time
	// DueAt is when any process may claim the row: the next try of a queued one, the end of the lease of one being
	// sent. It is meaningless once the state is final.
	DueAt time.Time
	// Deadline is the expiry of the code: nothing is sent at or after it.
	Deadline time.Time
	// AnswerBy is set while a caller waits to be told what became of a code it brought and has a fallback of its own.
	// Until Store.HandOver clears it, a delivery that is proved unsent ends as Failed instead of being tried again,
	// and one whose process died is not taken up, since its caller was never told "sent".
	AnswerBy time.Time
	// Lease is the token of the process that holds the row until DueAt, empty when nobody does.
	Lease string
	// Dedup is the keyed hash that lets a caller's retry join this delivery, nil when there is none.
	Dedup []byte
	// DedupElse are the same under other keys, by which a first request may be found as well. They are not kept.
	DedupElse [][]byte
	// Provider and Ref say who accepted it, and under which id of theirs.
	Provider string
	Ref      string
	// EndedAt is when the state became final.
	EndedAt time.Time
	// Message is nil once no further send is possible and the body was wiped.
	Message *Message
}

// Attempt is one try at one provider; each is a row.
type Attempt struct {
	Delivery string
	// N counts from 1 within the delivery.
	N        int
	Provider string
	At       time.Time
	Took     time.Duration
	// Class is empty when the provider accepted.
	Class Class
	// Code is the provider's own status or error code, Detail its text, redacted and cut to 300 bytes.
	Code   string
	Detail string
	// Ref is the provider's id of an accepted message.
	Ref string
}

// Sender hands one message to one provider.
type Sender interface {
	// Send returns the provider's reference once the provider has taken responsibility for the message. id is the
	// delivery's id: the same for every try, and to be used as the idempotency key where the provider has one.
	// A failure is a *Fault; any other error counts as Ambiguous, the class that promises least. Send returns soon
	// after ctx ends, is called from many goroutines, and never logs the message.
	Send(ctx context.Context, id string, m Message) (ref string, err error)
}

// Senders finds providers by name.
type Senders interface {
	Sender(name string) (Sender, bool)
}

// Fixed are Senders that do not change.
type Fixed map[string]Sender

// Sender implements Senders.
func (f Fixed) Sender(name string) (Sender, bool) {
	s, ok := f[name]
	return s, ok
}

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// ErrNoDelivery is returned by a Store that holds no such delivery.
var ErrNoDelivery = errors.New("outbox: no such delivery")

// NewID returns prefix, an underscore and 26 characters: 48 bits of milliseconds, then 80 random bits. Ids sort by
// the time they were made and are never used twice.
func NewID(prefix string, now time.Time) string {
	var b [16]byte
	ms := uint64(now.UnixMilli())
	binary.BigEndian.PutUint64(b[:8], ms<<16)
	rand.Read(b[6:]) // crypto/rand.Read never fails
	out := make([]byte, 0, len(prefix)+27)
	out = append(append(out, prefix...), '_')
	return string(idEncoding.AppendEncode(out, b[:]))
}

// TimeOf returns the moment at which NewID made an id; ok is false for what NewID did not make.
func TimeOf(id string) (at time.Time, ok bool) {
	_, text, _ := strings.Cut(id, "_")
	b, err := idEncoding.DecodeString(text)
	if err != nil || len(b) != 16 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b) >> 16)).UTC(), true
}
