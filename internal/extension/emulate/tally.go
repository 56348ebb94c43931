package emulate

import (
	"net/http"
	"slices"
	"time"

	"github.com/otpost/otpost/internal/extension"
)

// mail is what Microsoft would have sent itself.
type mail struct {
	To   string `json:"to"`
	Code string `json:"code"`
}

// tally is the sum of a run; its mailbox holds the fallback mails.
type tally struct {
	events, sent, lost int
	attempts           int
	unauthorized       int
	mailbox            []mail
	took               []time.Duration
}

func (t *tally) add(p played) {
	t.events++
	switch {
	case p.result.Sent:
		t.sent++
	case p.result.FellBack:
		t.mailbox = append(t.mailbox, mail{p.event.Identifier, p.event.Code})
	default:
		t.lost++
	}
	for _, a := range p.result.Attempts {
		t.attempts++
		t.took = append(t.took, a.Took)
		if a.Status == http.StatusUnauthorized {
			t.unauthorized++
		}
	}
}

// median and slowest are over all attempts, the unanswered ones included.
func (t *tally) median() time.Duration {
	slices.Sort(t.took)
	return t.took[len(t.took)/2]
}

func (t *tally) slowest() time.Duration { return slices.Max(t.took) }

func (t *tally) exitCode() int {
	switch {
	case t.lost > 0:
		return ExitLost
	case len(t.mailbox) > 0:
		return ExitFellBack
	}
	return 0
}

// outcome is one word for what the person got.
func outcome(r extension.Result) string {
	switch {
	case r.Sent:
		return "sent"
	case r.FellBack:
		return "fallback"
	}
	return "lost"
}
