package crash_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/proof/rig"
)

// TestAFirstStartCanBeRunAgain kills a server while it makes its key ring.
func TestAFirstStartCanBeRunAgain(t *testing.T) {
	t.Parallel()
	for _, at := range pointsOf("sqlite", making) {
		db := rig.NewSQLite(t)
		set := db.Settings().With(rig.Settings{"inbox": "on"}, quick)
		serve(t, set, at, 1).died(rig.Patience)
		made := rig.NewClient(t, rig.Start(t, set), rig.CreateKey(t, set, "Shop")).IssueAndWait(rig.Address(1), "")
		if made.Delivery.State != "accepted" {
			t.Errorf("after %s: %+v", at.name, made)
		}
	}
}

// TestARotationCanBeRunAgain kills both steps of a rotation on either side of the moment the file is replaced, while
// messages wait under the old key, and wants a ring that reads everything, old and new.
func TestARotationCanBeRunAgain(t *testing.T) {
	who := rig.NewIssuer(t)
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		const waiting = 8
		w := newWorld(t, db, who, &count{})
		first := w.keep("first")
		p := rig.Start(t, w.set)
		c := w.callers(nil, p)
		c.fill(waiting) // the mail server answers nothing yet
		p.Kill()

		kills := 0
		for _, at := range pointsOf(db.Kind(), rotating) {
			if db.Kind() != "sqlite" && !rig.Full() { // the file is the same, whatever the database
				continue
			}
			for _, step := range []string{"stage", "rotate"} {
				before := w.keys()
				launch(t, w.set, at, 1, "keyring", step).died(rig.Patience)
				kills++
				moved := w.keys() != before
				if want := at.name == "rotate.after_rename"; moved != want {
					t.Errorf("killed at %s, %s left %s, and before it was %s", at.name, step, w.keys(), before)
				}
				// Who runs it again is told, or it is done now.
				_, stderr, code := rig.Run(t, w.set, "keyring", step)
				if again := code == 0; again == moved || moved && !strings.Contains(stderr, "staged") {
					t.Errorf("%s again after %s: exit %d, %s", step, at.name, code, stderr)
				}
			}
		}
		if kills == 0 {
			if err := errors.Join(seal.Stage(w.set["keys"]), seal.Rotate(w.set["keys"])); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.keys(); !strings.HasSuffix(got, "older primary") {
			t.Errorf("after the rotation the keys are %s", got)
		}
		if info, err := os.Stat(w.set["keys"]); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the ring is %v, %v", info, err)
		}

		// What was made under the first key is mailed and verifies under the third, beside what is made now.
		w.sink.Answer(-1)
		p = rig.Start(t, w.set)
		c = w.callers(nil, p)
		c.fill(waiting)
		rig.Await(t, "every delivery to end", func() bool {
			return w.db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE ended_at = 0`) == 0
		})
		w.wantNothingLost()
		c.wantCodesUsedOnce()
		p.Kill()

		// A node that missed the new keys does not start: it would take right codes for wrong.
		if _, stderr, code := rig.Run(t, w.set.With(first), "serve"); code != 1 || !strings.Contains(stderr, "not the one this database is written with") {
			t.Errorf("with the first ring: exit %d, %s", code, stderr)
		}
		if kills > 0 {
			rig.Figure(t, "crash.rotations."+db.Kind(), kills, "steps of a rotation that were killed and run again, on "+db.Kind())
		}
	})
}

// TestARepeatAcrossARotationJoins sends an event before a rotation and again after it.
func TestARepeatAcrossARotationJoins(t *testing.T) {
	who := rig.NewIssuer(t)
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		w := newWorld(t, db, who, &count{})
		w.set = w.set.With(rig.Settings{"entra_budget": "10s"})
		w.sink.RejectWith(nil)
		w.sink.Answer(-1)
		event, token := rig.Event(rig.Address(1), "40718265", "en-us"), who.Token(extension.Grant{})
		for again := range 2 {
			p := rig.Start(t, w.set)
			rig.Await(t, "the event to be taken", func() bool {
				got, err := p.Post(event, token)
				return err == nil && got.Status == 200
			})
			p.Kill()
			if again == 0 {
				if err := errors.Join(seal.Stage(w.set["keys"]), seal.Rotate(w.set["keys"])); err != nil {
					t.Fatal(err)
				}
			}
		}
		rig.WantMails(t, w.sink, rig.Address(1), 1)
	})
}

// keep copies the ring as it is and returns the setting that names the copy.
func (w *world) keep(name string) rig.Settings {
	w.t.Helper()
	raw, err := os.ReadFile(w.set["keys"])
	if err != nil {
		w.t.Fatal(err)
	}
	path := w.set["keys"] + "." + name
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return rig.Settings{"keys": path}
}

// keys are the states of the ring's keys.
func (w *world) keys() string {
	w.t.Helper()
	keys, err := seal.Keys(w.set["keys"])
	if err != nil {
		w.t.Fatal(err)
	}
	var states []string
	for _, k := range keys {
		states = append(states, string(k.State))
	}
	return strings.Join(states, " ")
}
