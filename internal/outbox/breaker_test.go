package outbox_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

func down(context.Context, int) error { return outbox.Faultf(outbox.Transient, "503", "down") }

// breakFirst sends as many messages as it takes to find out that the first provider is down.
func (h *house) breakFirst(t *testing.T, o *outbox.Outbox) {
	t.Helper()
	for range 5 {
		h.accept(t, o, "lea@example.org", "first", "second")
		synctest.Wait()
	}
}

func shared(h *house) func(*outbox.Settings) { return func(s *outbox.Settings) { s.Breakers = h.db } }

func TestAProviderThatIsDownIsPassedOver(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = down
		o, stop := h.process(t, shared(h))
		h.breakFirst(t, o)
		id := h.accept(t, o, "lea@example.org", "first", "second")
		synctest.Wait()
		if d := h.row(t, id); h.first.count(id) != 0 || d.Provider != "second" || d.Tries != 1 {
			t.Errorf("after five failures in a row: %+v, %d tries at the first", d, h.first.count(id))
		}
		// Where there is no other, it is tried all the same.
		alone := h.accept(t, o, "lea@example.org", "first")
		synctest.Wait()
		if h.first.count(alone) != 1 {
			t.Errorf("the only provider was tried %d times", h.first.count(alone))
		}
		stop()
	})
}

func TestOneMessageFindsOutThatAProviderIsUpAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = down
		o, stop := h.process(t, shared(h))
		h.breakFirst(t, o)
		time.Sleep(21 * time.Second)
		probes := 0
		for range 4 {
			id := h.accept(t, o, "lea@example.org", "first", "second")
			synctest.Wait()
			probes += h.first.count(id)
		}
		if probes != 1 {
			t.Errorf("%d messages were tried at a provider that is down, want one", probes)
		}
		time.Sleep(21 * time.Second)
		h.first.do = nil
		for range 2 {
			id := h.accept(t, o, "lea@example.org", "first", "second")
			synctest.Wait()
			if d := h.row(t, id); d.Provider != "first" {
				t.Errorf("up again, and yet: %+v", d)
			}
		}
		stop()
	})
}

func TestNodesShareWhatIsDown(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = down
		one, stopOne := h.process(t, shared(h))
		other, stopOther := h.process(t, shared(h))
		h.breakFirst(t, one)
		time.Sleep(2 * time.Second)
		id := h.accept(t, other, "lea@example.org", "first", "second")
		synctest.Wait()
		if h.first.count(id) != 0 {
			t.Error("the other node tried a provider that is known to be down")
		}
		stopOne()
		stopOther()
	})
}

// What a provider says of one message is no reason to keep others from it.
func TestARefusedMessageOpensNoBreaker(t *testing.T) {
	for _, class := range []outbox.Class{outbox.InvalidRecipient, outbox.Suppressed, outbox.RejectedContent, outbox.GeoBlocked} {
		inBubble(t, func(t *testing.T, h *house) {
			h.first.do = func(context.Context, int) error { return outbox.Faultf(class, "", "") }
			o, stop := h.process(t, shared(h))
			for range 8 {
				id := h.accept(t, o, "lea@example.org", "first", "second")
				synctest.Wait()
				if h.first.count(id) != 1 {
					t.Errorf("%s: the provider was passed over", class)
				}
			}
			stop()
		})
	}
}

func TestRetryAfterKeepsAProviderOut(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(context.Context, int) error {
			return &outbox.Fault{Class: outbox.Throttled, Code: "429", RetryAfter: 90 * time.Second}
		}
		o, stop := h.process(t, shared(h))
		h.accept(t, o, "lea@example.org", "first", "second")
		synctest.Wait()
		time.Sleep(80 * time.Second)
		early := h.accept(t, o, "lea@example.org", "first", "second")
		synctest.Wait()
		time.Sleep(20 * time.Second)
		late := h.accept(t, o, "lea@example.org", "first", "second")
		synctest.Wait()
		if h.first.count(early) != 0 || h.first.count(late) != 1 {
			t.Errorf("tried %d times before its time and %d times after", h.first.count(early), h.first.count(late))
		}
		stop()
	})
}

// A provider that answers too late is no better than one that is down, where there is another. Where there is none, it is
// as good as any.
func TestASilentProviderIsLeftAloneBeforeItsAttemptsEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(context.Context, int) error {
			time.Sleep(10 * time.Second)
			return nil
		}
		o, stop := h.process(t, func(s *outbox.Settings) { s.Breakers, s.Workers = h.db, 8 })
		began := time.Now()
		for range 5 {
			h.accept(t, o, "lea@example.org", "first", "second")
		}
		time.Sleep(4 * time.Second)
		id := h.accept(t, o, "lea@example.org", "first", "second")
		alone := h.accept(t, o, "lea@example.org", "first")
		synctest.Wait()
		if d := h.row(t, id); h.first.count(id) != 0 || d.Provider != "second" {
			t.Errorf("five attempts are silent, and yet: %+v", d)
		}
		time.Sleep(11 * time.Second) // the five were taken in the end, and too late
		later := h.accept(t, o, "lea@example.org", "first", "second")
		synctest.Wait()
		if d := h.row(t, later); d.Provider != "second" {
			t.Errorf("%v after five late answers: %+v", time.Since(began), d)
		}
		if d := h.row(t, alone); d.Provider != "first" || d.Tries != 1 {
			t.Errorf("where there is no other: %+v", d)
		}
		time.Sleep(20 * time.Second)
		h.first.do = nil
		for range 2 {
			id := h.accept(t, o, "lea@example.org", "first", "second")
			synctest.Wait()
			if d := h.row(t, id); d.Provider != "first" {
				t.Errorf("quick again: %+v", d)
			}
		}
		stop()
	})
}

