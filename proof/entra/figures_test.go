package entra_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// figures says what was counted and measured.
func figures(t *testing.T, kind string, v *verdict, n *nodes, refused int, calm, storm sum) {
	t.Helper()
	say := func(name string, value any, words string) { rig.Figure(t, "entra."+name+"."+kind, value, words) }
	say("events", v.events+refused+mailboxLimit, "events played by otpost emulate entra")
	say("kills", len(n.kills), "servers killed meanwhile")
	say("sent", v.sent, "events of which Entra was told that the code was sent")
	say("fallback", v.fellBack, "events that ended in Entra's own mail, most while servers or provider were down")
	say("calm.fallback", calm.Fallback, "of them while the provider was healthy and every server up")
	say("limited", refused, "events beyond a mailbox's limit, answered 429 and not mailed")
	say("failed", v.events-v.sent-v.fellBack, "events with neither")
	say("lost", v.lost, "events told as sent of which no mail came")
	say("refused", v.refused, "events told as sent at the deadline, whose recipient the provider then refused for good")
	say("twice.fault", v.twiceByFault, "mails sent again because the provider's answer was lost")
	say("twice.kill", v.twiceByKill, "mails sent again because a kill cut the answer or its record")
	say("twice.lapse", v.twiceByLapse, "mails sent again because a living server was too slow to record them")
	say("both.fault", v.bothByFault, "events with a mail and Entra's own mail, the provider's answer being lost")
	say("both.kill", v.bothByKill, "events with a mail and Entra's own mail, a kill having cut Entra's call")
	say("both.late", v.bothByLate, "events with a mail and Entra's own mail, the server having answered too late")
	say("wrong", v.wrong, "events that broke a promise: lost, repeated or mailed by Entra too without such a cause")
	say("cut", v.cut, "calls of Entra cut off or refused by a kill")
	say("late", v.late, "calls not answered within Entra's patience of 2 s")
	for _, run := range []struct {
		name, words string
		sum         sum
	}{{"calm", "with a healthy provider", calm}, {"storm", "under faults and kills, a share of the providers' answers taking up to 2.5 s", storm}} {
		say(run.name+".p50", run.sum.Took.Median, "ms: median of Entra's calls "+run.words)
		say(run.name+".p99", run.sum.Took.P99, "ms: p99 of Entra's calls "+run.words)
		say(run.name+".p99.9", run.sum.Took.P999, "ms: p99.9 of Entra's calls "+run.words)
	}
}
