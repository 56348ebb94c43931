package passcode_test

import (
	"testing"
	"time"

	"github.com/otpost/otpost/internal/passcode"
)

func TestARequestMayBringItsPolicy(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		r, own := request("lea@example.org"), terms()
		own.Length, own.Lifetime = 9, time.Minute+time.Microsecond
		r.Policy, r.Terms = "no such policy", &own
		issued, err := b.Issue(t.Context(), r, 0)
		if err != nil {
			t.Fatal(err)
		}
		c, want := issued.Challenge, own
		want.Lifetime = time.Minute
		if c.Policy != want || !c.ExpiresAt.Equal(c.CreatedAt.Add(time.Minute)) || len(b.mail.last(t).Code) != 9 {
			t.Errorf("%+v", c)
		}
		line, err := b.Status(t.Context(), passcode.Ref{Tenant: "default", ID: c.ID})
		if err != nil || line.Challenge.Policy != want {
			t.Errorf("kept with %+v, %v", line.Challenge.Policy, err)
		}
		own.Resends = 21 // messages, of which no policy has as many as codes without one
		_, err = b.Issue(t.Context(), r, 0)
		if r := refusal(t, err, passcode.InvalidRequest); r.Field != "policy" {
			t.Errorf("refused for %q", r.Field)
		}
		r.Terms = nil
		_, err = b.Issue(t.Context(), r, 0)
		refusal(t, err, passcode.UnknownPolicy)
	})
}

func TestRequestsAreKeptApart(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Limits = passcode.Limits{Identifier: []passcode.Quota{{Count: 3, Window: time.Hour}}}
		apart := func(to, scope string) passcode.Request {
			r := request(to)
			r.Scope, r.Apart = scope, 30*time.Second
			return r
		}
		soon := func(r passcode.Request, until time.Time) {
			t.Helper()
			_, err := b.Issue(t.Context(), r, 0)
			if got := refusal(t, err, passcode.TooSoon); !got.RetryAt.Equal(until) {
				t.Errorf("too soon until %v, want %v", got.RetryAt, until)
			}
		}
		begun := b.Now()
		b.issue(t, apart("lea@example.org", "one"))
		time.Sleep(30*time.Second - time.Millisecond)
		soon(apart("LEA+x@example.org", "two"), begun.Add(30*time.Second))
		short := apart("lea@example.org", "three") // what it wants is over, what the one before wanted is not
		short.Apart = time.Second
		soon(short, begun.Add(30*time.Second))
		for name, change := range map[string]func(*passcode.Request){
			"purpose": func(r *passcode.Request) { r.Purpose = passcode.MFA },
			"tenant":  func(r *passcode.Request) { r.Tenant = "other" },
			"address": func(r *passcode.Request) { r.To = "ada@example.org" },
		} {
			other := apart("lea@example.org", "one")
			change(&other)
			if _, err := b.Issue(t.Context(), other, 0); err != nil {
				t.Errorf("another %s: %v", name, err)
			}
		}
		time.Sleep(time.Millisecond)
		b.issue(t, apart("lea@example.org", "two"))
		// The refused ones took nothing of the recipient's three; the fourth is refused by that, and begins no interval.
		time.Sleep(30 * time.Second)
		_, err := b.Issue(t.Context(), apart("lea@example.org", "three"), 0)
		refusal(t, err, passcode.LimitReached)
		time.Sleep(time.Hour - time.Minute)
		b.issue(t, apart("lea@example.org", "three"))
		none := request("lea@example.org")
		b.issue(t, none)
	})
}
