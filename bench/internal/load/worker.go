package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/otpost/otpost/bench/internal/wire"
)

// grace is how long an answer may take, beside the plan's patience, before the connection is given up.
const grace = 30 * time.Second

// worker runs cycles one after the other on one connection.
type worker struct {
	ctx      context.Context
	target   Target
	plan     Plan
	ledger   *ledger
	box      *box
	number   int
	requests *requests
	patience *time.Timer

	stream net.Conn
	conn   *wire.Conn
	// unhook takes the stream's hook off the context.
	unhook func() bool
	// renewAt is when the stream's deadline is moved on, so that this costs nothing for most cycles.
	renewAt time.Time

	cycles    int64
	latencies Latencies
	troubles  map[string]int64
	id        []byte
}

func newWorker(ctx context.Context, target Target, plan Plan, l *ledger, number int) *worker {
	w := &worker{ctx: ctx, target: target, plan: plan, ledger: l, box: &l.boxes[number], number: number,
		requests: newRequests(target, l.run, number), patience: time.NewTimer(time.Hour),
		latencies: NewLatencies(), troubles: map[string]int64{}}
	w.patience.Stop()
	return w
}

func (w *worker) connect() error {
	stream, err := (&net.Dialer{Timeout: w.plan.Patience + 2*grace}).DialContext(w.ctx, "tcp", w.target.addr(w.number))
	if err != nil {
		return err
	}
	w.stream, w.conn = stream, wire.New(stream)
	w.renew(time.Now())
	w.unhook = context.AfterFunc(w.ctx, func() { stream.Close() })
	return nil
}

func (w *worker) disconnect() {
	w.unhook()
	w.stream.Close()
}

// renew gives the server patience and grace from now on.
func (w *worker) renew(now time.Time) {
	w.stream.SetDeadline(now.Add(w.plan.Patience + 2*grace))
	w.renewAt = now.Add(grace)
}

// work runs cycles until the run is over or the server cannot be reached.
func (w *worker) work(p *pace, cycle func(*worker, time.Time) error) {
	for {
		due, ok := p.take(w.ctx)
		if !ok {
			return
		}
		err := cycle(w, due)
		now := time.Now()
		if err == nil {
			w.latencies[Cycle].Record(now.Sub(due))
			w.cycles++
		} else if w.ctx.Err() == nil {
			w.troubles[err.Error()]++
		}
		if now.After(w.renewAt) {
			w.renew(now)
		}
		if w.conn.Reusable() && !errors.Is(err, errConnection) {
			continue
		}
		w.disconnect()
		if err := w.connect(); err != nil {
			w.troubles["connect: "+cause(err)]++
			return
		}
	}
}

// errConnection is wrapped by errors after which the connection is of no more use.
var errConnection = errors.New("connection")

func (w *worker) do(request []byte) (wire.Answer, error) {
	answer, err := w.conn.Do(request)
	if err != nil {
		return wire.Answer{}, fmt.Errorf("%w: %s", errConnection, cause(err))
	}
	return answer, nil
}

// cause is what is at the bottom of a network error, without the ports that make every one different.
func cause(err error) string {
	var number syscall.Errno
	switch {
	case errors.As(err, &number):
		return number.Error()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed by the server"
	case errors.Is(err, wire.ErrMalformed):
		return err.Error()
	}
	return "failed"
}
