package outbox_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// A provider that cannot be reached in half of the time that a caller has left costs it only that half.
func TestACallerWhoWaitsIsNotLostToAConnection(t *testing.T) {
	unreachable := func(ctx context.Context, _ int) error {
		by, ok := outbox.ConnectBy(ctx)
		if !ok {
			by = time.Now().Add(2 * time.Second)
		}
		time.Sleep(time.Until(by))
		return outbox.Faultf(outbox.Transient, "", "no connection")
	}
	for name, c := range map[string]struct {
		wait  time.Duration
		route []string
		down  bool // the second provider is known to be down
		after time.Duration
	}{
		"waits":                    {800 * time.Millisecond, []string{"first", "second"}, false, 400 * time.Millisecond},
		"does not wait":            {0, []string{"first", "second"}, false, 2 * time.Second},
		"has no other provider":    {800 * time.Millisecond, []string{"first"}, false, 2 * time.Second},
		"has none that is up":      {800 * time.Millisecond, []string{"first", "second"}, true, 2 * time.Second},
		"is beyond what is waited": {-time.Second, []string{"first", "second"}, false, 2 * time.Second},
	} {
		inBubble(t, func(t *testing.T, h *house) {
			h.first.do = unreachable
			if c.down {
				if err := h.db.OpenBreaker(t.Context(), "second", time.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			o, stop := h.process(t, shared(h))
			synctest.Wait()
			d := h.delivery(t, "lea@example.org", c.route...)
			if !o.Reserve(&d) {
				t.Fatal("no room")
			}
			h.write(t, d)
			began := time.Now()
			if c.wait != 0 {
				d.AwaitedUntil = began.Add(c.wait)
			}
			o.HandOver(d)
			for synctest.Wait(); h.row(t, d.ID).Tries == 0; synctest.Wait() {
				time.Sleep(time.Millisecond)
			}
			if took := time.Since(began); took != c.after {
				t.Errorf("a caller who %s: the first try ended after %v, want %v", name, took, c.after)
			}
			stop()
		})
	}
}
