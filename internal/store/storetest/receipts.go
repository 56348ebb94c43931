package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// sending issues a passcode whose message is with the sender "a".
func sending(t *testing.T, s Store, to string) passcode.Issuance {
	t.Helper()
	i := issuance(to, now)
	i.Delivery.State, i.Delivery.Lease, i.Delivery.DueAt = outbox.Sending, "a", now.Add(lease)
	must(t, s.Issue(t.Context(), i))
	return i
}

// accepted is one that the provider "first" took under a reference.
func accepted(t *testing.T, s Store, to, ref string) passcode.Issuance {
	t.Helper()
	i := sending(t, s, to)
	a := attempt(i.Delivery, "")
	a.Ref = ref
	_, err := accept(t, s, i.Delivery, a, now)
	must(t, err)
	return i
}

func receive(t *testing.T, s Store, provider string, receipts ...outbox.Receipt) []outbox.Receiving {
	t.Helper()
	became, err := s.Receive(t.Context(), provider, receipts, now.Add(time.Minute))
	must(t, err)
	if len(became) != len(receipts) {
		t.Fatalf("%d receipts became %d", len(receipts), len(became))
	}
	return became
}

func suppressions(t *testing.T, s Store, at time.Time) []outbox.Suppression {
	t.Helper()
	list, err := s.Suppressions(t.Context(), "default", outbox.Email, "", 1000, at)
	must(t, err)
	return list
}

func bounce(event, delivery string) outbox.Receipt {
	return outbox.Receipt{Event: event, Delivery: delivery, Report: outbox.ReportBounced, Class: outbox.InvalidRecipient, At: now}
}

func receiptsMoveADelivery(t *testing.T, s Store) {
	i := accepted(t, s, "lea@example.org", "r1")
	id := i.Delivery.ID
	for n, step := range []struct {
		receipt  outbox.Receipt
		want     outbox.State
		repeated bool
	}{
		{outbox.Receipt{Event: "e1", Ref: "r1", Report: outbox.ReportDelayed, At: now}, outbox.Accepted, false},
		{outbox.Receipt{Event: "e2", Ref: "r1", Report: outbox.ReportDelivered, At: now}, outbox.Delivered, false},
		{outbox.Receipt{Event: "e2", Ref: "r1", Report: outbox.ReportDelivered, At: now}, outbox.Delivered, true},
		{outbox.Receipt{Event: "e3", Delivery: id, Report: outbox.ReportBounced, Class: outbox.Transient, At: now}, outbox.Bounced, false},
		{outbox.Receipt{Event: "e4", Delivery: id, Report: outbox.ReportDelivered, At: now}, outbox.Bounced, false},
	} {
		before := read(t, s, id).State
		got := receive(t, s, "first", step.receipt)[0]
		if got.Delivery.ID != id || got.Delivery.State != step.want || got.Repeated != step.repeated || got.Moved != (before != step.want) {
			t.Errorf("receipt %d: %+v, want %s, repeated %v", n, got, step.want, step.repeated)
		}
		if d := read(t, s, id); d.State != step.want || !d.EndedAt.Equal(now) {
			t.Errorf("receipt %d left %s, ended %v", n, d.State, d.EndedAt)
		}
	}
	line := timeline(t, s, ref(i))
	want := outbox.Reported{Provider: "first", ReceivedAt: now.Add(time.Minute), Receipt: outbox.Receipt{Event: "e1", Ref: "r1",
		Delivery: id, Report: outbox.ReportDelayed, At: now}}
	if len(line.Reports) != 4 || line.Reports[0] != want {
		t.Errorf("the timeline has %+v", line.Reports)
	}
	if list := suppressions(t, s, now); len(list) != 0 {
		t.Errorf("a bounce that passes suppressed %+v", list)
	}
	if _, err := accept(t, s, i.Delivery, attempt(i.Delivery, ""), now); err != nil || read(t, s, id).State != outbox.Bounced {
		t.Errorf("a late acceptance left %s, %v", read(t, s, id).State, err)
	}
	got := receive(t, s, "first", outbox.Receipt{Event: "e5", Ref: "nobody's", Report: outbox.ReportDelivered}, outbox.Receipt{Event: "e6", Report: "opened"})
	if got[0].Delivery.ID != "" || got[1].Delivery.ID != "" || got[1].Repeated {
		t.Errorf("a receipt of nothing: %+v", got)
	}
}

