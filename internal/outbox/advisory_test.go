package outbox_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// Zitadel CVE-2026-55670 (GO-2026-5197): ids were given out again, and with them what belonged to their last owner.
func TestAdvisory_CVE_2026_55670_IdsAreNeverUsedTwice(t *testing.T) {
	// The clock stands still, or goes back, as clocks do: that must not bring an id back.
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	const makers, each = 8, 5000
	made := make([][]string, makers)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			for n := range each {
				made[i] = append(made[i], outbox.NewID("pc", at.Add(-time.Duration(n%2)*time.Hour)))
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, id := range slices.Concat(made...) {
		if seen[id] || len(id) != 29 || !strings.HasPrefix(id, "pc_") {
			t.Fatalf("id %q came twice, or is none", id)
		}
		seen[id] = true
	}
	// No counter and no clock leads from one id to the next: 80 bits of each are chance.
	first, second := outbox.NewID("pc", at), outbox.NewID("pc", at)
	if first[:12] != second[:12] || first[13:] == second[13:] {
		t.Errorf("ids of one moment are %s and %s", first, second)
	}
	if later := outbox.NewID("pc", at.Add(time.Millisecond)); later <= first {
		t.Errorf("%s, made later, sorts before %s", later, first)
	}
}
