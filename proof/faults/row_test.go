package faults_test

import (
	"slices"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// none is what the sender concludes of a message that was taken.
const none outbox.Class = ""

// row is one line of the matrix: how a server misbehaves, and what follows.
type row struct {
	name string
	// at is the step of the conversation at which do is done instead of what a well server does.
	at string
	do act
	// may are the conclusions that are right; where there are several, timing decides which one.
	may []outbox.Class
	// takes: the server keeps the message, whatever it answers.
	takes bool
	// breaks: nothing more can be said on the connection, and no message has been given yet, so a sender may try a new
	// one when this one was kept.
	breaks bool
	// slow: the attempt lasts until its time is over.
	slow bool
	// wait is the server's own wish for the next try.
	wait time.Duration
	// stale: the wish is beyond the life of the code.
	stale bool
	// alone: what is left on the connection could disturb another message that is sent at the same moment.
	alone bool
	// full: only in the full form.
	full bool
}

// whole reports whether the fault is of the connection, and comes before the server knows for whom a message is.
func (r *row) whole() bool {
	switch r.at {
	case "connect", "greeting", "EHLO", "STARTTLS", "TLS", "EHLO in TLS", "AUTH", "headers":
		return true
	}
	return false
}

func (r *row) allows(class outbox.Class) bool { return slices.Contains(r.may, class) }

// end is the state that a message ends in at its first try, if all that the sender may conclude ends it so.
func (r *row) end() (state string, ok bool) {
	for _, class := range r.may {
		next := ""
		switch {
		case class == none:
			next = "accepted"
		case permanent(class):
			next = "failed"
		case r.stale:
			next = "stale"
		}
		if next == "" || state != "" && state != next {
			return "", false
		}
		state = next
	}
	return state, true
}

// permanent reports whether the message may never be tried again.
func permanent(class outbox.Class) bool {
	switch class {
	case outbox.InvalidRecipient, outbox.Suppressed, outbox.RejectedContent, outbox.GeoBlocked:
		return true
	}
	return false
}

// leastWait is how long nothing is sent after a first try that ended so.
func leastWait(class outbox.Class) time.Duration {
	if class == outbox.Account || class == outbox.Quota {
		return 15 * time.Second
	}
	return time.Second
}

// inForm keeps the rows of the form that is run.
func inForm(rows []*row, full bool) (kept []*row) {
	for _, r := range rows {
		if full || !r.full {
			kept = append(kept, r)
		}
	}
	return kept
}
