package entra_test

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// fault is one way in which the provider misbehaves.
type fault string

const (
	healthy fault = "healthy"
	// slow takes the message and answers late, beyond the server's budget or even Entra's patience.
	slow fault = "slow"
	// slowLater answers late that it does not take the message now: whoever was told "sent" meanwhile must get it.
	slowLater fault = "slow, then 451"
	// rcptLater and dataLater do not take the message now.
	rcptLater fault = "451 to RCPT"
	dataLater fault = "451 after DATA"
	// rcptNever, dataNever and slowNever do not take it at any time.
	rcptNever fault = "550 to RCPT"
	dataNever fault = "554 after DATA"
	slowNever fault = "slow, then 550"
	// dropTaken and dropLost close the connection instead of answering, and did or did not take the message.
	dropTaken fault = "dropped, taken"
	dropLost  fault = "dropped, not taken"
	// mute takes the message and says nothing until the client gives up.
	mute fault = "taken, no answer"
	// unreachable is a provider that cuts its connections and refuses new ones for a while.
	unreachable fault = "unreachable"
)

// shares are how many of a thousand recipients meet a fault; all others meet none.
var shares = []struct {
	fault    fault
	permille int
}{
	{slow, 60}, {slowLater, 20}, {rcptLater, 20}, {dataLater, 20}, {rcptNever, 20}, {dataNever, 10}, {slowNever, 4},
	{dropTaken, 20}, {dropLost, 20}, {mute, 4},
}

// The server waits for a provider up to budget, and Entra for the server up to patience. Late answers come between
// soonest and latest, which is well below the time that one try may take.
const (
	budget   = time.Second
	patience = 2 * time.Second
	soonest  = 100 * time.Millisecond
	latest   = 2500 * time.Millisecond
)

// leases are short, so that what a dead server held is soon taken up. On a machine that is busy with other tests a
// living server can be slower than that.
func leases() rig.Settings {
	if rig.Full() {
		return rig.Settings{"lease": "12s", "attempt_timeout": "6s"}
	}
	return rig.ShortLeases
}

// duration is one of leases.
func duration(setting string) time.Duration {
	d, err := time.ParseDuration(leases()[setting])
	if err != nil {
		panic(err)
	}
	return d
}

// script is what one recipient's messages meet.
type script struct {
	fault fault
	delay time.Duration
	// tries is how many messages meet it; what comes after is taken. A refusal for good has no end.
	tries int
}

// scriptFor draws the script of a recipient. The same seed gives everybody the same one, however the run goes.
func scriptFor(seed uint64, to string) script {
	h := fnv.New64a()
	h.Write([]byte(to))
	draw := rand.New(rand.NewPCG(seed, h.Sum64()))
	s := script{fault: healthy, tries: 1 + draw.IntN(2), delay: soonest + time.Duration(draw.Int64N(int64(latest-soonest)))}
	n := draw.IntN(1000)
	for _, share := range shares {
		if n -= share.permille; n < 0 {
			s.fault = share.fault
			break
		}
	}
	switch s.fault {
	case slowLater, slowNever:
		s.delay = max(s.delay, budget+budget/2)
	case mute:
		s.tries = 1 // each costs the whole time of a try
	}
	return s
}

// forGood reports whether a message is refused at any time.
func (f fault) forGood() bool { return f == rcptNever || f == dataNever || f == slowNever }

// meets is what the nth message to the recipient meets.
func (s script) meets(n int) fault {
	if n <= s.tries || s.fault.forGood() {
		return s.fault
	}
	return healthy
}
