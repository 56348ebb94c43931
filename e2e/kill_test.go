package e2e_test

import "testing"

// What a crash may send twice, from internal/outbox: the messages in the hands of the workers, and those a provider
// has taken whose record is not on disk yet. A worker goes on to its next message once it has a place to record in, so
// the number of those places bounds the second kind.
const (
	workers = 16
	records = 128
)

// shortLeases let another process take up soon what a dead one held. SQLite has no need of it: its one server knows at
// its start that all leases are void.
var shortLeases = settings{"lease": "5s", "attempt_timeout": "4s"}

func TestKillWhileAnswersAreOutLosesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		killAmid(t, db, 120, 120+workers)
	})
}

func TestKillInFullFlowLosesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		killAmid(t, db, 400, 150)
	})
}

// killAmid issues 500 passcodes, lets the mail server answer so many, kills otpost once so many are received, starts
// it again, and counts.
func killAmid(t *testing.T, db *database, answers, received int) {
	const people = 500
	k := startSink(t, "")
	set := db.settings().with(k.settings(), shortLeases)
	key := createKey(t, set, "Shop")
	p := start(t, set)
	newClient(t, p, key).issueAll(0, people)
	k.answer(answers)
	await(t, "mail on its way", func() bool { return k.total() >= received })
	p.kill()

	// Only what the database does not know to be accepted is sent again; of that, only what the mail server has already
	// comes twice.
	open := map[string]bool{}
	for _, to := range db.texts(t, `SELECT recipient FROM deliveries WHERE state <> 'accepted'`) {
		open[to] = true
	}
	if len(open) < people/2 {
		t.Fatalf("only %d messages were not delivered at the kill, which proves little", len(open))
	}

	start(t, set)
	k.answer(-1)
	await(t, "every delivery to be accepted", func() bool {
		return db.number(t, `SELECT COUNT(*) FROM deliveries WHERE state = 'accepted'`) == people
	})
	twice := 0
	got := k.byRecipient()
	for i := range people {
		messages := got[address(i)]
		switch {
		case len(messages) == 1:
		case len(messages) == 2 && open[address(i)]:
			twice++
			if messages[0].code != messages[1].code || messages[0].code == "" || messages[0].id != messages[1].id {
				t.Errorf("%s got two different messages: %v %v", address(i), messages[0].id, messages[1].id)
			}
		default:
			t.Errorf("%s got %d messages; not accepted at the kill: %v", address(i), len(messages), open[address(i)])
		}
	}
	if twice > workers+records {
		t.Errorf("%d messages came twice, want at most the %d that can be in flight", twice, workers+records)
	}
	t.Logf("%d were not delivered at the kill, %d came twice", len(open), twice)
}

func TestKillWhileTheMailServerIsDownLosesNothing(t *testing.T) {
	const people = 100
	onBoth(t, func(t *testing.T, db *database) {
		addr := freeAddress(t)
		set := db.settings().with(mailTo(addr), shortLeases)
		key := createKey(t, set, "Shop")
		p := start(t, set)
		newClient(t, p, key).issueAll(0, people)
		await(t, "a first try of each", func() bool {
			return db.number(t, `SELECT COUNT(DISTINCT delivery) FROM attempts`) == people
		})
		p.kill()
		start(t, set)
		k := startSink(t, addr)
		k.answer(-1)
		await(t, "every delivery to be accepted", func() bool {
			return db.number(t, `SELECT COUNT(*) FROM deliveries WHERE state = 'accepted'`) == people
		})
		if total, persons := k.total(), len(k.byRecipient()); total != people || persons != people {
			t.Errorf("%d messages reached %d people, want one for each of %d", total, persons, people)
		}
	})
}
