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

// tally is the sum of a run; its mailbox holds the fallback mails, if they are to be kept.
type tally struct {
	events, sent, fellBack, lost int
	attempts                     int
	unauthorized                 int
	keepMailbox                  bool
	mailbox                      []mail
	took                         []time.Duration
	elapsed                      time.Duration
}

func (t *tally) add(p played) {
	t.events++
	switch {
	case p.result.Sent:
		t.sent++
	case p.result.FellBack:
		t.fellBack++
		if t.keepMailbox {
			t.mailbox = append(t.mailbox, mail{p.event.Identifier, p.event.Code})
		}
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

// times are how long calls took, the unanswered ones included.
type times struct{ median, p99, p999, slowest time.Duration }

func (t *tally) times() times {
	slices.Sort(t.took)
	return times{t.percentile(500), t.percentile(990), t.percentile(999), t.percentile(1000)}
}

// percentile is the least time within which so many of a thousand calls were over. The times are sorted.
func (t *tally) percentile(permille int) time.Duration {
	return t.took[(len(t.took)*permille+999)/1000-1]
}

func (t *tally) exitCode() int {
	switch {
	case t.lost > 0:
		return ExitLost
	case t.fellBack > 0:
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
