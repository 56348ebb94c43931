package store_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/internal/store/pgtest"
)

// Kratos CVE-2026-33503 (GO-2026-4801): a forged page token became a part of a query. There are no page tokens here,
// and whatever a stranger can name a row by is compared with it, on both databases.
func TestAdvisory_CVE_2026_33503_StrangersTextIsNeverSQL(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		strangersTextIsNeverSQL(t, open(t, "sqlite:"+filepath.Join(t.TempDir(), "otpost.db")))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		strangersTextIsNeverSQL(t, open(t, pgtest.Start(t).Database(t)))
	})
}

func strangersTextIsNeverSQL(t *testing.T, db *store.DB) {
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	lea := outbox.Message{Channel: outbox.Email, To: "lea@example.org", Text: "482913"}
	if err := db.Keep(t.Context(), "dl_1", lea, at); err != nil {
		t.Fatal(err)
	}
	change := func(*passcode.Challenge, passcode.Turn) error { t.Error("a row was found"); return nil }
	for _, text := range []string{"' OR '1'='1", "' OR 1=1 --", "x'; DROP TABLE inbox; --", "') UNION SELECT 1,2,3 --",
		"$1", "$1 OR 1=1", "?", "%", "_", "*", "\\", "\\' OR 1=1 --", "\"", "dl_1' /*", "dl__", "d%"} {
		for name, find := range map[string]func() (int, error){
			"inbox by recipient": func() (int, error) { m, err := db.Kept(t.Context(), text, "", 10); return len(m), err },
			"inbox by id":        func() (int, error) { m, err := db.Kept(t.Context(), "", text, 10); return len(m), err },
			"key by hash": func() (int, error) {
				_, found, err := db.Caller(t.Context(), []byte(text))
				if found {
					return 1, err
				}
				return 0, err
			},
		} {
			if n, err := find(); n != 0 || err != nil {
				t.Errorf("%s %q: %d rows, %v; want none", name, text, n, err)
			}
		}
		for _, ref := range []passcode.Ref{
			{Tenant: "default", ID: text}, {Tenant: text, ID: "pc_1"},
			{Tenant: "default", To: text, Purpose: passcode.SignIn}, {Tenant: "default", To: "x", Scope: text, Purpose: passcode.Purpose(text)},
		} {
			if _, err := db.Timeline(t.Context(), ref); !errors.Is(err, passcode.ErrNoChallenge) {
				t.Errorf("timeline of %+v: %v", ref, err)
			}
			if err := db.Update(t.Context(), ref, at, change); !errors.Is(err, passcode.ErrNoChallenge) {
				t.Errorf("update of %+v: %v", ref, err)
			}
		}
		// And what is written comes back as it was.
		m := lea
		m.To = text
		if err := db.Keep(t.Context(), "kept "+text, m, at); err != nil {
			t.Errorf("keep for %q: %v", text, err)
		}
		if kept, err := db.Kept(t.Context(), "", "kept "+text, 10); err != nil || len(kept) != 1 || kept[0].Message != m {
			t.Errorf("kept for %q: %+v, %v", text, kept, err)
		}
	}
	if kept, err := db.Kept(t.Context(), "lea@example.org", "", 10); err != nil || len(kept) != 1 {
		t.Errorf("the message that was there before: %d, %v", len(kept), err)
	}
}
