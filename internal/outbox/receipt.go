package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Report is what a provider says later of a message that it accepted.
type Report string

// The reports. Only the first two move a delivery; the others are kept in its timeline.
const (
	// ReportDelivered: the recipient's server or phone took the message.
	ReportDelivered Report = "delivered"
	// ReportBounced: it will not reach the recipient. Class says why, as for an attempt.
	ReportBounced Report = "bounced"
	// ReportDelayed: the provider still tries.
	ReportDelayed Report = "delayed"
	// ReportComplained: the recipient called it spam.
	ReportComplained Report = "complained"
)

// Receipt is one report of a provider on one message.
type Receipt struct {
	// Event is the provider's id of this report, or what stands for it: the same report sent twice has the same Event,
	// another report of the same message has another. It is never empty.
	Event string
	// Ref is the reference that Send returned for the message, Delivery the delivery's own id where the provider gives
	// back what it was sent with. At least one of them is set.
	Ref      string
	Delivery string
	Report   Report
	// Class is why a message bounced: InvalidRecipient for a mailbox or number that does not exist, Suppressed for one
	// that the provider or the recipient has blocked; any other is no reason to stop sending to it.
	Class Class
	// At is when it happened as the provider says, zero when it does not.
	At time.Time
	// Code is the provider's own code, Detail its text; neither holds a code or a full address.
	Code   string
	Detail string
}

// Tracker is a Sender whose provider decides some time after it accepted a message, and tells only who asks.
type Tracker interface {
	Sender
	// Track asks once what became of the message with this reference. A receipt without a Report means that it is not
	// decided; then wait is how long the provider wants to be left alone. Without a Report and with a wait of zero there is
	// nothing more to learn by asking: the provider has handed the message over and does not say here whether it arrived.
	// id is the delivery's, as Send got it.
	Track(ctx context.Context, id, ref string) (r Receipt, wait time.Duration, err error)
}

// Reported is a receipt as it is kept, with the delivery that it is about.
type Reported struct {
	Receipt
	Provider   string
	ReceivedAt time.Time
}

// Receiving is what became of a receipt.
type Receiving struct {
	// Delivery is the row after it, without the message. Its ID is empty when the receipt is about no message that is
	// known here: one of another system with the same account, one that was forgotten, or one whose acceptance is not
	// on disk yet, which takes the receipt up.
	Delivery Delivery
	// Repeated is true when the same report was received before. Then nothing was done.
	Repeated bool
	// Moved is true when the state of the delivery changed.
	Moved bool
}

// Taken reports whether a provider is known to have taken the message of a delivery in this state.
func (s State) Taken() bool { return s == Accepted || s == Delivered || s == Bounced }

// StateAfter is the state of a delivery that owner was the first to take, after all reports on it: which came first is
// of no account. A server that took a message may still send it back, so a provider that reported both has not
// delivered it. What reached the recipient by one provider is delivered, whatever became of it by another.
func StateAfter(owner string, reports []Reported) State {
	words := map[string]State{owner: Accepted}
	for i := range reports {
		switch r := &reports[i]; {
		case r.Report == ReportBounced:
			words[r.Provider] = Bounced
		case r.Report == ReportDelivered && words[r.Provider] != Bounced:
			words[r.Provider] = Delivered
		}
	}
	for _, word := range words {
		if word == Delivered {
			return Delivered
		}
	}
	return words[owner]
}

// Adopt makes a delivery that no provider is known to have taken one that this provider took, which is what a report of
// it as delivered proves: the answer was lost, or is not on disk yet.
func (d *Delivery) Adopt(provider, ref string, now time.Time) {
	d.Provider, d.Ref = provider, ref
	d.end(Accepted, now)
}

// maxEvent bounds the id of a report.
const maxEvent = 200

// Bounded is the receipt in a form that every store takes: known words, bounded text, a time that is not to come. It is
// false for one that says nothing.
func (r Receipt) Bounded(now time.Time) (Receipt, bool) {
	switch r.Report {
	case ReportDelivered, ReportBounced, ReportDelayed, ReportComplained:
	default:
		return r, false
	}
	if len(r.Event) > maxEvent { // cut, two might be one
		sum := sha256.Sum256([]byte(r.Event))
		r.Event = hex.EncodeToString(sum[:])
	}
	r.Event, r.Ref, r.Delivery = cut(r.Event, maxEvent), cut(r.Ref, maxRef), cut(r.Delivery, 64)
	r.Code, r.Detail = cut(r.Code, maxCode), cut(veil(r.Detail), maxDetail)
	if r.Report != ReportBounced || !slices.Contains(Classes(), r.Class) {
		r.Class = ""
	}
	if r.At.After(now) || r.At.UnixMilli() <= 0 {
		r.At = now
	}
	return r, r.Event != ""
}

// veil takes every word of four or more letters and digits that has a digit out of a provider's text. A report may
// quote the subject of a message, and who reads reports does not know its code, which may still be live.
func veil(text string) string {
	words := strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	for _, word := range words {
		if utf8.RuneCountInString(word) >= 4 && strings.ContainsFunc(word, unicode.IsDigit) {
			text = strings.ReplaceAll(text, word, "...")
		}
	}
	return text
}
