package crash_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/otpost/otpost/proof/rig"
)

// callers use one server until it dies.
type callers struct {
	*world
	server *rig.Server
	client *rig.Client
	// dead reports whether the server is, so that there is no use in going on.
	dead func() bool
}

func (w *world) callers(p *process, at *rig.Server) *callers {
	dead := func() bool { return false }
	if p != nil {
		dead = p.isDead
	}
	return &callers{world: w, server: at, client: rig.NewClient(w.t, at, w.key), dead: dead}
}

// use repeats what has no answer, as callers do, and goes on with everything else until the server is dead. There is
// an end to it: what then lies between a server and its death is a retry.
func (c *callers) use() {
	c.repeat()
	for range 12 {
		if c.dead() {
			return
		}
		c.batch()
	}
}

// batch is 12 new passcodes, 6 events that are sent twice, 4 codes that a policy hands over, and something done with each
// older passcode.
func (c *callers) batch() {
	var all sync.WaitGroup
	older := c.book.all()
	all.Go(func() { c.fill(12) })
	all.Go(func() { c.hold(4) })
	all.Go(func() {
		events := c.wishes(6, true)
		rig.Together(len(events)*2, len(events)*2, func(i int) { c.post(events[i/2]) })
	})
	all.Go(func() {
		rig.Together(4, len(older), func(i int) { c.further(i, older[i]) })
	})
	all.Wait()
}

// wishes are n new ones.
func (c *callers) wishes(n int, events bool) (made []*wish) {
	for range n {
		c.world.mu.Lock()
		c.made++
		number := c.made
		c.world.mu.Unlock()
		w := &wish{to: rig.Address(number)}
		if events {
			w.code = fmt.Sprintf("%08d", 20_000_000+number)
			w.event = rig.Event(w.to, w.code, "en-us")
		}
		made = append(made, c.book.add(w))
	}
	return made
}

// fill issues n passcodes.
func (c *callers) fill(n int) {
	made := c.wishes(n, false)
	rig.Together(min(n, 8), n, func(i int) { c.issue(made[i]) })
}

// repeat asks again for what has no answer: an issue under its idempotency key, an event as it was.
func (c *callers) repeat() {
	var open []*wish
	for _, w := range c.book.all() {
		if w.isLost() {
			open = append(open, w)
		}
	}
	rig.Together(8, len(open), func(i int) {
		if open[i].event != "" {
			c.post(open[i])
			return
		}
		c.issue(open[i])
	})
}

// further does one of several things with a passcode that was issued before.
func (c *callers) further(i int, w *wish) {
	if w.event != "" || w.spent || w.passcode() == "" || c.dead() {
		return
	}
	switch code := c.book.codeOf(w.to); {
	case i%4 == 0:
		c.resend(w)
	case i%4 == 1:
		c.guess(w)
	case i%4 == 2 && code != "":
		c.verify(w, code)
	}
}

func (c *callers) issue(w *wish) {
	r, err := http.NewRequest("POST", "http://"+c.server.Public+"/v1/passcodes", strings.NewReader(fmt.Sprintf(`{"to":%q}`, w.to)))
	if err != nil {
		c.t.Error(err)
		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Idempotency-Key", w.to)
	got, err := c.client.Do(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost = err != nil; w.lost {
		return
	}
	var made rig.Passcode
	if got.Status != 201 || json.Unmarshal(got.Body, &made) != nil || made.ID == "" {
		c.t.Errorf("issue for %s: %v", w.to, got)
	}
	if w.id != "" && w.id != made.ID {
		c.t.Errorf("one idempotency key made two passcodes for %s: %s and %s", w.to, w.id, made.ID)
	}
	w.id = made.ID
}

// post sends an event as Entra does, once more if the server has not fetched Entra's keys yet.
func (c *callers) post(w *wish) {
	for !c.dead() {
		got, err := c.server.Post(w.event, c.token)
		if err == nil && strings.Contains(string(got.Body), "token_keys_unavailable") {
			continue
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		switch w.lost = err != nil; {
		case w.lost:
		case got.Status == 200:
			w.taken = true
		case got.Status == 503 && strings.Contains(string(got.Body), `"not_sent"`):
			w.unsent = true
		case got.Status == 503 && strings.Contains(string(got.Body), `"unknown_outcome"`):
		default:
			c.t.Errorf("event for %s: %v", w.to, got)
		}
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = true
}

// resend asks for the message again, once.
func (c *callers) resend(w *wish) {
	if w.resends != (answers{}) {
		return
	}
	got, err := c.client.Send("POST", "/v1/passcodes/"+w.passcode()+"/resend", `{}`)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resends.count(err == nil)
	if err == nil && got.Status != 200 {
		c.t.Errorf("resend for %s: %v", w.to, got)
	}
}

// guess tries a wrong code, three times at most, so that the passcode is not locked.
func (c *callers) guess(w *wish) {
	if w.wrong.got+w.wrong.lost >= 3 {
		return
	}
	c.try(w, "abcdef", &w.wrong)
}

// verify tries the right code.
func (c *callers) verify(w *wish, code string) {
	if w.right.got+w.right.lost >= 3 {
		return
	}
	c.try(w, code, &w.right)
}

func (c *callers) try(w *wish, code string, kind *answers) {
	got, err := c.client.Send("POST", "/v1/passcodes/"+w.passcode()+"/verify", fmt.Sprintf(`{"code":%q}`, code))
	var verdict struct {
		Verified bool
		Reason   string
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	kind.count(err == nil)
	switch {
	case err != nil:
	case got.Status != 200 || json.Unmarshal(got.Body, &verdict) != nil:
		c.t.Errorf("verify for %s: %v", w.to, got)
	case verdict.Verified:
		w.verified++
		if kind == &w.wrong {
			c.t.Errorf("a wrong code verified for %s", w.to)
		}
	case verdict.Reason == "used":
		w.used++
	case kind == &w.right:
		c.t.Errorf("the right code for %s: %s", w.to, verdict.Reason)
	}
}

func (w *wish) isLost() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// passcode is the id of the passcode, empty while it is not known.
func (w *wish) passcode() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.id
}
