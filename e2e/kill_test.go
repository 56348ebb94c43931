package e2e_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestKillWhileAnswersAreOutLosesNothing(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		killAmid(t, db, 120, 120+rig.Workers)
	})
}

func TestKillInFullFlowLosesNothing(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		killAmid(t, db, 400, 150)
	})
}

// killAmid issues 500 passcodes, lets the mail server answer so many, kills otpost once so many are received, starts
// it again, and counts.
func killAmid(t *testing.T, db *rig.Database, answers, received int) {
	const people = 500
	k := rig.StartSink(t, "")
	set := db.Settings().With(k.Settings(), rig.ShortLeases)
	key := rig.CreateKey(t, set, "Shop")
	p := rig.Start(t, set)
	rig.NewClient(t, p, key).IssueAll(0, people)
	k.Answer(answers)
	rig.Await(t, "mail on its way", func() bool { return k.Total() >= received })
	p.Kill()

	// Only what the database does not know to be accepted is sent again; of that, only what the mail server has already
	// comes twice.
	open := map[string]bool{}
	for _, to := range db.Texts(t, `SELECT recipient FROM deliveries WHERE state <> 'accepted'`) {
		open[to] = true
	}
	if len(open) < people/2 {
		t.Fatalf("only %d messages were not delivered at the kill, which proves little", len(open))
	}

	rig.Start(t, set)
	k.Answer(-1)
	rig.Await(t, "every delivery to be accepted", func() bool {
		return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE state = 'accepted'`) == people
	})
	twice := 0
	got := k.ByRecipient()
	for i := range people {
		messages := got[rig.Address(i)]
		switch {
		case len(messages) == 1:
		case len(messages) == 2 && open[rig.Address(i)]:
			twice++
			if messages[0].Code != messages[1].Code || messages[0].Code == "" || messages[0].ID != messages[1].ID {
				t.Errorf("%s got two different messages: %v %v", rig.Address(i), messages[0].ID, messages[1].ID)
			}
		default:
			t.Errorf("%s got %d messages; not accepted at the kill: %v", rig.Address(i), len(messages), open[rig.Address(i)])
		}
	}
	if twice > rig.Workers+rig.Records {
		t.Errorf("%d messages came twice, want at most the %d that can be in flight", twice, rig.Workers+rig.Records)
	}
	t.Logf("%d were not delivered at the kill, %d came twice", len(open), twice)
}

func TestKillWhileTheMailServerIsDownLosesNothing(t *testing.T) {
	const people = 100
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		addr := rig.FreeAddress(t)
		set := db.Settings().With(rig.MailTo(addr), rig.ShortLeases)
		key := rig.CreateKey(t, set, "Shop")
		p := rig.Start(t, set)
		rig.NewClient(t, p, key).IssueAll(0, people)
		rig.Await(t, "a first try of each", func() bool {
			return db.Number(t, `SELECT COUNT(DISTINCT delivery) FROM attempts`) == people
		})
		p.Kill()
		rig.Start(t, set)
		k := rig.StartSink(t, addr)
		k.Answer(-1)
		rig.Await(t, "every delivery to be accepted", func() bool {
			return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE state = 'accepted'`) == people
		})
		if total, persons := k.Total(), len(k.ByRecipient()); total != people || persons != people {
			t.Errorf("%d messages reached %d people, want one for each of %d", total, persons, people)
		}
	})
}
