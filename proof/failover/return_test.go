package failover_test

import (
	"fmt"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// TestAProviderThatIsWellAgainGetsItsMessages lets a provider be down until it is left alone, makes it well, and waits
// for the messages to come back to it.
func TestAProviderThatIsWellAgainGetsItsMessages(t *testing.T) {
	t.Parallel()
	broken := faultNamed(t, "broken")
	h := openPatientHouse(t, modes()[0], tryTimeout, broken)
	vendor := h.cells[0].vendor
	n := 0
	ask := func() (provider string, tries int) {
		n++
		made := h.client.IssueAndWait(fmt.Sprintf("person%d@%s", n, broken.domain()), "")
		if made.Delivery.State != "accepted" {
			t.Fatalf("passcode %d: %+v", n, made.Delivery)
		}
		return made.Delivery.Provider, made.Delivery.Attempts
	}
	rig.Await(t, "the provider to be left alone", func() bool {
		provider, tries := ask()
		return provider == "good" && tries == 1
	})
	vendor.recover()
	looks := 0
	rig.Await(t, "messages to go to the provider again", func() bool {
		if looks++; looks%20 != 0 { // it takes a while, and every look is a message
			return false
		}
		provider, _ := ask()
		return provider == broken.name
	})
	for range 5 {
		if provider, tries := ask(); provider != broken.name || tries != 1 {
			t.Errorf("well again, and a message went to %s after %d tries", provider, tries)
		}
	}
	settle(t, h.db)
	h.server.Stop()
	good, bad := h.good.posts(), vendor.kept()
	for to, d := range deliveries(t, h.db) {
		if good[d.id]+bad[d.id] != 1 {
			t.Errorf("%s was sent %d messages, want one", to, good[d.id]+bad[d.id])
		}
	}
}

func faultNamed(t testing.TB, name string) *fault {
	t.Helper()
	for _, f := range faults() {
		if f.name == name {
			return f
		}
	}
	t.Fatalf("there is no fault %s", name)
	return nil
}
