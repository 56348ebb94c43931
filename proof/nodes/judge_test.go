package nodes_test

import (
	"strings"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// judge compares what callers were told with the mail that came and with what the promoted standby holds.
func (s *story) judge(killed time.Time) {
	s.t.Helper()
	db := rig.PostgresAt(s.t, strings.Replace(s.f.settings["database"], s.pair.Primary.Host+",", "", 1))
	rig.Await(s.t, "every delivery to end", func() bool {
		return len(db.Texts(s.t, `SELECT id FROM deliveries WHERE ended_at = 0`)) == 0
	})
	doubted := set(db.Texts(s.t, `SELECT recipient FROM deliveries WHERE uncertain = 1`))
	states := set(db.Texts(s.t, `SELECT id || ' ' || state FROM challenges`))
	missing, twice, lost, replayed, after := 0, 0, 0, 0, 0
	for _, i := range s.l.issued {
		if !s.holds(states, i.ID) {
			missing++
		}
		copies := s.mail.to(i.to)
		if len(copies) == 0 || !copies[0].at.Before(i.ExpiresAt) {
			lost++
		}
		twice += s.same(i.to, copies, doubted)
		s.verifiedOnce(i, states)
		if i.Header.Get("Idempotency-Replayed") != "" {
			replayed++
		}
		if i.at.After(killed) {
			after++
		}
	}
	if missing > 0 || lost > 0 {
		s.t.Errorf("of %d passcodes answered 201 the promoted standby misses %d, and %d were not mailed before they expired",
			len(s.l.issued), missing, lost)
	}
	relayed := s.judgeRelays(doubted, &twice)
	// A dead node leaves what its workers had in hand; a dead primary leaves that and the records of each node.
	if limit := 4 + 3*(4+rig.Records); twice > limit {
		s.t.Errorf("%d messages came twice, want at most the %d that can be in flight", twice, limit)
	}
	s.figure("cycles", s.l.begun.Load(), "sign-ins begun")
	s.figure("accepted.before", len(s.l.issued)-after, "passcodes answered 201 before the kill of the primary")
	s.figure("accepted.after", after, "passcodes answered 201 after it")
	s.figure("repeated", s.f.repeated.Load(), "requests that got no clear answer and were repeated")
	s.figure("replayed", replayed, "of these, issues that had been carried out and were answered from the idempotency key")
	s.figure("relayed.sent", relayed[""], "events of Entra's that were answered as sent")
	s.figure("relayed.not_sent", relayed[notSent], "events of Entra's that were answered as not sent, before a fallback")
	s.figure("relayed.unknown", relayed[unknown], "events of Entra's that were answered as unknown, before a fallback")
	s.figure("lost", lost+missing, "passcodes answered 201 that are missing or were not mailed in time")
	s.figure("twice", twice, "messages that came twice, each with one Message-ID, an answer or a record having been lost")
}

func (s *story) holds(states map[string]bool, id string) bool {
	for _, state := range []string{"pending", "verified", "locked", "expired", "cancelled", "replaced"} {
		if states[id+" "+state] {
			return true
		}
	}
	return false
}

// same wants all messages to a person to be one message, and one that came again to be one whose fate was in doubt. It
// returns how many came beyond the first.
func (s *story) same(to string, copies []mail, doubted map[string]bool) (more int) {
	for _, m := range copies {
		if m.ID != copies[0].ID || m.Code != copies[0].Code || m.Code == "" {
			s.t.Errorf("%s got two different messages: %s %s", to, copies[0].ID, m.ID)
		}
	}
	if len(copies) > 1 && !doubted[to] {
		s.t.Errorf("%s got %d messages, and no answer was lost", to, len(copies))
	}
	return max(0, len(copies)-1)
}

// verifiedOnce wants a code to be called right once: never twice, and not at all only when an answer was lost.
func (s *story) verifiedOnce(i *issue, states map[string]bool) {
	if i.verified > 1 || i.verified == 0 && !i.doubted {
		s.t.Errorf("the code of %s was called right %d times", i.to, i.verified)
	}
	if !states[i.ID+" verified"] {
		s.t.Errorf("the passcode of %s was tried with its code and is not verified on the promoted standby", i.to)
	}
}

// judgeRelays wants a message for every event that was answered as sent, and none for one answered as not sent. It
// counts the answers.
func (s *story) judgeRelays(doubted map[string]bool, twice *int) map[string]int {
	answers := map[string]int{}
	for _, r := range s.l.relays {
		answers[r.said]++
		copies := s.mail.to(r.to)
		*twice += s.same(r.to, copies, doubted)
		switch {
		case r.said == "" && (len(copies) == 0 || copies[0].Code != r.code):
			s.t.Errorf("Entra was told that the code for %s is sent; %d messages came", r.to, len(copies))
		case r.said == notSent && len(copies) > 0:
			s.t.Errorf("Entra was told that the code for %s is not sent; %d messages came", r.to, len(copies))
		}
	}
	return answers
}

func set(texts []string) map[string]bool {
	s := map[string]bool{}
	for _, text := range texts {
		s[text] = true
	}
	return s
}
