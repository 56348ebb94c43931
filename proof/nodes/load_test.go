package nodes_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/proof/rig"
)

// load is people who sign in, at a steady rate whatever the servers do: each is issued a passcode, waits for the mail
// and proves the code. One in four comes by way of Entra. In the short form nobody begins while mostAsking wait for an
// answer: a machine that is slower than the rate would never come to an end of them.
type load struct {
	t     testing.TB
	f     *fleet
	mail  *mailroom
	key   string
	token string

	begun  atomic.Int64
	cycles sync.WaitGroup
	ticker sync.WaitGroup
	quit   chan struct{}

	mu     sync.Mutex
	issued []*issue
	relays []relay
}

// mostAsking is enough for every node to have several requests in hand, also while the database answers none.
const mostAsking = 48

// issue is a passcode that was answered 201.
type issue struct {
	made
	to string
	reply
	// verified counts the answers that called the code right; doubted is set when a try at it got no clear answer.
	verified int
	doubted  bool
}

// made is what the answer says.
type made struct {
	ID        string
	ExpiresAt time.Time `json:"expires_at"`
}

// relay is an event of Entra's that was answered: said is empty when Entra was told that the code is sent, else notSent
// or unknown.
type relay struct{ to, code, said string }

// What Entra is told when the code is not sent and never will be, and when nobody knows and nobody will try again: then
// Entra's fallback is right.
const (
	notSent = "not_sent"
	unknown = "unknown_outcome"
)

// said is the code of a problem document, empty when the answer is none.
func said(a rig.Answer) string {
	var p struct{ Code string }
	_ = json.Unmarshal(a.Body, &p) // what is no JSON has no code
	return p.Code
}

func startLoad(t testing.TB, f *fleet, mail *mailroom, issuer *rig.Issuer, key string, perSecond int) *load {
	l := &load{t: t, f: f, mail: mail, key: key, token: issuer.Token(extension.Grant{}), quit: make(chan struct{})}
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	l.ticker.Go(func() {
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if !rig.Full() && f.asking.Load() >= mostAsking {
					continue
				}
				n := int(l.begun.Add(1))
				l.cycles.Go(func() { l.cycle(n) })
			case <-l.quit:
				return
			}
		}
	})
	t.Cleanup(l.stop)
	return l
}

// stop begins no more cycles and waits for those that were begun.
func (l *load) stop() {
	select {
	case <-l.quit:
	default:
		close(l.quit)
	}
	l.ticker.Wait()
	l.cycles.Wait()
}

func (l *load) cycle(n int) {
	if n%4 == 0 {
		l.relay(n)
		return
	}
	i, ok := l.issue(rig.Address(n), fmt.Sprintf("cycle-%d", n))
	if !ok {
		return
	}
	if i.ID == "" {
		l.t.Errorf("%s was refused: %v", rig.Address(n), i.Answer)
		return
	}
	l.mu.Lock()
	l.issued = append(l.issued, &i)
	l.mu.Unlock()
	if first, ok := l.mail.await(i.to); ok {
		l.prove(&i, first.Code, n)
	}
}

// issue asks for a passcode; its ID is empty when a limit refused it.
func (l *load) issue(to, key string) (i issue, ok bool) {
	r, ok := l.f.ask(call{path: "/v1/passcodes", body: fmt.Sprintf(`{"to":%q}`, to), bearer: l.key, key: key})
	if !ok {
		return i, false
	}
	if r.Status == 201 {
		if err := json.Unmarshal(r.Body, &i.made); err != nil || i.ID == "" {
			l.t.Errorf("issue to %s: %v, %v", to, r, err)
			return i, false
		}
	} else if r.Status != 429 {
		l.t.Errorf("issue to %s: %v", to, r)
		return i, false
	}
	i.to, i.reply = to, r
	return i, true
}

// prove tries the right code twice at the same time, after a wrong one from every third person.
func (l *load) prove(i *issue, code string, n int) {
	if n%3 == 0 {
		l.verify(i.ID, rig.Other(code, n%1000))
	}
	rig.Together(2, 2, func(int) {
		reason, unclear := l.verify(i.ID, code)
		l.mu.Lock()
		defer l.mu.Unlock()
		if reason == "verified" {
			i.verified++
		}
		i.doubted = i.doubted || unclear > 0
	})
}

// verify returns the reason of the answer, "verified" for a right code.
func (l *load) verify(id, code string) (reason string, unclear int) {
	r, ok := l.f.ask(call{path: "/v1/passcodes/" + id + "/verify", body: fmt.Sprintf(`{"code":%q}`, code), bearer: l.key})
	if !ok {
		return "", 1
	}
	var v struct {
		Verified bool
		Reason   string
	}
	if err := json.Unmarshal(r.Body, &v); err != nil || r.Status != 200 {
		l.t.Errorf("verify %s: %v, %v", id, r, err)
	}
	if v.Verified {
		v.Reason = "verified"
	}
	return v.Reason, r.unclear
}

func (l *load) relay(n int) {
	to, code := rig.Address(n), fmt.Sprintf("%06d", (n*7919)%1000000)
	r, ok := l.f.ask(call{path: "/entra/otp-send", body: rig.Event(to, code, "en"), bearer: l.token,
		final: func(a rig.Answer) bool { return said(a) == notSent || said(a) == unknown }})
	if !ok {
		return
	}
	if r.Status < 500 && r.Status != 200 {
		l.t.Errorf("event to %s: %v", to, r)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.relays = append(l.relays, relay{to, code, said(r.Answer)})
}

// answered are the passcodes that were answered 201 since a moment.
func (l *load) answered(since time.Time) (issued []*issue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range l.issued {
		if i.at.After(since) {
			issued = append(issued, i)
		}
	}
	return issued
}

// by are those that a node answered.
func by(node int, issued []*issue) (its []*issue) {
	for _, i := range issued {
		if i.node == node {
			its = append(its, i)
		}
	}
	return its
}
