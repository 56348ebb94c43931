package limit_test

import (
	"context"
	"testing"
	"time"

	"github.com/otpost/otpost/bench/internal/limit"
)

func TestLimitsAreMeasured(t *testing.T) {
	appends, err := limit.Append(t.Context(), t.TempDir(), 30*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := limit.SQLite(t.Context(), t.TempDir(), 8, 30*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	all := append(rows, appends)
	if len(all) != 3 {
		t.Errorf("got %d limits, want 3", len(all))
	}
	for _, l := range all {
		if l.Name == "" || l.PerSecond <= 0 || l.P99 <= 0 {
			t.Errorf("%+v says nothing", l)
		}
	}
}

func TestFailuresAreErrors(t *testing.T) {
	gone := t.TempDir() + "/gone"
	if _, err := limit.Append(t.Context(), gone, time.Millisecond); err == nil {
		t.Error("appending in a folder that is not there succeeded")
	}
	if _, err := limit.SQLite(t.Context(), gone, 8, time.Millisecond); err == nil {
		t.Error("a database in a folder that is not there succeeded")
	}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := limit.Append(interrupted, t.TempDir(), time.Minute); err == nil {
		t.Error("an interrupted measurement gave a figure")
	}
}
