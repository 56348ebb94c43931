package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/passcode"
)

func notesAreKept(t *testing.T, s Store) {
	i := issue(t, s, "lea@example.org", now)
	other := issue(t, s, "ada@example.org", now)
	change := func(n passcode.Note, tries int, result error) error {
		err := s.Update(t.Context(), ref(i), now, func(c *passcode.Challenge, turn passcode.Turn) error {
			c.Tries += tries
			if err := turn.Note(c, n); err != nil {
				return err
			}
			return result
		})
		if !errors.Is(err, result) {
			t.Error(err)
		}
		return err
	}
	limited := passcode.Note{Kind: passcode.Limited, At: now.Add(time.Second), Reason: passcode.LimitReached, Limit: "identifier"}
	tried := passcode.Note{Kind: passcode.Tried, At: now, Reason: passcode.WrongCode}
	undone := errors.New("on purpose")
	change(tried, 1, nil)
	change(tried, 1, undone)
	change(tried, 1, nil)
	change(limited, 0, undone)
	together(40, func(int) error { return change(limited, 0, nil) })
	notes := timeline(t, s, ref(i)).Notes
	if len(notes) != 34 || notes[0] != tried || notes[1] != tried || notes[2] != limited || notes[33] != limited {
		t.Errorf("%d notes are kept, %+v; want two tries and 32 refusals", len(notes), notes)
	}
	if notes := timeline(t, s, ref(other)).Notes; len(notes) != 0 {
		t.Errorf("another's notes are %+v", notes)
	}
}