// report is a receipt of a provider.
type report struct {
	provider string
	outbox.Receipt
}

// play gives a delivery its acceptance by "first" and its receipts in the order of script, of which each number is a
// receipt and -1 the acceptance, and returns what is known of it afterwards, without what differs between two of them.
func play(t *testing.T, s Store, name string, receipts []report, script []int, random *rand.Rand) string {
	t.Helper()
	to := name + "@example.org"
	i := sending(t, s, to)
	var batch []outbox.Receipt
	provider := ""
	flush := func() {
		if len(batch) > 0 {
			receive(t, s, provider, batch...)
			batch = nil
		}
	}
	for _, step := range script {
		if step < 0 {
			flush()
			a := attempt(i.Delivery, "")
			a.Ref = name
			_, err := accept(t, s, i.Delivery, a, now)
			must(t, err)
			continue
		}
		r := receipts[step]
		if r.provider != provider {
			flush()
			provider = r.provider
		}
		r.Event += name
		if r.Ref != "" {
			r.Ref = name
		}
		if r.Delivery != "" {
			r.Delivery = i.Delivery.ID
		}
		if batch = append(batch, r.Receipt); random.IntN(3) > 0 {
			flush()
		}
	}
	flush()
	line := timeline(t, s, ref(i))
	d := line.Deliveries[0]
	known := fmt.Sprintf("%s by %s, ref is its own %v, %d tries;", d.State, d.Provider, d.Ref == name || d.Ref == "", d.Tries)
	for _, r := range line.Reports {
		known += fmt.Sprintf(" %s %s %s %s at %v,", r.Event[:2], r.Provider, r.Report, r.Class, r.At)
	}
	for _, one := range suppressions(t, s, now.Add(time.Minute)) {
		if one.Recipient == to {
			known += fmt.Sprintf(" %s since %v until %v", one.Reason, one.At, one.Until)
		}
	}
	return known
}

// receiptsInAnyOrder draws sets of receipts, and plays each in order after the acceptance, and then in orders drawn by
// chance with repeats, with the acceptance anywhere among them.
func receiptsInAnyOrder(t *testing.T, s Store) {
	random := rand.New(rand.NewPCG(5, 6))
	reports := []outbox.Report{outbox.ReportDelivered, outbox.ReportBounced, outbox.ReportBounced, outbox.ReportDelayed, outbox.ReportComplained}
	classes := []outbox.Class{outbox.InvalidRecipient, outbox.Suppressed, outbox.Transient}
	seen := map[string]bool{}
	for set := range 40 {
		receipts := make([]report, 1+random.IntN(5))
		for i := range receipts {
			r := outbox.Receipt{Event: fmt.Sprintf("%02d", i), Report: reports[random.IntN(len(reports))], At: now.Add(time.Duration(random.IntN(3)) * time.Second)}
			if r.Report == outbox.ReportBounced {
				r.Class = classes[random.IntN(len(classes))]
			}
			provider := []string{"first", "first", "second"}[random.IntN(3)]
			if provider == "first" && random.IntN(2) == 0 {
				r.Ref = "by its reference"
			} else { // the second has no attempt on record: its answer was lost
				r.Delivery = "by its id"
			}
			receipts[i] = report{provider, r}
		}
		inOrder := []int{-1}
		for i := range receipts {
			inOrder = append(inOrder, i)
		}
		want := play(t, s, fmt.Sprintf("set%d", set), receipts, inOrder, random)
		for turn := range 4 {
			script := slices.Concat(inOrder, inOrder[1:], inOrder[1:1+random.IntN(len(receipts))])
			random.Shuffle(len(script), func(i, j int) { script[i], script[j] = script[j], script[i] })
			if got := play(t, s, fmt.Sprintf("set%dturn%d", set, turn), receipts, script, random); got != want {
				t.Errorf("%+v\nin the order %v\nbecame %s\nwant   %s", receipts, script, got, want)
			}
		}
		seen[want] = true
	}
	if len(seen) < 30 {
		t.Errorf("the sets became only %d different things", len(seen))
	}
}

