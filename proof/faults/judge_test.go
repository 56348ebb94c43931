package faults_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/proof/rig"
)

// checkWaits wants nobody to be tried again sooner than the class and the server's own wish allow.
func (h *host) checkWaits(t *testing.T) {
	t.Helper()
	for to, d := range deliveries(t, h.db) {
		if len(d.attempts) == 0 {
			continue
		}
		first, next := d.attempts[0], d.dueAt
		if len(d.attempts) > 1 {
			next = d.attempts[1].at
		} else if d.state != "queued" {
			continue
		}
		least := max(leastWait(first.class), h.meant[to].wait)
		if pause := time.Duration(next-first.at) * time.Millisecond; pause < least {
			t.Errorf("%s: %s after %q is the next try, want at least %s", h.meant[to].name, pause, first.class, least)
		}
	}
}

// judge compares what otpost has written with what the servers know, and says the figures.
func (h *host) judge(t *testing.T, protocols ...*protocol) {
	all := deliveries(t, h.db)
	c := &counts{classes: map[outbox.Class]int{}}
	h.truth.mu.Lock()
	defer h.truth.mu.Unlock()
	for to, r := range h.meant {
		d := all[to]
		if d == nil || len(d.attempts) == 0 {
			t.Errorf("%s: the passcode for %s is lost", r.name, to)
			c.lost++
			continue
		}
		if first := d.attempts[0]; !r.allows(first.class) {
			t.Errorf("%s: the first try is %q (%s %s), want one of %q", r.name, first.class, first.code, first.detail, r.may)
		}
		if want, final := r.end(); final && (d.state != want || len(d.attempts) != 1) {
			t.Errorf("%s: %s after %d tries, want %s after one", r.name, d.state, len(d.attempts), want)
		}
		h.truth.check(t, c, r.name, d)
	}
	for _, p := range protocols {
		for _, r := range p.rows {
			if h.truth.suffered[r] == 0 {
				t.Errorf("%s: %q was never acted out", p.name, r.name)
			}
		}
		rig.Figure(t, "faults.rows."+p.name+"."+h.db.Kind(), len(p.rows), "ways in which the server misbehaved")
	}
	for _, class := range outbox.Classes() {
		// Neither SMTP nor a webhook of one's own has words for these two.
		if c.classes[class] == 0 && class != outbox.Suppressed && class != outbox.GeoBlocked {
			t.Errorf("no try ended as %s", class)
		}
	}
	c.say(t, "faults.matrix", h.db.Kind())
}

// counts are the figures of a run.
type counts struct {
	passcodes, attempts, lost, duplicates, unexplained int
	longest                                            int64
	classes                                            map[outbox.Class]int
}

func (c *counts) say(t testing.TB, part, kind string) {
	rig.Figure(t, part+".passcodes."+kind, c.passcodes, "passcodes issued while providers misbehaved")
	rig.Figure(t, part+".attempts."+kind, c.attempts, "tries at the providers")
	rig.Figure(t, part+".lost."+kind, c.lost, "accepted passcodes that no provider took and nobody was told of")
	rig.Figure(t, part+".duplicates."+kind, c.duplicates, "messages that a provider took once more, after an answer that was lost")
	rig.Figure(t, part+".unexplained."+kind, c.unexplained, "messages that a provider took once more without that")
	rig.Figure(t, part+".longest_try."+kind, c.longest, fmt.Sprintf("ms that the longest try lasted; a try is cut off after %d ms", attemptTimeout()))
	for _, class := range append(outbox.Classes(), none) {
		if n := c.classes[class]; n > 0 {
			name := string(class)
			if class == none {
				name = "taken"
			}
			rig.Figure(t, part+".class."+name+"."+kind, n, "tries that ended so")
		}
	}
}

// check holds one delivery against what the servers know.
func (w *truth) check(t testing.TB, c *counts, name string, d *delivery) {
	t.Helper()
	c.passcodes++
	c.attempts += len(d.attempts)
	for _, a := range d.attempts {
		c.classes[a.class]++
		c.longest = max(c.longest, a.took)
	}
	kept := w.takings[d.id]
	c.duplicates += max(0, len(kept)-1)
	if reason := w.broke(d, kept); reason != "" {
		t.Errorf("%s: %s: %+v, kept %d times", name, reason, *d, len(kept))
		if len(kept) == 0 {
			c.lost++
		} else {
			c.unexplained++
		}
	}
}

// broke says which part of the promise does not hold for a delivery.
func (w *truth) broke(d *delivery, kept []taking) string {
	last := d.attempts[len(d.attempts)-1].class
	unsure := d.count(outbox.Ambiguous)
	for _, k := range kept {
		if k != kept[0] || k.to != d.to {
			return "one message in two forms"
		}
	}
	switch {
	case d.state == "accepted" && len(kept) == 0:
		return "lost: otpost says accepted"
	case d.state == "accepted" && last != none:
		return "accepted without a try that succeeded"
	case d.state == "failed" && (!permanent(last) || len(kept) > 0 && unsure == 0):
		return "failed without a refusal for good"
	case d.state == "stale" && (permanent(last) || len(kept) > 0 && unsure == 0):
		return "stale although it was taken or refused"
	case d.state != "accepted" && d.state != "failed" && d.state != "stale":
		return "without an end"
	case d.count(none) > 1 || d.count(none) == 1 && last != none:
		return "sent again after it was accepted"
	case len(kept) > 1+unsure:
		return "sent again although its answer was read"
	case len(kept) > 1+w.lostAnswers(d):
		return "sent again although the server had answered"
	}
	return ""
}

// lostAnswers is how many tries of a message can have ended without an answer although it was taken.
func (w *truth) lostAnswers(d *delivery) (n int) {
	for _, r := range append(w.met[d.to], w.met[d.id]...) {
		if r.takes && r.allows(outbox.Ambiguous) {
			n++
		}
	}
	for _, a := range d.attempts {
		if a.class == outbox.Ambiguous && a.took >= int64(attemptTimeout()) {
			n++ // the server may have answered a moment later
		}
	}
	return n
}

// checkTraces wants no connection left and no word of a message in the log or beside the tries.
func (h *host) checkTraces(t *testing.T, protocols ...*protocol) {
	for _, p := range protocols {
		if p.name == "http" {
			p.door.goodbye()
		} // kept connections to mail servers end by themselves
		rig.Await(t, "otpost to close its connections to the "+p.name+" server", func() bool { return p.door.connections() == 0 })
	}
	h.server.Stop()
	h.truth.mu.Lock()
	defer h.truth.mu.Unlock()
	for _, broken := range h.truth.broken {
		t.Error(broken)
	}
	codes := h.truth.codes
	if len(codes) == 0 {
		t.Fatal("no code reached a server: nothing was searched for")
	}
	words := strings.Join(h.db.Texts(t, "SELECT code || ' ' || detail || ' ' || ref FROM attempts"), "\n")
	for where, text := range map[string]string{"the log": h.server.Log.String(), "the attempts": words} {
		for _, text := range []string{text, strings.ToUpper(text)} {
			if code := codeIn(text, codes); code != "" {
				t.Errorf("the code %s is in %s", code, where)
			}
		}
		for _, secret := range []string{mailUser, mailPassword, "wanda.person", "+3361", signingKey} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %s", secret, where)
			}
		}
	}
}

// codeIn finds one of many codes, which are all of one length.
func codeIn(text string, codes map[string]bool) string {
	length := 0
	for code := range codes {
		length = len(code)
	}
	for i := range max(0, len(text)-length+1) {
		if codes[text[i:i+length]] {
			return text[i : i+length]
		}
	}
	return ""
}