// What a provider had begun to take before it said "too fast" does not say that it wants more.
func TestAnOldSuccessDoesNotBringAProviderBack(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		var asked atomic.Int32
		h.first.do = func(context.Context, int) error {
			if asked.Add(1) == 1 {
				time.Sleep(time.Second)
				return nil
			}
			return &outbox.Fault{Class: outbox.Throttled, Code: "429", RetryAfter: 90 * time.Second}
		}
		o, stop := h.process(t, shared(h))
		for range 2 {
			h.accept(t, o, "lea@example.org", "first", "second")
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		id := h.accept(t, o, "lea@example.org", "first", "second")
		synctest.Wait()
		if d := h.row(t, id); asked.Load() != 2 || d.Provider != "second" || d.Tries != 1 {
			t.Errorf("the provider was asked %d times: %+v", asked.Load(), d)
		}
		stop()
	})
}

// rates gives out a number of messages, and no more until a minute later.
type rates struct{ left int }

func (r *rates) Take(_ context.Context, provider string, now time.Time) (bool, time.Time, error) {
	if provider != "first" {
		return true, time.Time{}, nil
	}
	if r.left > 0 {
		r.left--
		return true, time.Time{}, nil
	}
	return false, now.Add(time.Minute), nil
}

func TestAProviderIsGivenNoMoreThanItsRate(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		o, stop := h.process(t, func(s *outbox.Settings) { s.Rates, s.Breakers = &rates{left: 2}, h.db })
		sent := 0
		for range 5 {
			id := h.accept(t, o, "lea@example.org", "first", "second")
			synctest.Wait()
			sent += h.first.count(id)
			if d := h.row(t, id); d.State != outbox.Accepted {
				t.Errorf("%+v", d)
			}
		}
		if sent != 2 {
			t.Errorf("the provider was given %d messages, want 2", sent)
		}
		stop()
	})
}

// hedged writes a delivery with a hedge and hands it over.
func (h *house) hedged(t *testing.T, o *outbox.Outbox, after time.Duration) string {
	t.Helper()
	d := h.delivery(t, "lea@example.org", "first", "second")
	d.Hedge = after
	if !o.Reserve(&d) {
		t.Fatal("no room")
	}
	h.write(t, d)
	o.HandOver(d)
	return d.ID
}

func TestHedge(t *testing.T) {
	slow := func(d time.Duration, err error) func(context.Context, int) error {
		return func(ctx context.Context, _ int) error {
			select {
			case <-time.After(d):
				return err
			case <-ctx.Done():
				return outbox.Faultf(outbox.Ambiguous, "", "no answer")
			}
		}
	}
	refused := outbox.Faultf(outbox.InvalidRecipient, "550", "no such mailbox")
	failed := outbox.Faultf(outbox.Transient, "503", "down")
	failing := slow(time.Millisecond, failed)
	for name, c := range map[string]struct {
		first, second func(context.Context, int) error
		provider      string
		state         outbox.State
		after         time.Duration // when it is final
		counts        [2]int
		tries         int
		uncertain     bool
	}{
		"quick":                     {nil, nil, "first", outbox.Accepted, 0, [2]int{1, 0}, 1, false},
		"slow":                      {slow(time.Second, nil), nil, "second", outbox.Accepted, 300 * time.Millisecond, [2]int{1, 1}, 2, false},
		"silent":                    {slow(time.Hour, nil), nil, "second", outbox.Accepted, 300 * time.Millisecond, [2]int{1, 1}, 2, true},
		"slow, the other worse":     {slow(time.Second, nil), slow(time.Minute, nil), "first", outbox.Accepted, time.Second, [2]int{1, 1}, 2, true},
		"slow, and refused":         {slow(time.Second, refused), slow(2*time.Second, failed), "", outbox.Failed, 2300 * time.Millisecond, [2]int{1, 1}, 2, false},
		"refused, the other failed": {slow(2*time.Second, refused), failing, "", outbox.Failed, 2 * time.Second, [2]int{1, 1}, 2, false},
		"quick failure":             {slow(time.Millisecond, failed), nil, "second", outbox.Accepted, time.Millisecond, [2]int{1, 1}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *house) {
				h.first.do, h.second.do = c.first, c.second
				o, stop := h.process(t, nil)
				began := time.Now()
				id := h.hedged(t, o, 300*time.Millisecond)
				watch := o.Watch(id)
				d, _ := watch.Wait(t.Context())
				watch.Stop()
				if took := time.Since(began); took != c.after || d.State != c.state || d.Provider != c.provider {
					t.Errorf("after %v: %s by %q", took, d.State, d.Provider)
				}
				time.Sleep(20 * time.Second) // the other one's outcome is recorded too
				synctest.Wait()
				d = h.row(t, id)
				if counts := [2]int{h.first.count(id), h.second.count(id)}; counts != c.counts || d.Tries != c.tries || d.Provider != c.provider ||
					d.State != c.state || d.Uncertain != c.uncertain {
					t.Errorf("tried %v: %+v", counts, d)
				}
				if o.Held() != 0 {
					t.Errorf("%d deliveries are still held", o.Held())
				}
				stop()
			})
		})
	}
}

