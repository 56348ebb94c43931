package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// tracked is a provider that tells what became of a message to who asks.
type tracked struct {
	provider
	answer func(ctx context.Context, id string, n int) (outbox.Receipt, time.Duration, error)

	mu    sync.Mutex
	began time.Time
	times map[string][]time.Duration
	now   int
	most  int
}

func (p *tracked) Track(ctx context.Context, id, ref string) (outbox.Receipt, time.Duration, error) {
	p.mu.Lock()
	p.times[id] = append(p.times[id], time.Since(p.began))
	n := len(p.times[id])
	p.now++
	p.most = max(p.most, p.now)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.now--
		p.mu.Unlock()
	}()
	if ref != "ref" {
		return outbox.Receipt{}, 0, fmt.Errorf("asked about %q", ref)
	}
	return p.answer(ctx, id, n)
}

// withTracked plays a provider that is asked.
func withTracked(t *testing.T, change func(*outbox.Settings), answer func(ctx context.Context, id string, n int) (outbox.Receipt, time.Duration, error),
	f func(t *testing.T, h *house, p *tracked, o *outbox.Outbox, stop func())) {
	t.Helper()
	inBubble(t, func(t *testing.T, h *house) {
		p := &tracked{answer: answer, began: time.Now(), times: map[string][]time.Duration{}}
		o, stop := h.process(t, func(s *outbox.Settings) {
			s.Senders = outbox.Fixed{"first": p}
			if change != nil {
				change(s)
			}
		})
		f(t, h, p, o, stop)
	})
}

func seconds(all ...int) (times []time.Duration) {
	for _, n := range all {
		times = append(times, time.Duration(n)*time.Second)
	}
	return times
}

func TestAProviderIsAskedUntilItKnows(t *testing.T) {
	waits := []time.Duration{2 * time.Second, time.Millisecond, time.Hour}
	withTracked(t, nil, func(_ context.Context, _ string, n int) (outbox.Receipt, time.Duration, error) {
		switch {
		case n <= len(waits):
			return outbox.Receipt{}, waits[n-1], nil
		case n == 4:
			return outbox.Receipt{}, 3 * time.Second, errors.New("not now")
		case n == 5:
			return outbox.Receipt{}, 0, errors.New("and not for how long")
		case n == 6:
			return outbox.Receipt{Report: outbox.ReportDelayed}, time.Second, nil
		}
		return outbox.Receipt{Report: outbox.ReportBounced, Class: outbox.InvalidRecipient, Code: "5.1.1"}, 0, nil
	}, func(t *testing.T, h *house, p *tracked, o *outbox.Outbox, stop func()) {
		id := h.accept(t, o, "lea@example.org", "first")
		time.Sleep(time.Hour)
		synctest.Wait()
		if want := seconds(1, 3, 4, 34, 37, 43, 44); !slices.Equal(p.times[id], want) {
			t.Errorf("asked at %v, want %v", p.times[id], want)
		}
		if d := h.row(t, id); d.State != outbox.Bounced {
			t.Errorf("it is %s", d.State)
		}
		stop()
	})
}

// A provider that has handed the message over has nothing more to say, and its limit on questions is not spent on it.
func TestAProviderThatKnowsNoMoreIsLeftAlone(t *testing.T) {
	withTracked(t, nil, func(_ context.Context, _ string, n int) (outbox.Receipt, time.Duration, error) {
		if n == 1 {
			return outbox.Receipt{}, 20 * time.Second, nil
		}
		return outbox.Receipt{}, 0, nil
	}, func(t *testing.T, h *house, p *tracked, o *outbox.Outbox, stop func()) {
		id := h.accept(t, o, "lea@example.org", "first")
		time.Sleep(time.Hour)
		if d := h.row(t, id); !slices.Equal(p.times[id], seconds(1, 21)) || d.State != outbox.Accepted {
			t.Errorf("asked at %v, and it is %s", p.times[id], d.State)
		}
		stop()
	})
}

func TestAskingEnds(t *testing.T) {
	withTracked(t, nil, func(context.Context, string, int) (outbox.Receipt, time.Duration, error) {
		return outbox.Receipt{}, time.Hour, nil
	}, func(t *testing.T, h *house, p *tracked, o *outbox.Outbox, stop func()) {
		id := h.accept(t, o, "lea@example.org", "first")
		time.Sleep(time.Hour)
		if times := p.times[id]; len(times) != 30 || times[29] > 15*time.Minute {
			t.Errorf("asked %d times, at last after %v; want it to end five minutes after the code", len(times), times[len(times)-1])
		}
		// A process that ends asks no more, and does not wait for an answer.
		p.answer = func(ctx context.Context, _ string, _ int) (outbox.Receipt, time.Duration, error) {
			<-ctx.Done()
			return outbox.Receipt{}, 0, ctx.Err()
		}
		id = h.accept(t, o, "ada@example.org", "first")
		time.Sleep(2 * time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took != 0 || len(p.times[id]) != 1 {
			t.Errorf("the end took %v; asked %d times", took, len(p.times[id]))
		}
	})
}

func TestOnlySoManyAreAskedAboutAtOnce(t *testing.T) {
	withTracked(t, func(s *outbox.Settings) { s.Workers = 16 }, func(context.Context, string, int) (outbox.Receipt, time.Duration, error) {
		time.Sleep(2 * time.Second)
		return outbox.Receipt{Report: outbox.ReportDelivered}, 0, nil
	}, func(t *testing.T, h *house, p *tracked, o *outbox.Outbox, stop func()) {
		var ids []string
		for i := range 40 {
			ids = append(ids, h.accept(t, o, fmt.Sprintf("u%d@example.org", i), "first"))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if p.most != 8 {
			t.Errorf("%d were asked about at once, want 8", p.most)
		}
		for _, id := range ids {
			if d := h.row(t, id); d.State != outbox.Delivered || len(p.times[id]) != 1 {
				t.Errorf("%s, asked %d times", d.State, len(p.times[id]))
			}
		}
		stop()
	})
}

// deafAtFirst is a store that fails to keep receipts, so many times.
type deafAtFirst struct {
	outbox.Store
	times int
}

func (s *deafAtFirst) Receive(ctx context.Context, provider string, receipts []outbox.Receipt, now time.Time) ([]outbox.Receiving, error) {
	if s.times--; s.times >= 0 {
		return nil, errors.New("the database is away")
	}
	return s.Store.Receive(ctx, provider, receipts, now)
}

func TestAnAnswerThatIsNotKeptIsAskedForAgain(t *testing.T) {
	withTracked(t, func(s *outbox.Settings) { s.Store = &deafAtFirst{s.Store, 2} }, func(context.Context, string, int) (outbox.Receipt, time.Duration, error) {
		return outbox.Receipt{Report: outbox.ReportDelivered}, 0, nil
	}, func(t *testing.T, h *house, p *tracked, o *outbox.Outbox, stop func()) {
		id := h.accept(t, o, "lea@example.org", "first")
		time.Sleep(time.Minute)
		if d := h.row(t, id); d.State != outbox.Delivered || !slices.Equal(p.times[id], seconds(1, 3, 7)) {
			t.Errorf("%s, asked at %v", d.State, p.times[id])
		}
		stop()
	})
}
