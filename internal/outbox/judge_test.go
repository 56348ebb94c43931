package outbox

import (
	"testing"
	"time"
)

func fresh(route ...string) Delivery {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return Delivery{ID: "dl_1", Route: route, State: Sending, Lease: "me", Tries: 1, CreatedAt: now, DueAt: now.Add(time.Minute),
		Deadline: now.Add(10 * time.Minute)}
}

func TestJudge(t *testing.T) {
	now := fresh().CreatedAt
	for name, c := range map[string]struct {
		route    []string
		change   func(*Delivery)
		fault    *Fault
		state    State
		step     int
		from, to time.Duration // the next try, from now
	}{
		"no such mailbox":               {[]string{"a", "b"}, nil, Faultf(InvalidRecipient, "550", ""), Failed, 0, 0, 0},
		"down, another provider":        {[]string{"a", "b"}, nil, Faultf(Transient, "421", ""), Sending, 1, time.Minute, time.Minute},
		"down, the only provider":       {[]string{"a"}, nil, Faultf(Transient, "421", ""), Queued, 0, time.Second, 1500 * time.Millisecond},
		"down, the last provider":       {[]string{"a", "b"}, func(d *Delivery) { d.Step = 1 }, Faultf(Transient, "", ""), Queued, 0, time.Second, 1500 * time.Millisecond},
		"down for the fourth time":      {[]string{"a"}, func(d *Delivery) { d.Tries = 4 }, Faultf(Transient, "", ""), Queued, 0, 8 * time.Second, 12 * time.Second},
		"told when to come back":        {[]string{"a"}, nil, &Fault{Class: Throttled, RetryAfter: 40 * time.Second}, Queued, 0, 40 * time.Second, 40 * time.Second},
		"bad credentials":               {[]string{"a"}, nil, Faultf(Account, "535", ""), Queued, 0, 15 * time.Second, 23 * time.Second},
		"content refused":               {[]string{"a"}, nil, Faultf(RejectedContent, "554", ""), Failed, 0, 0, 0},
		"content refused by one":        {[]string{"a", "b"}, nil, Faultf(RejectedContent, "554", ""), Sending, 0, time.Minute, time.Minute},
		"content refused by the last":   {[]string{"a", "b"}, func(d *Delivery) { d.Step = 1 }, Faultf(RejectedContent, "554", ""), Queued, 0, time.Second, 1500 * time.Millisecond},
		"next try after the deadline":   {[]string{"a"}, func(d *Delivery) { d.Deadline = now.Add(time.Second) }, Faultf(Transient, "", ""), Stale, 0, 0, 0},
		"told to come back too late":    {[]string{"a"}, nil, &Fault{Class: Throttled, RetryAfter: time.Hour}, Stale, 0, 0, 0},
		"unsent while a caller waits":   {[]string{"a"}, func(d *Delivery) { d.AnswerBy = now.Add(800 * time.Millisecond) }, Faultf(Transient, "", ""), Failed, 0, 0, 0},
		"unknown while a caller waits":  {[]string{"a"}, func(d *Delivery) { d.AnswerBy = now.Add(800 * time.Millisecond) }, Faultf(Ambiguous, "", ""), Queued, 0, time.Second, 1500 * time.Millisecond},
		"unknown after the caller went": {[]string{"a"}, func(d *Delivery) { d.AnswerBy = now.Add(-time.Second) }, Faultf(Ambiguous, "", ""), Failed, 0, 0, 0},
		"a late failure":                {[]string{"a"}, func(d *Delivery) { d.State = Delivered }, Faultf(Transient, "", ""), Delivered, 0, time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			d := fresh(c.route...)
			if c.change != nil {
				c.change(&d)
			}
			judge(&d, c.fault, now)
			if d.State != c.state || d.Step != c.step {
				t.Fatalf("state %s, step %d; want %s, %d", d.State, d.Step, c.state, c.step)
			}
			if wait := d.DueAt.Sub(now); !d.State.Final() && (wait < c.from || wait > c.to) {
				t.Errorf("next try in %v, want %v to %v", wait, c.from, c.to)
			}
			if d.State.Final() && d.State != Delivered && (d.EndedAt != now || d.Lease != "") {
				t.Errorf("a final row has EndedAt %v and lease %q", d.EndedAt, d.Lease)
			}
			if wantUncertain := c.fault.Class == Ambiguous; d.Uncertain != wantUncertain {
				t.Errorf("uncertain is %v", d.Uncertain)
			}
		})
	}
}

func TestEveryClassIsDecided(t *testing.T) {
	if len(Classes()) != len(classes) {
		t.Errorf("%d classes are listed, %d decided", len(Classes()), len(classes))
	}
	for _, c := range Classes() {
		if _, ok := classes[c]; !ok {
			t.Errorf("%s has no row", c)
		}
	}
}
