package outbox_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
)

// provider answers as told and counts per delivery.
type provider struct {
	mu    sync.Mutex
	sends map[string]int
	do    func(ctx context.Context, n int) error
	// ref is its reference for whatever it takes, "ref" when empty.
	ref string
}

func (p *provider) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	p.mu.Lock()
	if p.sends == nil {
		p.sends = map[string]int{}
	}
	p.sends[id]++
	n := p.sends[id]
	p.mu.Unlock()
	if p.do != nil {
		if err := p.do(ctx, n); err != nil {
			return "", err
		}
	}
	return cmp.Or(p.ref, "ref"), nil
}

func (p *provider) count(id string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sends[id]
}

type house struct {
	db     *store.DB
	first  *provider
	second *provider
}

func inBubble(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "otpost.db")
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(t.Context(), "sqlite:"+path, ring, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		f(t, &house{db: db, first: &provider{}, second: &provider{}})
		db.Close()
	})
}

// process starts an outbox and returns it with a function that ends it in good order.
func (h *house) process(t *testing.T, change func(*outbox.Settings)) (*outbox.Outbox, func()) {
	o := h.idle(change)
	return o, run(t, o)
}

// idle is an outbox that does not run yet.
func (h *house) idle(change func(*outbox.Settings)) *outbox.Outbox {
	s := outbox.Settings{Store: h.db, Senders: outbox.Fixed{"first": h.first, "second": h.second}, Workers: 2}
	if change != nil {
		change(&s)
	}
	return outbox.New(s)
}

// run runs an outbox, and returns what ends it in good order.
func run(t *testing.T, o *outbox.Outbox) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx, context.Background()) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("outbox: %v", err)
		}
	}
}

// accept writes a passcode with its delivery and hands it over, as the engine does. A nil outbox only writes the rows.
func (h *house) accept(t *testing.T, o *outbox.Outbox, to string, route ...string) string {
	t.Helper()
	d := h.delivery(t, to, route...)
	reserved := o != nil && o.Reserve(&d)
	h.write(t, d)
	if reserved {
		o.HandOver(d)
	}
	return d.ID
}

// delivery makes a delivery of a passcode.
func (h *house) delivery(t *testing.T, to string, route ...string) outbox.Delivery {
	t.Helper()
	now := time.Now()
	return outbox.Delivery{ID: outbox.NewID("dl", now), Tenant: "default", Challenge: outbox.NewID("pc", now), Channel: outbox.Email, To: to,
		Route: route, State: outbox.Queued, CreatedAt: now, DueAt: now, Deadline: now.Add(10 * time.Minute),
		Message: &outbox.Message{Channel: outbox.Email, To: to, Text: "482913", Code: "482913"}}
}

// write writes a delivery with its passcode.
func (h *house) write(t *testing.T, d outbox.Delivery) {
	t.Helper()
	c := passcode.Challenge{ID: d.Challenge, Tenant: "default", Channel: outbox.Email, To: d.To, Identifier: d.To,
		Mailbox: d.To, Purpose: passcode.Verify, State: passcode.Pending, CodeHash: []byte("h"), Policy: passcode.DefaultPolicy(),
		CreatedAt: d.CreatedAt, SentAt: d.CreatedAt, ExpiresAt: d.Deadline}
	if err := h.db.Issue(t.Context(), passcode.Issuance{Challenge: c, Delivery: d, Now: d.CreatedAt}); err != nil {
		t.Fatal(err)
	}
}

// relay writes a delivery whose caller waits for so long, and hands it over.
func (h *house) relay(t *testing.T, o *outbox.Outbox, to string, wait time.Duration) string {
	t.Helper()
	now := time.Now()
	d := outbox.Delivery{ID: outbox.NewID("dl", now), Tenant: "default", Channel: outbox.Email, To: to, Route: []string{"first"},
		State: outbox.Queued, CreatedAt: now, DueAt: now, Deadline: now.Add(10 * time.Minute), AnswerBy: now.Add(wait),
		Dedup: []byte(to), Message: &outbox.Message{Channel: outbox.Email, To: to, Text: "482913", Code: "482913"}}
	if !o.Reserve(&d) {
		t.Fatal("there is no room")
	}
	if _, _, err := h.db.Relay(t.Context(), d, nil, now); err != nil {
		t.Fatal(err)
	}
	o.HandOver(d)
	return d.ID
}