func receiptMayComeTooEarly(t *testing.T, s Store) {
	byID, byRef := sending(t, s, "lea@example.org"), sending(t, s, "ada@example.org")
	receive(t, s, "first", bounce("e1", byID.Delivery.ID), outbox.Receipt{Event: "e2", Ref: "r2", Report: outbox.ReportDelivered, At: now})
	if d := read(t, s, byID.Delivery.ID); d.State != outbox.Sending || d.Lease != "a" {
		t.Errorf("a bounce before the acceptance left %+v", d)
	}
	took := []outbox.Acceptance{{Delivery: byID.Delivery, Attempt: attempt(byID.Delivery, "")}, {Delivery: byRef.Delivery, Attempt: attempt(byRef.Delivery, "")}}
	took[1].Attempt.Ref = "r2"
	became, err := s.Accept(t.Context(), took, now)
	must(t, err)
	want := []outbox.Accepting{{State: outbox.Bounced, Tries: 1}, {State: outbox.Delivered, Tries: 1}}
	if !reflect.DeepEqual(became, want) {
		t.Errorf("the acceptances became %+v, want %+v", became, want)
	}
	for n, i := range []passcode.Issuance{byID, byRef} {
		line := timeline(t, s, ref(i))
		if line.Deliveries[0].State != want[n].State || len(line.Reports) != 1 || len(line.Attempts) != 1 {
			t.Errorf("the timeline is %+v", line)
		}
	}
}

func receiptProvesALostAnswer(t *testing.T, s Store) {
	for n, state := range []outbox.State{outbox.Queued, outbox.Stale} {
		i := sending(t, s, fmt.Sprintf("u%d@example.org", n))
		_, err := s.Fail(t.Context(), attempt(i.Delivery, outbox.Ambiguous), "a", to(state, now))
		must(t, err)
		id := i.Delivery.ID
		got := receive(t, s, "first", outbox.Receipt{Event: id, Delivery: id, Ref: "r" + id, Report: outbox.ReportDelivered, At: now})[0]
		if d := read(t, s, id); d.State != outbox.Delivered || d.Provider != "first" || d.Ref != "r"+id || !got.Moved {
			t.Errorf("what was %s is %+v", state, d)
		}
		if _, err := s.Message(t.Context(), id); !errors.Is(err, outbox.ErrNoDelivery) {
			t.Errorf("the body of what was delivered is still there: %v", err)
		}
	}
	if got := claim(t, s, "b", now.Add(time.Minute), 9); len(got) != 0 {
		t.Errorf("%d would be sent again", len(got))
	}
}

func receiptIsBelievedOnItsRoute(t *testing.T, s Store) {
	i := accepted(t, s, "lea@example.org", "r1")
	id := i.Delivery.ID
	if got := receive(t, s, "stranger", bounce("e1", id), outbox.Receipt{Event: "e2", Ref: "r1", Report: outbox.ReportDelivered})[0]; got.Delivery.ID != "" {
		t.Errorf("a stranger moved %+v", got)
	}
	// The second of the route was not the first to take it: what it says is kept, and is not the delivery's state,
	receive(t, s, "second", outbox.Receipt{Event: "e1", Delivery: id, Report: outbox.ReportBounced, Class: outbox.Transient, At: now})
	line := timeline(t, s, ref(i))
	if line.Deliveries[0].State != outbox.Accepted || len(line.Reports) != 1 || line.Reports[0].Provider != "second" {
		t.Errorf("the timeline is %+v", line)
	}
	if list := suppressions(t, s, now); len(list) != 0 {
		t.Errorf("a stranger suppressed %+v", list)
	}
	// unless the message reached its recipient by it.
	receive(t, s, "first", outbox.Receipt{Event: "e3", Delivery: id, Report: outbox.ReportBounced, Class: outbox.Transient, At: now})
	receive(t, s, "second", outbox.Receipt{Event: "e1.2", Delivery: id, Report: outbox.ReportDelivered, At: now})
	if d := read(t, s, id); d.State != outbox.Bounced || d.Provider != "first" {
		t.Errorf("bounced by both it is %s, by %s", d.State, d.Provider)
	}
	j := accepted(t, s, "ada@example.org", "r3").Delivery.ID
	receive(t, s, "first", outbox.Receipt{Event: "e4", Delivery: j, Report: outbox.ReportBounced, Class: outbox.Transient, At: now})
	receive(t, s, "second", outbox.Receipt{Event: "e5", Delivery: j, Report: outbox.ReportDelivered, At: now})
	if d := read(t, s, j); d.State != outbox.Delivered {
		t.Errorf("bounced by one and delivered by the other it is %s", d.State)
	}
}

