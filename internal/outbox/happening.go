package outbox

import "time"

// Event is the channel of what is told to a customer's server rather than to a person.
const Event Channel = "event"

// HappeningType is what happened, in the words that customers are told it in.
type HappeningType string

// What customers can be told of.
const (
	PasscodeIssued   HappeningType = "passcode.issued"
	PasscodeVerified HappeningType = "passcode.verified"
	PasscodeLocked   HappeningType = "passcode.locked"
	// PasscodeDelivered: the recipient's server or phone took a message, as its provider reports.
	PasscodeDelivered HappeningType = "passcode.delivered"
	// PasscodeFailed: a message did not reach its recipient: no provider took it in time, or it bounced.
	PasscodeFailed HappeningType = "passcode.failed"
)

// HappeningTypes lists every type.
func HappeningTypes() []HappeningType {
	return []HappeningType{PasscodeIssued, PasscodeDelivered, PasscodeVerified, PasscodeFailed, PasscodeLocked}
}

// Happening is one thing that happened to a passcode. It holds no code and no address.
type Happening struct {
	Type        HappeningType
	At          time.Time
	Tenant      string
	Application string
	// Challenge is empty where the caller brought the code; Delivery is empty where it is not about one message.
	Challenge string
	Delivery  string
	Channel   Channel
	// Purpose is empty for what happens to a message.
	Purpose string
	// State is the delivery's, Provider who carried it.
	State    State
	Provider string
}
