package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

func TestInbox(t *testing.T) {
	db := open(t, "sqlite:"+filepath.Join(t.TempDir(), "otpost.db"))
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	keep := func(id, to string, at time.Time) {
		t.Helper()
		if err := db.Keep(t.Context(), id, outbox.Message{To: to, Text: "482913", Passcode: "pc_1"}, at); err != nil {
			t.Fatal(err)
		}
	}
	keep("dl_1", "Lea@example.org", at)
	keep("dl_2", "ada@example.org", at.Add(time.Second))
	keep("dl_1", "Lea@example.org", at.Add(time.Minute)) // sent twice under one id
	for _, c := range []struct {
		to, id string
		limit  int
		want   []string
	}{
		{"", "", 10, []string{"dl_2", "dl_1"}},
		{"", "", 1, []string{"dl_2"}},
		{"lea@example.org", "", 10, []string{"dl_1"}},
		{"LEA@EXAMPLE.ORG", "", 10, []string{"dl_1"}},
		{"", "dl_1", 1, []string{"dl_1"}},
		{"nobody@example.org", "", 10, nil},
	} {
		kept, err := db.Kept(t.Context(), c.to, c.id, c.limit)
		if err != nil || len(kept) != len(c.want) {
			t.Errorf("%+v: %d messages, %v", c, len(kept), err)
			continue
		}
		for i, k := range kept {
			if k.ID != c.want[i] || k.Message.Text != "482913" || k.Message.Passcode != "pc_1" {
				t.Errorf("%+v: message %d is %+v", c, i, k)
			}
		}
	}
	if _, err := db.Sweep(t.Context(), at.Add(time.Hour+time.Second), time.Hour); err != nil {
		t.Fatal(err)
	}
	if kept, _ := db.Kept(t.Context(), "", "", 10); len(kept) != 1 || kept[0].ID != "dl_2" {
		t.Errorf("after the retention time of the first: %+v", kept)
	}
}