func receiptsTogetherCountOnce(t *testing.T, s Store) {
	i := accepted(t, s, "lea@example.org", "r1")
	moved := make(chan bool, 16)
	ok := together(16, func(n int) error {
		r := outbox.Receipt{Event: fmt.Sprintf("e%d", n%4), Ref: "r1", Report: outbox.ReportDelivered, At: now}
		became, err := s.Receive(t.Context(), "first", []outbox.Receipt{r, r}, now)
		if err == nil {
			moved <- became[0].Moved || became[1].Moved
		}
		return err
	})
	close(moved)
	times := 0
	for m := range moved {
		if m {
			times++
		}
	}
	if line := timeline(t, s, ref(i)); ok != 16 || times != 1 || len(line.Reports) != 4 || line.Deliveries[0].State != outbox.Delivered {
		t.Errorf("%d of 16 were kept, %d moved the delivery to %s, the timeline has %d", ok, times, line.Deliveries[0].State, len(line.Reports))
	}
}

func suppressedIsRefused(t *testing.T, s Store) {
	i := accepted(t, s, "Lea@example.org", "r1")
	receive(t, s, "first", bounce("e1", i.Delivery.ID))
	until := now.Add(SuppressBounced)
	want := []outbox.Suppression{{Tenant: "default", Channel: outbox.Email, Recipient: "lea@example.org",
		Reason: outbox.NoSuchRecipient, Provider: "first", At: now, Until: until}}
	if list := suppressions(t, s, now); !reflect.DeepEqual(list, want) {
		t.Fatalf("suppressed %+v, want %+v", list, want)
	}
	again := issuance("lea@example.org", now)
	again.Spends = []passcode.Spend{spend("a", 1)}
	relay := relayed(now)
	for name, ask := range map[string]func() error{
		"issue": func() error { return s.Issue(t.Context(), again) },
		"relay": func() error {
			_, _, err := s.Relay(t.Context(), relay, again.Spends, now)
			return err
		},
		"resend": func() error {
			return s.Update(t.Context(), ref(i), now, func(_ *passcode.Challenge, turn passcode.Turn) error {
				c := again.Challenge
				return turn.Reach(&c)
			})
		},
	} {
		var unwanted *passcode.Unwanted
		if err := ask(); !errors.As(err, &unwanted) || unwanted.Reason != outbox.NoSuchRecipient || !unwanted.Until.Equal(until) {
			t.Errorf("%s: %v, want it refused until %v", name, err, until)
		}
	}
	if _, err := s.Timeline(t.Context(), ref(again)); !errors.Is(err, passcode.ErrNoChallenge) {
		t.Errorf("what was refused left a challenge: %v", err)
	}
	must(t, s.Spend(t.Context(), now, spend("a", 1))) // and took nothing
	elsewhere := issuance("lea@example.org", now)
	elsewhere.Challenge.Tenant, elsewhere.Delivery.Tenant = "other", "other"
	must(t, s.Issue(t.Context(), elsewhere))
	issue(t, s, "lea+1@example.org", now) // another address: nobody can close lea's by having mail sent to it
}