func (h *house) row(t *testing.T, id string) outbox.Delivery {
	t.Helper()
	d, err := h.db.Delivery(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSentAtOnceWithoutAPoll(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		o, stop := h.process(t, func(s *outbox.Settings) { s.Poll = time.Hour })
		synctest.Wait()
		began := time.Now()
		id := h.accept(t, o, "lea@example.org", "first")
		synctest.Wait()
		if d := h.row(t, id); d.State != outbox.Accepted || d.Provider != "first" || d.Tries != 1 || time.Since(began) != 0 {
			t.Errorf("%+v after %v", d, time.Since(began))
		}
		stop()
	})
}

// A mail server may answer "250 OK 482913 is your code".
func TestAReferenceThatIsTheCodeIsNotKept(t *testing.T) {
	for ref, want := range map[string]string{"482913": "", "id 482913-1": "", "4829-13": "4829-13", "ref": "ref"} {
		inBubble(t, func(t *testing.T, h *house) {
			h.first.ref = ref
			o, stop := h.process(t, nil)
			id := h.accept(t, o, "lea@example.org", "first")
			synctest.Wait()
			d := h.row(t, id)
			line, err := h.db.Timeline(t.Context(), passcode.Ref{Tenant: d.Tenant, ID: d.Challenge})
			if err != nil || d.State != outbox.Accepted || d.Ref != want || line.Attempts[0].Ref != want {
				t.Errorf("%q: %+v, %+v, %v", ref, d, line.Attempts, err)
			}
			stop()
		})
	}
}

func TestFailsOverWithinTheCall(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(context.Context, int) error { return outbox.Faultf(outbox.Account, "535", "bad credentials") }
		o, stop := h.process(t, nil)
		id := h.accept(t, o, "lea@example.org", "first", "second")
		synctest.Wait()
		if d := h.row(t, id); d.State != outbox.Accepted || d.Provider != "second" || d.Tries != 2 {
			t.Errorf("%+v", d)
		}
		stop()
	})
}

func TestRetriesUntilTheProviderIsBack(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(_ context.Context, n int) error {
			if n < 4 {
				return outbox.Faultf(outbox.Transient, "421", "try later")
			}
			return nil
		}
		o, stop := h.process(t, nil)
		id := h.accept(t, o, "lea@example.org", "first")
		time.Sleep(20 * time.Second) // 1+2+4 s and up to half as much again
		synctest.Wait()
		if d := h.row(t, id); d.State != outbox.Accepted || d.Tries != 4 {
			t.Errorf("%+v", d)
		}
		stop()
	})
}

func TestNeverSentAfterExpiry(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		var last time.Time
		h.first.do = func(context.Context, int) error {
			last = time.Now()
			return outbox.Faultf(outbox.Transient, "421", "try later")
		}
		o, stop := h.process(t, func(s *outbox.Settings) { s.Workers = 1 })
		id := h.accept(t, o, "lea@example.org", "first")
		time.Sleep(time.Hour)
		synctest.Wait()
		d := h.row(t, id)
		if d.State != outbox.Stale || d.Tries < 10 || !last.Before(d.Deadline) {
			t.Errorf("%s after %d tries, the last %v before its deadline", d.State, d.Tries, d.Deadline.Sub(last))
		}
		stop()
	})
}

func TestAnyProcessTakesUpWhatADeadOneHeld(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		dead := outbox.New(outbox.Settings{Store: h.db}) // holds rows and never runs
		var ids []string
		for i := range 100 {
			ids = append(ids, h.accept(t, dead, fmt.Sprintf("u%d@example.org", i), "first"))
		}
		_, stop := h.process(t, nil)
		time.Sleep(29 * time.Second)
		if n := h.first.count(ids[0]); n != 0 {
			t.Fatal("taken up while the lease stood")
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		for _, id := range ids {
			if d := h.row(t, id); d.State != outbox.Accepted || h.first.count(id) != 1 {
				t.Fatalf("%+v after %d sends", d, h.first.count(id))
			}
		}
		stop()
	})
}

