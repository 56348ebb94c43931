package linear_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// person is one recipient, and what is done about it.
type person struct {
	run  *run
	n    int
	slot []slot

	mu       sync.Mutex
	codes    map[string][]string // by address, oldest first
	mailed   chan struct{}       // closed and renewed when a mail comes
	known    []string            // ids of passcodes, oldest first
	requests int
	history  []record
}

func (r *run) newPerson(n int) *person {
	p := &person{run: r, n: n, codes: map[string][]string{}, mailed: make(chan struct{})}
	// Two sub-addresses of one mailbox and two purposes are four slots, under the same limits.
	for _, purpose := range []string{"sign_in", "mfa"} {
		for _, tag := range []string{"a", "b"} {
			p.slot = append(p.slot, slot{fmt.Sprintf("person%d+%s@example.test", n, tag), purpose})
		}
	}
	return p
}

// took is told of each mail to the person.
func (p *person) took(to, code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.codes[to], code) {
		p.codes[to] = append(p.codes[to], code)
	}
	close(p.mailed)
	p.mailed = make(chan struct{})
}

// live has several clients make calls about one person, some of them at the same moment and some one after the other.
func (p *person) live(clients, rounds int) {
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(p.n), uint64(client)))
			for range rounds {
				p.act(client, r)
			}
		})
	}
	all.Wait()
}

// act makes one call of a kind that chance decides.
func (p *person) act(client int, r *rand.Rand) {
	id, found := p.pick(r)
	at := p.slot[min(r.IntN(6), r.IntN(6))%len(p.slot)] // the first ones more often
	switch chance := r.IntN(100); {
	case !found, chance < 16:
		p.issue(client, r, at)
	case chance < 62:
		p.do(client, r, call{verb: verify, passcode: id, code: p.code(r)})
	case chance < 72:
		p.do(client, r, call{verb: verifyTo, slot: at, code: p.code(r)})
	case chance < 85:
		p.do(client, r, call{verb: resend, passcode: id})
	case chance < 88:
		p.do(client, r, call{verb: cancel, passcode: id})
	default:
		p.do(client, r, call{verb: status, passcode: id})
	}
}

// pick chooses a passcode, the newest half of the time.
func (p *person) pick(r *rand.Rand) (id string, found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) == 0 {
		return "", false
	}
	return p.known[max(0, len(p.known)-1-r.IntN(2)*r.IntN(len(p.known)))], true
}

// code is a code that some mail to the person had, most often of the last ones, or one that none had.
func (p *person) code(r *rand.Rand) string {
	if r.IntN(100) < 45 {
		return wrongCode(r)
	}
	for range 2 {
		p.mu.Lock()
		var all []string
		for _, s := range p.slot[:2] {
			codes := p.codes[s.to]
			all = append(all, codes[max(0, len(codes)-3):]...)
		}
		mailed := p.mailed
		p.mu.Unlock()
		if len(all) > 0 {
			return all[r.IntN(len(all))]
		}
		select {
		case <-mailed:
		case <-time.After(time.Second): // a mail may be long in coming; then the code is wrong
		}
	}
	return wrongCode(r)
}

func wrongCode(r *rand.Rand) string {
	code := make([]byte, 12)
	for i := range code {
		code[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ23456789"[r.IntN(34)]
	}
	return string(code)
}

// issue asks for a passcode, half of the time under an idempotency key; then it asks again while no answer comes, as a
// careful caller does, and sometimes though one came.
func (p *person) issue(client int, r *rand.Rand, at slot) {
	p.mu.Lock()
	p.requests++
	c := call{verb: issue, slot: at, request: fmt.Sprintf("%d.%d", p.n, p.requests)}
	p.mu.Unlock()
	if r.IntN(2) == 0 {
		p.do(client, r, c)
		return
	}
	c.key = "key." + c.request
	for range 3 {
		if answered := p.do(client, r, c); answered && r.IntN(4) > 0 {
			return
		}
	}
}

// do makes a call at some node and records it. It reports whether an answer came.
func (p *person) do(client int, r *rand.Rand, c call) (answered bool) {
	n := p.run.cluster.any(r)
	method, path, body := wire(&c)
	rec := record{call: c, client: client}
	began := time.Now()
	got, err := n.send(p.run.cluster.key, method, path, body, c.key)
	ended := time.Now()
	if errors.Is(err, errNotSent) {
		return false
	}
	rec.began, rec.ended = int64(began.Sub(p.run.began)), int64(ended.Sub(p.run.began))
	rec.call.from, rec.call.until = began.Add(n.ahead).UnixMilli(), ended.Add(n.ahead).UnixMilli()
	switch {
	case err != nil:
		rec.call.lost = true
	case got.Status >= 500:
		rec.call.lost = true
		p.run.t.Errorf("%v: %v", c, got)
	default:
		if err := rec.read(got, p.run.rules); err != nil {
			p.run.t.Error(err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.history = append(p.history, rec)
	if c.verb == issue && rec.answer.passcode != "" && !slices.Contains(p.known, rec.answer.passcode) {
		p.known = append(p.known, rec.answer.passcode)
	}
	p.run.made.Add(1)
	return err == nil
}

// wire is a call as a request.
func wire(c *call) (method, path, body string) {
	path = "/v1/passcodes/" + c.passcode
	switch c.verb {
	case issue:
		return "POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q,"purpose":%q,"metadata":{"request":%q}}`, c.slot.to, c.slot.purpose, c.request)
	case verify:
		return "POST", path + "/verify", fmt.Sprintf(`{"code":%q}`, c.code)
	case verifyTo:
		return "POST", "/v1/passcodes/verify", fmt.Sprintf(`{"to":%q,"purpose":%q,"code":%q}`, c.slot.to, c.slot.purpose, c.code)
	case resend:
		return "POST", path + "/resend", "{}"
	case cancel:
		return "DELETE", path, ""
	default:
		return "GET", path, ""
	}
}
