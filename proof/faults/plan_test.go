package faults_test

import (
	"sync"
)

// plan decides when a server misbehaves. The zero plan is a well server.
type plan struct {
	mu sync.Mutex
	// armed are the rows of messages by recipient; each is acted out in one try.
	armed map[string]*row
	// batch are the rows that new connections take in turn.
	batch  []*row
	opened int
	// random, when set, chooses for the nth try of a recipient or, with an empty one, for the nth connection.
	random func(to string, n int) *row
	tries  map[string]int
}

// arm makes the first try for a recipient meet a row.
func (p *plan) arm(to string, r *row) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.armed == nil {
		p.armed = map[string]*row{}
	}
	p.armed[to] = r
}

// connections makes every new connection meet a row, each in turn, until it is called without any.
func (p *plan) connections(batch ...*row) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batch, p.opened = batch, 0
}

// chance lets f choose; nil ends that.
func (p *plan) chance(f func(to string, n int) *row) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.random, p.tries = f, map[string]int{}
}

// ofConnection is the row of a new connection, nil for none.
func (p *plan) ofConnection() *row {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.opened
	p.opened++
	switch {
	case len(p.batch) > 0:
		return p.batch[n%len(p.batch)]
	case p.random != nil:
		return p.random("", n)
	}
	return nil
}

// ofMessage is the row of a try for a recipient, nil for none. A row that breaks the connection waits for a new one:
// on a kept connection the sender would begin anew within the same attempt, as it should.
func (p *plan) ofMessage(to string, kept bool) *row {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.random != nil {
		p.tries[to]++
		return p.random(to, p.tries[to])
	}
	r := p.armed[to]
	if r != nil && !(r.breaks && kept) {
		delete(p.armed, to)
	}
	return r
}