func TestAProcessThatSleptDoesNotSendWhatOthersTookUp(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		var behind time.Duration // this process's clock stands still while it sleeps
		sleeper := outbox.New(outbox.Settings{Store: h.db, Senders: outbox.Fixed{"first": h.first},
			Now: func() time.Time { return time.Now().Add(-behind) }})
		id := h.accept(t, sleeper, "lea@example.org", "first")
		_, stop := h.process(t, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		ctx, end := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- sleeper.Run(ctx, context.Background()) }()
		synctest.Wait()
		if n := h.first.count(id); n != 1 {
			t.Errorf("sent %d times, want once", n)
		}
		end()
		<-done
		stop()
	})
}

func TestStopFinishesOrGivesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(ctx context.Context, _ int) error {
			select {
			case <-time.After(2 * time.Second):
				return nil
			case <-ctx.Done():
				return outbox.Faultf(outbox.Ambiguous, "", "cut off")
			}
		}
		o, stop := h.process(t, nil)
		var ids []string
		for i := range 10 {
			ids = append(ids, h.accept(t, o, fmt.Sprintf("u%d@example.org", i), "first"))
		}
		synctest.Wait() // two are being sent
		stop()
		states := map[outbox.State]int{}
		for _, id := range ids {
			d := h.row(t, id)
			states[d.State]++
			if d.Lease != "" || d.Uncertain {
				t.Errorf("after a stop in good order: %+v", d)
			}
		}
		if states[outbox.Accepted] != 2 || states[outbox.Queued] != 8 {
			t.Errorf("states %v, want 2 accepted and 8 queued", states)
		}
		var late outbox.Delivery
		if o.Reserve(&late) {
			t.Error("a stopped outbox takes in more")
		}
	})
}

func TestWhatHasNoRoomWaitsInTheStore(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		o, stop := h.process(t, func(s *outbox.Settings) { s.Capacity = 3 })
		var ids []string
		for i := range 50 {
			ids = append(ids, h.accept(t, o, fmt.Sprintf("u%d@example.org", i), "first"))
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		for _, id := range ids {
			if d := h.row(t, id); d.State != outbox.Accepted {
				t.Fatalf("%+v", d)
			}
		}
		if o.Held() != 0 {
			t.Errorf("holds %d deliveries after all were sent", o.Held())
		}
		stop()
	})
}

func TestAHangingProviderIsCutOffAndTheAnswerCountsAsLost(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(ctx context.Context, n int) error {
			if n > 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err() // not a Fault: proves nothing
		}
		o, stop := h.process(t, nil)
		id := h.accept(t, o, "lea@example.org", "first")
		time.Sleep(time.Minute)
		synctest.Wait()
		if d := h.row(t, id); d.State != outbox.Accepted || !d.Uncertain || d.Tries != 2 {
			t.Errorf("%+v", d)
		}
		stop()
	})
}

func TestAProcessDoesNotClaimItsOwnBacklog(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(ctx context.Context, _ int) error { time.Sleep(time.Second); return nil }
		o, stop := h.process(t, func(s *outbox.Settings) { s.Workers, s.Lease, s.AttemptTimeout = 1, 5*time.Second, 2*time.Second })
		var ids []string
		for i := range 30 { // half a minute's work, six times the lease
			ids = append(ids, h.accept(t, o, fmt.Sprintf("u%d@example.org", i), "first"))
		}
		time.Sleep(time.Minute)
		for _, id := range ids {
			if d := h.row(t, id); d.State != outbox.Accepted || h.first.count(id) != 1 || d.Uncertain {
				t.Fatalf("%+v after %d sends", d, h.first.count(id))
			}
		}
		stop()
	})
}

// TestALeaseOutlivesTheRecordToo begins a try whose lease would last for the try and hardly longer.
func TestALeaseOutlivesTheRecordToo(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(context.Context, int) error { time.Sleep(700 * time.Millisecond); return nil }
		o, stop := h.process(t, func(s *outbox.Settings) { s.Workers, s.Lease, s.AttemptTimeout = 1, 5*time.Second, 4*time.Second })
		h.accept(t, o, "tim@example.org", "first")
		synctest.Wait()
		id := h.accept(t, o, "lea@example.org", "first")
		time.Sleep(800 * time.Millisecond) // the worker has begun with it, 4.3 s before its lease lapses
		synctest.Wait()
		if d := h.row(t, id); d.State != outbox.Sending || time.Until(d.DueAt) < 4500*time.Millisecond {
			t.Errorf("%+v, %v before its lease lapses: a record that is slow by 0.3 s lets another process send it again", d, time.Until(d.DueAt))
		}
		time.Sleep(time.Minute)
		stop()
	})
}