func suppressionCanEnd(t *testing.T, s Store) {
	i, j := accepted(t, s, "lea@example.org", "r1"), accepted(t, s, "ada@example.org", "r2")
	complaint := outbox.Receipt{Event: "e2", Ref: "r2", Report: outbox.ReportComplained, At: now}
	receive(t, s, "first", bounce("e1", i.Delivery.ID), complaint)
	end := now.Add(SuppressBounced)
	refused := func(to string, at time.Time) bool {
		var unwanted *passcode.Unwanted
		err := s.Issue(t.Context(), issuance(to, at))
		if err != nil && !errors.As(err, &unwanted) {
			t.Fatal(err)
		}
		return err != nil
	}
	if !refused("lea@example.org", end.Add(-time.Millisecond)) || refused("lea@example.org", end) {
		t.Error("a bounce does not end when it should")
	}
	if !refused("ada@example.org", end.Add(10000*time.Hour)) {
		t.Error("a complaint ended by itself")
	}
	if list := suppressions(t, s, end); len(list) != 1 || list[0].Recipient != "ada@example.org" || !list[0].Until.IsZero() {
		t.Errorf("at the end of the bounce suppressed are %+v", list)
	}
	for _, one := range suppressions(t, s, end.Add(-time.Millisecond)) {
		found, ok, err := s.Suppression(t.Context(), "default", outbox.Email, one.Recipient, end.Add(-time.Millisecond))
		if err != nil || !ok || found != one {
			t.Errorf("found %+v %v %v, listed is %+v", found, ok, err, one)
		}
		_, ok, err = s.Suppression(t.Context(), "default", outbox.Email, one.Recipient, end)
		if err != nil || ok != one.Until.IsZero() {
			t.Errorf("at the end of the bounce %s is suppressed: %v %v", one.Recipient, ok, err)
		}
	}
	for _, elsewhere := range []struct {
		tenant  string
		channel outbox.Channel
	}{{"other", outbox.Email}, {"default", outbox.SMS}} {
		if _, ok, err := s.Suppression(t.Context(), elsewhere.tenant, elsewhere.channel, "ada@example.org", now); err != nil || ok {
			t.Errorf("suppressed for %v: %v %v", elsewhere, ok, err)
		}
	}
	for _, want := range []bool{true, false} {
		if was, err := s.Unsuppress(t.Context(), "default", outbox.Email, "ada@example.org"); err != nil || was != want {
			t.Errorf("removing it: %v %v, want %v", was, err, want)
		}
	}
	receive(t, s, "first", complaint)
	if refused("ada@example.org", now) {
		t.Errorf("a replay suppressed %s anew", j.Challenge.To)
	}
}

func sweepForgetsReceipts(t *testing.T, s Store) {
	i := accepted(t, s, "lea@example.org", "r1")
	known, unknown := bounce("e1", i.Delivery.ID), outbox.Receipt{Event: "e2", Ref: "r2", Report: outbox.ReportDelivered}
	receive(t, s, "first", known, unknown)
	sweep := func(at time.Time, retention time.Duration) {
		t.Helper()
		_, err := s.Sweep(t.Context(), at, retention)
		must(t, err)
	}
	sweep(now.Add(30*time.Minute), 48*time.Hour)
	if got := receive(t, s, "first", known, unknown); !got[0].Repeated || !got[1].Repeated {
		t.Errorf("after half an hour %+v is not known", got)
	}
	sweep(now.Add(2*time.Hour), 48*time.Hour)
	if got := receive(t, s, "first", known, unknown); !got[0].Repeated || got[1].Repeated {
		t.Errorf("after two hours: %+v, want only the receipt of nothing forgotten", got)
	}
	sweep(now.Add(SuppressBounced), 48*time.Hour)
	if got := receive(t, s, "first", known); got[0].Repeated || got[0].Delivery.ID != "" {
		t.Errorf("after the retention time: %+v, want it forgotten", got)
	}
	if list := suppressions(t, s, now); len(list) != 0 {
		t.Errorf("a suppression that is over is still there: %+v", list)
	}
}
