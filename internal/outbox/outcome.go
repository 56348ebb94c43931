package outbox

// Verdict is what can honestly be said of a delivery at one moment.
type Verdict string

// The verdicts.
const (
	// Taken: a provider accepted the message.
	Taken Verdict = "accepted"
	// NotSent: proved not sent, and it will not be sent.
	NotSent Verdict = "not_sent"
	// Unknown: it may have been sent, or still will be.
	Unknown Verdict = "unknown"
)

// Outcome is what a caller who waited is told.
type Outcome struct {
	Verdict  Verdict
	State    State
	Provider string
	Ref      string
	Tries    int
	// Class is the class of the last failure, empty when there was none.
	Class Class
}

// OutcomeOf reads the outcome off a delivery's row.
func OutcomeOf(d *Delivery) Outcome {
	o := Outcome{Verdict: Unknown, State: d.State, Provider: d.Provider, Ref: d.Ref, Tries: d.Tries}
	switch d.State {
	case Accepted, Delivered, Bounced:
		o.Verdict = Taken
	case Failed, Stale:
		if !d.Uncertain {
			o.Verdict = NotSent
		}
	}
	return o
}