// slowToSettle is a store that takes its time to end a caller's wait.
type slowToSettle struct {
	outbox.Store
	takes time.Duration
}

func (s *slowToSettle) Settle(ctx context.Context, id string, decide func(*outbox.Delivery)) (outbox.Delivery, error) {
	time.Sleep(s.takes)
	return s.Store.Settle(ctx, id, decide)
}

// TestWhatACallerWasPromisedIsNotWithdrawn settles a delivery that was handed over to otpost before, while it waits for
// a worker, and while the worker meets the withdrawal.
func TestWhatACallerWasPromisedIsNotWithdrawn(t *testing.T) {
	for name, takes := range map[string]time.Duration{"at once": 0, "after a worker came by": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *house) {
				h.first.do = func(context.Context, int) error { time.Sleep(time.Second); return nil }
				o, stop := h.process(t, func(s *outbox.Settings) {
					s.Workers, s.Store = 1, &slowToSettle{Store: h.db, takes: takes}
				})
				busy := h.accept(t, o, "tim@example.org", "first")
				synctest.Wait()
				id := h.accept(t, o, "lea@example.org", "first")
				if d, err := o.Settle(t.Context(), id, true); err != nil || d.State == outbox.Failed {
					t.Errorf("settled as %+v, %v", d, err)
				}
				time.Sleep(time.Minute + 100*time.Millisecond) // not when the store is asked for what is due, which takes places
				synctest.Wait()
				for _, id := range []string{busy, id} {
					if d := h.row(t, id); d.State != outbox.Accepted || h.first.count(id) != 1 {
						t.Errorf("%+v after %d sends, want it sent once", d, h.first.count(id))
					}
				}
				if o.Held() != 0 {
					t.Errorf("%d places are still taken", o.Held())
				}
				stop()
			})
		})
	}
}

// brokenAtSettle is a store that decides a settlement and then cannot commit it.
type brokenAtSettle struct{ outbox.Store }

func (s brokenAtSettle) Settle(ctx context.Context, id string, decide func(*outbox.Delivery)) (d outbox.Delivery, err error) {
	if d, err = s.Delivery(ctx, id); err == nil {
		decide(&d)
		err = errors.New("disk is full")
	}
	return d, err
}

// TestASettlementThatIsNotOnDiskLeavesNoRowBehind withdraws a delivery that waits for a worker, and loses that.
func TestASettlementThatIsNotOnDiskLeavesNoRowBehind(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.do = func(context.Context, int) error { time.Sleep(2 * time.Second); return nil }
		o, stop := h.process(t, func(s *outbox.Settings) { s.Workers, s.Store = 1, brokenAtSettle{h.db} })
		h.accept(t, o, "tim@example.org", "first")
		synctest.Wait()
		id := h.relay(t, o, "lea@example.org", time.Second)
		time.Sleep(time.Second)
		if _, err := o.Settle(t.Context(), id, true); err == nil {
			t.Fatal("a settlement that was not written was reported as one")
		}
		time.Sleep(5*time.Second + 100*time.Millisecond)
		synctest.Wait()
		if d := h.row(t, id); d.State != outbox.Failed || h.first.count(id) != 0 || o.Held() != 0 {
			t.Errorf("%+v after %d sends, with %d held; want it ended, since its caller was not told that it was sent", d, h.first.count(id), o.Held())
		}
		stop()
	})
}

// stubborn is a store whose Accept fails at first.
type stubborn struct {
	outbox.Store
	mu    sync.Mutex
	fails int
}

func (s *stubborn) Accept(ctx context.Context, took []outbox.Acceptance, now time.Time) ([]outbox.Accepting, error) {
	s.mu.Lock()
	s.fails--
	failing := s.fails >= 0
	s.mu.Unlock()
	if failing {
		return nil, errors.New("disk is busy")
	}
	return s.Store.Accept(ctx, took, now)
}

func TestAnOutcomeIsKeptThoughTheStoreFailsAtFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		o, stop := h.process(t, func(s *outbox.Settings) { s.Store = &stubborn{Store: h.db, fails: 3} })
		id := h.accept(t, o, "lea@example.org", "first")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if d := h.row(t, id); d.State != outbox.Accepted || h.first.count(id) != 1 {
			t.Errorf("%+v after %d sends", d, h.first.count(id))
		}
		stop()
	})
}

