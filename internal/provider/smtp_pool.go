package provider

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// probeAfter is the idle time after which a connection is asked whether it still lives. A server that closed it
	// is noticed anyway; this finds the ones that a firewall forgot, which answer nothing at all.
	probeAfter = 10 * time.Second
	// probeWait bounds that question, as does a third of the time that is left.
	probeWait = 2 * time.Second
)

var (
	errPoolClosed = errors.New("the provider was closed")
	errPoolBusy   = errors.New("all connections are busy")
)

// smtpPool keeps connections and bounds how many are open.
type smtpPool struct {
	dial func(context.Context) (*smtpConn, error)
	idle time.Duration
	// slots holds one token for each connection that may be open in a goroutine's hands.
	slots chan struct{}

	mu     sync.Mutex
	kept   []*smtpConn // the one used last is at the end
	sweep  *time.Timer // nil while nothing is kept
	closed bool
}

func newSMTPPool(dial func(context.Context) (*smtpConn, error), connections int, idle time.Duration) *smtpPool {
	return &smtpPool{dial: dial, idle: idle, slots: make(chan struct{}, connections)}
}

// get takes a kept connection or opens one, and waits for its turn when as many as allowed are in use. Every
// successful get is followed by one put.
func (p *smtpPool) get(ctx context.Context) (*smtpConn, error) {
	select {
	case p.slots <- struct{}{}:
	default:
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, &stepError{"connect", errPoolBusy}
		}
	}
	c, err := p.take(ctx)
	if err != nil {
		<-p.slots
		return nil, err
	}
	return c, nil
}

func (p *smtpPool) take(ctx context.Context) (*smtpConn, error) {
	for {
		c, err := p.pop()
		if err != nil {
			return nil, err
		}
		if c == nil {
			return p.dial(ctx)
		}
		if idle := time.Since(c.idleSince); idle < probeAfter || c.probe(ctx, patience(ctx)) {
			return c, nil
		}
		c.broken = true
		c.quit()
	}
}

// patience leaves time to open a new connection when the kept one turns out dead.
func patience(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return probeWait
	}
	return min(probeWait, time.Until(deadline)/3)
}

func (p *smtpPool) pop() (*smtpConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, &stepError{"connect", errPoolClosed}
	}
	if len(p.kept) == 0 {
		return nil, nil
	}
	c := p.kept[len(p.kept)-1]
	p.kept = p.kept[:len(p.kept)-1]
	return c, nil
}

// renew replaces a connection that died by a new one. On failure it returns the old one, for put.
func (p *smtpPool) renew(ctx context.Context, old *smtpConn) (*smtpConn, error) {
	c, err := p.dial(ctx)
	if err != nil {
		return old, err
	}
	old.quit()
	return c, nil
}

// put gives a connection back: it is kept unless it is broken or the pool is closed.
func (p *smtpPool) put(c *smtpConn) {
	defer func() { <-p.slots }()
	if !c.broken && p.keep(c) {
		return
	}
	c.quit()
}

func (p *smtpPool) keep(c *smtpConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	c.kept, c.idleSince = true, time.Now()
	p.kept = append(p.kept, c)
	if p.sweep == nil {
		p.sweep = time.AfterFunc(p.idle, p.sweepIdle)
	}
	return true
}

// sweepIdle closes what was not used for the idle time, and comes again while anything is kept.
func (p *smtpPool) sweepIdle() {
	p.mu.Lock()
	now := time.Now()
	n := 0
	for n < len(p.kept) && now.Sub(p.kept[n].idleSince) >= p.idle {
		n++
	}
	old := append([]*smtpConn(nil), p.kept[:n]...)
	p.kept = append(p.kept[:0], p.kept[n:]...)
	p.sweep = nil
	if len(p.kept) > 0 {
		p.sweep = time.AfterFunc(p.idle-now.Sub(p.kept[0].idleSince), p.sweepIdle)
	}
	p.mu.Unlock()
	for _, c := range old {
		c.quit()
	}
}

// close closes what is idle and makes every later get fail.
func (p *smtpPool) close() {
	p.mu.Lock()
	old := p.kept
	p.kept, p.closed = nil, true
	if p.sweep != nil {
		p.sweep.Stop()
	}
	p.mu.Unlock()
	for _, c := range old {
		c.quit()
	}
}
