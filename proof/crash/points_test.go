package crash_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// stage is what is going on when a point is reached.
type stage string

const (
	// traffic is people who issue, resend and verify, and Entra that sends events, over a mail server that answers.
	traffic stage = "traffic"
	// silence is the same while the mail server answers nothing.
	silence stage = "silence"
	// stopping is a server that was asked to stop with its hands full.
	stopping stage = "stopping"
	// starting is a start after a crash.
	starting stage = "starting"
	// sweeping is a server that is left alone until it tidies up.
	sweeping stage = "sweeping"
	// migrating is a schema that is brought up to date.
	migrating stage = "migrating"
	// making is a first start, which makes a key ring.
	making stage = "making"
	// rotating is a key ring that gets a new key.
	rotating stage = "rotating"
)

// point is a fault point of the program and how it is reached.
type point struct {
	name  string
	stage stage
	// passes is how often it may be passed before it kills, at most.
	passes int
	// only is the database that has it, empty for both.
	only string
}

// points are all fault points. TestTableAndCodeAgree holds the table to the code.
var points = []point{
	{name: "issue.before_commit", stage: traffic, passes: 20},
	{name: "issue.after_commit", stage: traffic, passes: 20}, // a resend passes it too
	{name: "issue.before_answer", stage: traffic, passes: 20},
	{name: "resend.before_commit", stage: traffic, passes: 6},
	{name: "resend.before_answer", stage: traffic, passes: 6},
	{name: "relay.before_commit", stage: traffic, passes: 9},
	{name: "relay.after_commit", stage: traffic, passes: 12},
	{name: "relay.before_answer", stage: traffic, passes: 9},
	{name: "join.before_commit", stage: traffic, passes: 5},
	{name: "send.before_dial", stage: traffic, passes: 3},
	{name: "send.after_data", stage: traffic, passes: 20},
	{name: "send.after_answer", stage: traffic, passes: 20},
	{name: "record.before_commit", stage: traffic, passes: 12},
	{name: "record.after_commit", stage: traffic, passes: 20},
	{name: "failure.before_commit", stage: traffic, passes: 3},
	{name: "claim.before_commit", stage: traffic, passes: 3},
	{name: "claim.after_commit", stage: traffic, passes: 3},
	{name: "verify.before_commit", stage: traffic, passes: 9},
	{name: "verify.after_commit", stage: traffic, passes: 9},
	{name: "verify.before_answer", stage: traffic, passes: 9},
	{name: "generate.before_commit", stage: traffic, passes: 20},
	{name: "generate.after_commit", stage: traffic, passes: 20},
	{name: "policy.before_answer", stage: traffic, passes: 40},
	{name: "commit.before", stage: traffic, passes: 40},
	{name: "commit.after", stage: traffic, passes: 40},
	{name: "settle.before_commit", stage: silence, passes: 5},
	{name: "settle.after_commit", stage: silence, passes: 5},
	{name: "return.before_commit", stage: stopping, passes: 1},
	{name: "own.before_commit", stage: starting, passes: 1, only: "sqlite"},
	{name: "sweep.before_commit", stage: sweeping, passes: 1},
	{name: "sweep.after_commit", stage: sweeping, passes: 1},
	{name: "migrate.before_step", stage: migrating, passes: 1},
	{name: "migrate.before_version", stage: migrating, passes: 1},
	{name: "migrate.after_version", stage: migrating, passes: 1},
	{name: "ring.before_link", stage: making, passes: 1},
	{name: "ring.after_link", stage: making, passes: 1},
	{name: "rotate.before_rename", stage: rotating, passes: 1},
	{name: "rotate.after_rename", stage: rotating, passes: 1},
}

// pointsOf are the points of some stages that a database has.
func pointsOf(kind string, stages ...stage) (found []point) {
	for _, p := range points {
		for _, s := range stages {
			if p.stage == s && (p.only == "" || p.only == kind) {
				found = append(found, p)
			}
		}
	}
	return found
}

// counts are the passes at which a point kills, one after the other: in the short form one, in the full form three.
func (p point) counts() []int {
	middle := (p.passes + 1) / 2
	switch {
	case !rig.Full():
		return []int{middle}
	case p.passes < 3:
		return []int{1, p.passes}[:p.passes]
	}
	return []int{1, middle, p.passes}
}

// TestTableAndCodeAgree wants each point of the code in the table, and the other way round, and each in the program that
// is tested here: a row whose point is gone would prove nothing.
func TestTableAndCodeAgree(t *testing.T) {
	t.Parallel()
	program, err := os.ReadFile(rig.Command(t, nil, "version").Path)
	if err != nil {
		t.Fatal(err)
	}
	inCode, inTable := map[string]bool{}, map[string]bool{}
	for _, name := range rig.FaultPoints(t) {
		inCode[name] = true
	}
	for _, p := range points {
		inTable[p.name] = true
		if !inCode[p.name] {
			t.Errorf("the table has %s, and the code has no such point", p.name)
		}
		if !bytes.Contains(program, []byte(p.name)) {
			t.Errorf("the program that is tested has no point %s", p.name)
		}
	}
	for name := range inCode {
		if !inTable[name] {
			t.Errorf("the code has %s, and the table says of nobody who reaches it", name)
		}
	}
	if !bytes.Contains(program, []byte("OTPOST_FAULTPOINT")) {
		t.Error("the program that is tested reads no order to die")
	}
}
