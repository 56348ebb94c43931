package provider

import "context"

// Finding is one thing that was looked at in a provider's account, and what it came to.
type Finding struct {
	// Subject is what was looked at, in two or three words such as "credentials" or "sender address".
	Subject string         `json:"subject"`
	Verdict FindingVerdict `json:"verdict"`
	// Found says what was found, Do what to do about it; Do is empty when nothing need be done.
	Found string `json:"found"`
	Do    string `json:"do,omitempty"`
}

// FindingVerdict is how good or bad a Finding is.
type FindingVerdict string

// The verdicts.
const (
	Good FindingVerdict = "good"
	// Doubtful: it may work, or could not be looked at.
	Doubtful FindingVerdict = "doubtful"
	// Bad: messages will not be sent.
	Bad FindingVerdict = "bad"
)

// Checker is a Sender that can look at its account without sending anything. Send needs none of it.
type Checker interface {
	// Check returns what it found, in the order in which a person should read it. It never sends a message.
	Check(ctx context.Context) []Finding
}