// slowToClose are breakers whose closing takes a second, as on a busy database.
type slowToClose struct{ outbox.BreakerStore }

func (s slowToClose) CloseBreaker(ctx context.Context, provider string) error {
	time.Sleep(time.Second)
	return s.BreakerStore.CloseBreaker(ctx, provider)
}

// Nobody else is asked once a provider has answered, however long it takes to note what that says of the provider.
func TestNoHedgeAgainstAProviderThatHasAnswered(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = down
		o, stop := h.process(t, func(s *outbox.Settings) { s.Breakers = slowToClose{h.db} })
		h.breakFirst(t, o)
		time.Sleep(21 * time.Second) // it may be tried again
		h.first.do = func(context.Context, int) error {
			time.Sleep(200 * time.Millisecond)
			return nil
		}
		id := h.hedged(t, o, 300*time.Millisecond)
		watch := o.Watch(id)
		d, _ := watch.Wait(t.Context())
		watch.Stop()
		if counts := [2]int{h.first.count(id), h.second.count(id)}; counts != [2]int{1, 0} || d.Provider != "first" {
			t.Errorf("tried %v: %+v", counts, d)
		}
		stop()
	})
}

// A provider that falls silent must not hold up those who carry the messages that another one takes.
func TestWorkersDoNotWaitForAHedgedProvider(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return outbox.Faultf(outbox.Ambiguous, "", "no answer")
		}
		o, stop := h.process(t, nil) // two workers
		began := time.Now()
		var ids []string
		for range 6 {
			ids = append(ids, h.hedged(t, o, 300*time.Millisecond))
		}
		for _, id := range ids {
			watch := o.Watch(id)
			watch.Wait(t.Context())
			watch.Stop()
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("two workers took %v for six messages, want three times the hedge", took)
		}
		stop() // what is still under way is recorded before the process ends
		for _, id := range ids {
			if d := h.row(t, id); d.Provider != "second" || d.Tries != 2 || !d.Uncertain {
				t.Errorf("%+v", d)
			}
		}
		if o.Held() != 0 {
			t.Errorf("%d deliveries are still held", o.Held())
		}
	})
}

// That a process is ended amid its sends says nothing of the providers.
func TestAnEndingProcessOpensNoBreaker(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return outbox.Faultf(outbox.Transient, "", "cancelled")
		}
		o := h.idle(func(s *outbox.Settings) { s.Breakers, s.Workers = h.db, 8 })
		ctx, end := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- o.Run(ctx, ctx) }()
		for range 8 {
			h.accept(t, o, "lea@example.org", "first")
		}
		synctest.Wait()
		end()
		<-done
		if open, err := h.db.Breakers(context.Background()); err != nil || len(open) > 0 {
			t.Errorf("%v, %v", open, err)
		}
	})
}

// A provider that refuses a message for what it is has answered.
func TestARefusalShowsThatAProviderIsUpAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = down
		o, stop := h.process(t, shared(h))
		h.breakFirst(t, o)
		time.Sleep(21 * time.Second)
		h.first.do = func(context.Context, int) error {
			return outbox.Faultf(outbox.InvalidRecipient, "550", "no such mailbox")
		}
		for range 2 {
			id := h.accept(t, o, "lea@example.org", "first", "second")
			synctest.Wait()
			if h.first.count(id) != 1 {
				t.Error("it was passed over")
			}
		}
		stop()
	})
}

func TestAProviderWithNewSettingsIsTriedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = down
		o, stop := h.process(t, shared(h))
		h.breakFirst(t, o)
		h.first.do = nil
		o.Forgive(t.Context(), "first")
		id := h.accept(t, o, "lea@example.org", "first", "second")
		synctest.Wait()
		if d := h.row(t, id); d.Provider != "first" {
			t.Errorf("%+v", d)
		}
		if open, err := h.db.Breakers(t.Context()); err != nil || len(open) != 0 {
			t.Errorf("other nodes still hold it to be down: %v, %v", open, err)
		}
		stop()
	})
}
