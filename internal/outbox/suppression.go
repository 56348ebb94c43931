package outbox

import "time"

// Suppression is a recipient that a tenant does not send to, because a provider reported why not.
type Suppression struct {
	Tenant  string
	Channel Channel
	// Recipient is the canonical form of the one address or number that was reported. It is not what limits count: who
	// can have mail sent to another's sub-address must not be able to close the mailbox itself.
	Recipient string
	Reason    SuppressionReason
	Provider  string
	// At is when it was reported, Until when it ends by itself, zero for one that ends when it is removed.
	At    time.Time
	Until time.Time
}

// SuppressionReason is why a recipient is not sent to.
type SuppressionReason string

// The reasons of suppressions.
const (
	// NoSuchRecipient: the mailbox or number does not exist.
	NoSuchRecipient SuppressionReason = "invalid_recipient"
	// BlockedRecipient: the provider or the recipient has blocked it.
	BlockedRecipient SuppressionReason = "suppressed"
	// ComplainingRecipient: the recipient called a message spam.
	ComplainingRecipient SuppressionReason = "complained"
)

// Suppresses is why a receipt ends the sending to its recipient, and when that ends: bounced says for how long a hard
// bounce counts, 0 for not at all, since mailboxes are made and numbers given out again. A complaint counts until
// somebody removes it. The reason is empty for a receipt that ends nothing.
func (r *Receipt) Suppresses(bounced time.Duration) (reason SuppressionReason, until time.Time) {
	switch {
	case r.Report == ReportComplained:
		return ComplainingRecipient, time.Time{}
	case r.Report != ReportBounced || bounced <= 0:
	case r.Class == InvalidRecipient:
		return NoSuchRecipient, r.At.Add(bounced)
	case r.Class == Suppressed:
		return BlockedRecipient, r.At.Add(bounced)
	}
	return "", time.Time{}
}
