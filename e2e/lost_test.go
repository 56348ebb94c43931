package e2e_test

import (
	"net"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
)

// TestEntraRetryOfAGivenUpCallFallsBack kills the server while its mail server says nothing at all, and starts it again
// when Entra's time is over. The code will not be sent any more, so a late retry must not be told that it was.
func TestEntraRetryOfAGivenUpCallFallsBack(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		mute, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer mute.Close() // it never accepts, and the kernel's queue makes connecting succeed
		who := newIssuer(t)
		set := db.settings().with(mailTo(mute.Addr().String()), who.settings(),
			settings{"entra_budget": "300ms", "lease": "2s", "attempt_timeout": "1s"})
		p := start(t, set)
		body, token := event(address(1), "70651423", "en-us"), who.token(extension.Grant{})
		first := make(chan struct{})
		go func() {
			defer close(first)
			_, _ = p.post(body, token) // the kill cuts it off
		}()
		await(t, "the call under way", func() bool {
			return db.number(t, `SELECT COUNT(*) FROM deliveries WHERE answer_by > 0`) == 1
		})
		p.kill()
		awaitClosed(t, "the end of the call", first)
		await(t, "the end of Entra's time", func() bool {
			return db.number(t, `SELECT COUNT(*) FROM deliveries WHERE answer_by < $1`, time.Now().UnixMilli()) == 1
		})
		p = start(t, set)
		wantDelivery(t, db, address(1), "failed")
		got, err := p.post(body, token)
		if err != nil {
			t.Fatal(err)
		}
		if problem := got.problem(t, 503); problem.Code != "unknown_outcome" {
			t.Errorf("got %+v, want unknown_outcome", problem)
		}
		p.stop()
	})
}
