package outbox

import (
	"context"
	"time"
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
	// decided; then wait is how long the provider wants to be left alone. id is the delivery's, as Send got it.
	Track(ctx context.Context, id, ref string) (r Receipt, wait time.Duration, err error)
}
