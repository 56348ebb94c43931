package failover_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// told is what one caller was told.
type told struct {
	to string
	// sent: a provider took it, or for Entra, otpost will see to it; not: it was not sent and will not be; unknown: a
	// provider's answer was lost as the time ended, and it will not be sent again.
	sent, not, unknown bool
	// inTime: within the budget it was told that a provider took the message.
	inTime bool
}

// drive lets n callers a cell ask at a steady rate, whatever becomes of those before.
func (h *house) drive(n, perSecond int) {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	var all sync.WaitGroup
	var mu sync.Mutex
	for i := range n {
		<-tick.C
		for _, c := range h.cells {
			all.Go(func() {
				what := h.ask(fmt.Sprintf("person%d@%s", i, c.domain()))
				mu.Lock()
				defer mu.Unlock()
				c.told = append(c.told, what)
			})
		}
	}
	all.Wait()
}

// ask asks for one passcode and waits as long as the budget allows.
func (h *house) ask(to string) told {
	began := time.Now()
	if h.mode.relayed {
		got, err := h.server.Post(rig.Event(to, "739156", "en-GB"), h.token)
		took := time.Since(began)
		if err != nil || got.Status != 200 && got.Status != 503 {
			h.t.Errorf("event for %s: %v %v", to, got, err)
		}
		var problem struct{ Code string }
		if got.Status == 503 && json.Unmarshal(got.Body, &problem) != nil {
			h.t.Errorf("event for %s: %v", to, got)
		}
		return told{to: to, sent: got.Status == 200, not: got.Status == 503 && problem.Code != "unknown_outcome",
			unknown: problem.Code == "unknown_outcome", inTime: got.Status == 200 && took < budget}
	}
	got, err := h.client.Send("POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q,"wait_ms":%d}`, to, budget.Milliseconds()))
	var made rig.Passcode
	if err != nil || got.Status != 201 || json.Unmarshal(got.Body, &made) != nil {
		h.t.Errorf("issue to %s: %v %v", to, got, err)
	}
	state := made.Delivery.State
	return told{to: to, sent: state == "accepted", not: state == "failed" || state == "stale", inTime: state == "accepted"}
}
