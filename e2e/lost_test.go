package e2e_test

import (
	"net"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"

	"github.com/otpost/otpost/internal/extension"
)

// TestEntraRetryOfAGivenUpCallFallsBack kills the server while its mail server says nothing at all, and starts it again
// when Entra's time is over. The code will not be sent any more, so a late retry must not be told that it was.
func TestEntraRetryOfAGivenUpCallFallsBack(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		mute, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer mute.Close() // it never accepts, and the kernel's queue makes connecting succeed
		who := rig.NewIssuer(t)
		set := db.Settings().With(rig.MailTo(mute.Addr().String()), who.Settings(),
			rig.Settings{"entra_budget": "10s", "lease": "5s", "attempt_timeout": "3s"})
		p := rig.Start(t, set)
		body, token := rig.Event(rig.Address(1), "70651423", "en-us"), who.Token(extension.Grant{})
		first := make(chan struct{})
		go func() {
			defer close(first)
			_, _ = p.Post(body, token) // the kill cuts it off
		}()
		rig.Await(t, "the call under way", func() bool {
			return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE answer_by > 0`) == 1
		})
		p.Kill()
		rig.AwaitClosed(t, "the end of the call", first)
		rig.Await(t, "the end of Entra's time", func() bool {
			return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE answer_by < $1`, time.Now().UnixMilli()) == 1
		})
		p = rig.Start(t, set)
		rig.WantDelivery(t, db, rig.Address(1), "failed")
		got, err := p.Post(body, token)
		if err != nil {
			t.Fatal(err)
		}
		if problem := got.Problem(t, 503); problem.Code != "unknown_outcome" {
			t.Errorf("got %+v, want unknown_outcome", problem)
		}
		p.Stop()
	})
}
