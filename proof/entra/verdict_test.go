package entra_test

import (
	"slices"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
)

// mostReports is how many broken promises of a kind are told in full.
const mostReports = 10

// verdict is the sum of what events came to.
type verdict struct {
	events, sent, fellBack int
	// lost: Entra was told "sent", no mail of ours came, and the provider would have taken one.
	lost int
	// refused: Entra was told "sent" at the deadline, and the provider then refused the recipient for good.
	refused int
	// The mails beyond the first of an event, by what cut the answer to the one before.
	twiceByFault, twiceByKill, twiceByLapse int
	// The events with a mail of ours and a fallback mail, by what came between.
	bothByFault, bothByKill, bothByLate int
	// wrong is how many events broke a promise.
	wrong int
	// late and cut are Entra's calls that were not answered in time, or cut off by a kill.
	late, cut int
}

// judge holds the account of each event against what the provider took.
func (v *verdict) judge(t *testing.T, accounts []account, p *provider, n *nodes, gaveUp map[string]bool) {
	t.Helper()
	for i := range accounts {
		j := judged{account: &accounts[i], person: p.truth(accounts[i].To), script: scriptFor(p.seed, accounts[i].To), nodes: n,
			gaveUp: gaveUp[accounts[i].To]}
		if broken := v.add(&j); broken != "" {
			if v.wrong++; v.wrong <= mostReports {
				t.Errorf("%s\n%+v\n%s, %d messages, %d without an answer: %s", broken, accounts[i], j.script.fault, j.messages,
					j.person.lost, j.times())
			}
		}
	}
}

// judged is one event with all that is known of it.
type judged struct {
	*account
	person
	script script
	nodes  *nodes
	// gaveUp is whether a server waited for the provider as long as it may. On a busy machine that happens beside mute.
	gaveUp bool
}

// add counts an event and says which promise it broke.
func (v *verdict) add(j *judged) (broken string) {
	v.events++
	switch j.Outcome {
	case "sent":
		v.sent++
	case "fallback":
		v.fellBack++
	default:
		return "the outcome is neither sent nor fallback"
	}
	cut, uncaused := v.calls(j)
	if uncaused {
		return "Entra's call was cut off while every server lived"
	}
	for _, m := range j.mails {
		if m.code != j.Code {
			return "a mail has another code than the event"
		}
	}
	if broken := v.repeats(j); broken != "" {
		return broken
	}
	if j.Outcome == "sent" {
		return v.told(j)
	}
	switch {
	case len(j.mails) == 0:
	case cut && j.unasked():
		return "a server that started after Entra had turned to its fallback sent a mail that Entra was never told of"
	case cut:
		v.bothByKill++
	case j.person.lost > 0:
		v.bothByFault++
	case j.late():
		v.bothByLate++ // see slowness
	default:
		return "Entra mailed the code itself after a mail of ours whose answer the server had read"
	}
	return ""
}

// calls counts the calls that Entra got no answer to. uncaused is one that was cut off without a kill.
func (v *verdict) calls(j *judged) (cut, uncaused bool) {
	for _, a := range j.Attempts {
		switch a.Code {
		case extension.TimedOut:
			v.late++
		case extension.ConnectionError:
			v.cut++
			cut = true
			if !j.nodes.down(a.At, a.over()) {
				uncaused = true
			}
		}
	}
	return cut, uncaused
}

// repeats counts the mails beyond the first. Each needs that the answer to the one before was lost, by the provider or
// by a kill of the server that waited for it; or that a server lived and did not get the answer on disk before its lease
// lapsed, so that another took the delivery up: see slowness.
func (v *verdict) repeats(j *judged) (broken string) {
	for i := 1; i < len(j.mails); i++ {
		before, again := j.mails[i-1], j.mails[i]
		switch {
		case j.nodes.killedBefore(before.from, again.at):
			v.twiceByKill++
		case !before.answered, j.gaveUp:
			v.twiceByFault++
		case again.from != before.from && again.at.Sub(j.Attempts[0].At) >= duration("lease"):
			v.twiceByLapse++
		default:
			return "a mail was sent again although its answer had been read"
		}
	}
	return ""
}

// unasked reports whether a mail came after the deadline from a server that started when Entra had given up, although no
// call of Entra's lasted until the deadline: until then a delivery is not handed over, and after it nobody takes it up. A
// try that is repeated before the deadline, whose caller was killed meanwhile, is anybody's.
func (j *judged) unasked() bool {
	for _, a := range j.Attempts {
		if a.took() >= budget {
			return false
		}
	}
	last := j.Attempts[len(j.Attempts)-1]
	deadline := last.At.Add(budget)
	return slices.ContainsFunc(j.mails, func(m *mail) bool { return j.nodes.born[m.from].After(last.over()) && m.at.After(deadline) })
}

// told judges an event of which Entra was told "sent". An answer before the deadline says that a provider took the
// message; one at the deadline, that it will be sent unless the provider refuses it for good.
func (v *verdict) told(j *judged) (broken string) {
	last := j.Attempts[len(j.Attempts)-1]
	early := last.took() < budget-time.Millisecond // otpost's clock has whole milliseconds, so a deadline can come one early
	switch {
	case len(j.mails) == 0 && j.person.refused && !early:
		v.refused++
	case len(j.mails) == 0:
		v.lost++
		return "Entra was told that the code was sent, and no mail came"
	case early && j.mails[0].at.After(last.over()):
		return "Entra was told before the deadline that the code was sent, and it was sent later"
	}
	return ""
}

// times says when the mails of an event came, for a report.
func (j *judged) times() (text string) {
	for _, m := range j.mails {
		text += m.at.Sub(j.Attempts[0].At).String() + " from " + m.from
		if !m.answered {
			text += " unanswered"
		}
		text += "; "
	}
	return text
}
