package rig

import (
	"encoding/json"
	"fmt"
	"sync"
)

// tally counts verdicts by reason; a right code's reason is "verified".
type tally struct {
	mu      sync.Mutex
	Reasons map[string]int
	Left    []int
}

// TryAll sends so many codes at the same time and wants an answer of 200 to each.
func (c *Client) TryAll(id string, n int, code func(i int) string) *tally {
	c.t.Helper()
	all := &tally{Reasons: map[string]int{}}
	Together(n, n, func(i int) {
		got, err := c.Send("POST", "/v1/passcodes/"+id+"/verify", fmt.Sprintf(`{"code":%q}`, code(i)))
		var v verdict
		if err != nil || got.Status != 200 || json.Unmarshal(got.Body, &v) != nil {
			c.t.Errorf("verify %d: %v %v", i, err, got)
			return
		}
		all.mu.Lock()
		defer all.mu.Unlock()
		if v.Verified {
			v.Reason = "verified"
		}
		all.Reasons[v.Reason]++
		all.Left = append(all.Left, v.AttemptsLeft)
	})
	return all
}

// Other is a code of six digits that is not the right one.
func Other(right string, i int) string {
	code := fmt.Sprintf("%06d", i)
	if code == right {
		return "999999"
	}
	return code
}