func TestWhatAProviderSaysFitsEveryStore(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		h.first.ref = "queued\x00as\xff" + strings.Repeat("\u00e9", 150)
		o, stop := h.process(t, nil)
		id := h.accept(t, o, "lea@example.org", "first")
		synctest.Wait()
		if d := h.row(t, id); !strings.HasPrefix(d.Ref, "queuedas\u00e9") || !utf8.ValidString(d.Ref) || len(d.Ref) > 200 {
			t.Errorf("kept %q, want it without what PostgreSQL would refuse", d.Ref)
		}
		stop()
	})
}

// relayed writes a delivery whose caller waits for a second, held by o and waiting for its worker.
func (h *house) relayed(t *testing.T, o *outbox.Outbox) outbox.Delivery {
	t.Helper()
	now := time.Now()
	d := outbox.Delivery{ID: outbox.NewID("dl", now), Tenant: "default", Channel: outbox.Email, To: "lea@example.org",
		Route: []string{"first"}, State: outbox.Queued, CreatedAt: now, DueAt: now, Deadline: now.Add(30 * time.Minute),
		AnswerBy: now.Add(time.Second), Dedup: []byte("one event"),
		Message: &outbox.Message{Channel: outbox.Email, To: "lea@example.org", Text: "482913", Code: "482913"}}
	o.Reserve(&d)
	if _, _, err := h.db.Relay(t.Context(), d, nil, now); err != nil {
		t.Fatal(err)
	}
	o.HandOver(d)
	return d
}

// busy starts a process with one worker, which is held up until the provider is let go.
func (h *house) busy(t *testing.T) (o *outbox.Outbox, letGo, stop func()) {
	t.Helper()
	held := make(chan struct{})
	h.first.do = func(ctx context.Context, _ int) error { <-held; return nil }
	o, stop = h.process(t, func(s *outbox.Settings) { s.Workers = 1 })
	h.accept(t, o, "kim@example.org", "first")
	synctest.Wait()
	return o, func() { close(held) }, stop
}

// TestWhatWasHandedOverIsSent lets the caller of one process be told that a delivery will be sent, which waits in
// another, before the caller of that one gives up.
func TestWhatWasHandedOverIsSent(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		o, letGo, stop := h.busy(t)
		d := h.relayed(t, o)
		other := outbox.New(outbox.Settings{Store: h.db, Capacity: outbox.CarryNothing})
		for i, settle := range []*outbox.Outbox{other, o, o} {
			after, err := settle.Settle(t.Context(), d.ID, true)
			if err != nil || after.State != outbox.Sending || !after.AnswerBy.IsZero() {
				t.Errorf("settled %d times: got %s, answer by %v, %v; want it handed over", i+1, after.State, after.AnswerBy, err)
			}
		}
		letGo()
		synctest.Wait()
		if got := h.row(t, d.ID).State; got != outbox.Accepted || h.first.count(d.ID) != 1 {
			t.Errorf("the delivery is %s and was sent %d times, want accepted, once", got, h.first.count(d.ID))
		}
		stop()
	})
}

// TestWhatAnotherTookUpIsNotProvedUnsent lets a process that never began to send give up a delivery, which another took
// up when its lease had lapsed.
func TestWhatAnotherTookUpIsNotProvedUnsent(t *testing.T) {
	inBubble(t, func(t *testing.T, h *house) {
		o, letGo, stop := h.busy(t)
		d := h.relayed(t, o)
		time.Sleep(o.Lease)
		other := h.idle(nil) // once it runs, it claims what is due
		again, now := d, time.Now()
		again.AnswerBy = now.Add(time.Second)
		other.Reserve(&again)
		joined, tookUp, err := h.db.Relay(t.Context(), again, nil, now)
		if err != nil || !tookUp {
			t.Fatalf("took up %v, %v, want the other to hold it", tookUp, err)
		}
		stopOther := run(t, other)
		if err := other.TakeUp(t.Context(), *joined); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if after, err := o.Settle(t.Context(), d.ID, true); err != nil || after.State != outbox.Sending {
			t.Errorf("got %s, %v, want it left to the one that sends it", after.State, err)
		}
		letGo()
		synctest.Wait()
		stop()
		stopOther()
	})
}
