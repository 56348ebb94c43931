package load

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Post is where the mail of many runs comes in: it books every message to the run, worker and passcode it is for.
type Post struct {
	mu      sync.Mutex
	ledgers atomic.Pointer[[]*ledger]
	strays  atomic.Int64
}

// Strays is how many messages came that no run of this post asked for, or that held no code.
func (p *Post) Strays() int64 { return p.strays.Load() }

// Receive books one message. It is safe for parallel use and keeps neither slice.
func (p *Post) Receive(to, code []byte) {
	run, worker, n, ok := parseAddress(to)
	ledgers := p.ledgers.Load()
	if !ok || len(code) == 0 || ledgers == nil || run >= len(*ledgers) || worker >= len((*ledgers)[run].boxes) {
		p.strays.Add(1)
		return
	}
	if !(*ledgers)[run].receive(worker, n, code) {
		p.strays.Add(1)
	}
}

// open starts the books of a new run.
func (p *Post) open(workers int) (*ledger, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*ledger
	if known := p.ledgers.Load(); known != nil {
		all = append(all, *known...)
	}
	if len(all) > maxRuns {
		return nil, errors.New("too many runs over one post")
	}
	l := newLedger(len(all), workers)
	all = append(all, l)
	p.ledgers.Store(&all)
	return l, nil
}

// ledger is the books of one run: a box for each worker, so that workers and mail sessions rarely meet.
type ledger struct {
	run   int
	boxes []box
	began time.Time
	// owed counts passcodes that were accepted and have not arrived; settled is poked when it falls to 0.
	owed    atomic.Int64
	settled chan struct{}
	// last is when the latest first arrival was, in nanoseconds since began.
	last atomic.Int64
}

func newLedger(run, workers int) *ledger {
	l := &ledger{run: run, boxes: make([]box, workers), began: time.Now(), settled: make(chan struct{}, 1)}
	for i := range l.boxes {
		l.boxes[i] = newBox()
	}
	return l
}

// lastArrival is when the latest passcode arrived for the first time.
func (l *ledger) lastArrival() time.Time { return l.began.Add(time.Duration(l.last.Load())) }

// owe changes what is owed and pokes whoever waits for the end of it.
func (l *ledger) owe(change int64) {
	if change != 0 && l.owed.Add(change) == 0 {
		select {
		case l.settled <- struct{}{}:
		default:
		}
	}
}

// accepted books that the server took passcode n.
func (l *ledger) accepted(worker, n int) { l.owe(l.boxes[worker].accept(n)) }

// receive books an arrival; false means that the passcode was never asked for.
func (l *ledger) receive(worker, n int, code []byte) bool {
	at := time.Since(l.began)
	change, first, ok := l.boxes[worker].arrive(n, code, at)
	if first {
		for seen := l.last.Load(); int64(at) > seen && !l.last.CompareAndSwap(seen, int64(at)); seen = l.last.Load() {
		}
	}
	l.owe(change)
	return ok
}

// drain waits until nothing is owed any more, or for as long as patience lasts without an arrival.
func (l *ledger) drain(ctx context.Context, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for before := l.owed.Load(); before > 0; {
		select {
		case <-l.settled:
		case <-ctx.Done():
			return
		case <-timer.C:
			if l.owed.Load() >= before {
				return
			}
			timer.Reset(patience)
		}
		before = l.owed.Load()
	}
}
