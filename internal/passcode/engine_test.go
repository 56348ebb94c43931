package passcode_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/passcode/passcodetest"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
)

// mailbox is a provider that keeps what it is given, and answers as told.
type mailbox struct {
	mu       sync.Mutex
	messages []outbox.Message
	answer   func(n int) error
	took     time.Duration
}

func (m *mailbox) Send(ctx context.Context, id string, message outbox.Message) (string, error) {
	if m.took > 0 {
		select {
		case <-time.After(m.took):
		case <-ctx.Done():
			return "", outbox.Faultf(outbox.Ambiguous, "", "no answer in time")
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.answer != nil {
		if err := m.answer(len(m.messages)); err != nil {
			m.messages = append(m.messages, outbox.Message{})
			return "", err
		}
	}
	m.messages = append(m.messages, message)
	return "ref", nil
}

func (m *mailbox) last(t *testing.T) outbox.Message {
	t.Helper()
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.messages) == 0 {
		t.Fatal("nothing was sent")
	}
	return m.messages[len(m.messages)-1]
}

func (m *mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.messages)
}

// bench is an engine with all that it needs, in the bubble of a synctest.
type bench struct {
	*passcode.Engine
	mail *mailbox
	db   *store.DB
	path string
	// sealer is the key ring.
	sealer *seal.Ring
	// Policies are the engine's, by name.
	Policies map[string]passcode.Policy
}

// policies finds policies in a map.
func policies(m map[string]passcode.Policy) func(passcode.Application, string) (passcode.Policy, bool) {
	return func(_ passcode.Application, name string) (passcode.Policy, bool) {
		if name == "" {
			name = "default"
		}
		p, ok := m[name]
		return p, ok
	}
}

// inBubble runs f with a fresh engine on SQLite, with time that only moves when all wait.
func inBubble(t *testing.T, f func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		mail := &mailbox{}
		r := passcodetest.New(t, passcodetest.Options{Sender: mail, Compose: say})
		b := &bench{Engine: r.Engine, mail: mail, db: r.DB, path: r.Path, sealer: r.Ring,
			Policies: map[string]passcode.Policy{"default": passcode.DefaultPolicy()}}
		b.Policy = policies(b.Policies)
		f(t, b)
	})
}

func say(c passcode.Content) (outbox.Message, error) {
	return outbox.Message{Channel: c.Channel, To: c.To, Subject: c.Code + " is your code", Text: c.Code, Code: c.Code,
		Language: "en", Passcode: c.Passcode}, nil
}

var app = passcode.Application{ID: "app_1", Name: "Shop"}

func request(to string) passcode.Request {
	return passcode.Request{Tenant: "default", Application: app, To: to, Purpose: passcode.SignIn}
}

func (b *bench) issue(t *testing.T, r passcode.Request) (passcode.Ref, string) {
	t.Helper()
	issued, err := b.Issue(t.Context(), r, 0)
	if err != nil {
		t.Fatal(err)
	}
	return passcode.Ref{Tenant: r.Tenant, ID: issued.Challenge.ID}, b.mail.last(t).Code
}

func (b *bench) verify(t *testing.T, ref passcode.Ref, code string) passcode.Verdict {
	t.Helper()
	v, err := b.Verify(t.Context(), ref, code)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func refusal(t *testing.T, err error, want passcode.Reason) *passcode.Refusal {
	t.Helper()
	var r *passcode.Refusal
	if !errors.As(err, &r) || r.Reason != want {
		t.Fatalf("error %v, want a refusal with reason %s", err, want)
	}
	return r
}

// wrong returns a code of the same length that is not code.
func wrong(code string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
}

func TestACodeWorksOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		if len(code) != 6 {
			t.Fatalf("code has %d characters", len(code))
		}
		if v := b.verify(t, ref, wrong(code)); v.Verified || v.Reason != passcode.WrongCode || v.TriesLeft != 4 {
			t.Errorf("wrong code: %+v", v)
		}
		if v := b.verify(t, ref, code); !v.Verified || v.Reason != "" {
			t.Errorf("right code: %+v", v)
		}
		if v := b.verify(t, ref, code); v.Verified || v.Reason != passcode.CodeUsed {
			t.Errorf("the same code again: %+v", v)
		}
	})
}

func TestAdvisory_CVE_2026_20779_ParallelRightCodesOneWins(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		results := make(chan bool)
		for range 64 {
			go func() {
				v, err := b.Verify(context.Background(), ref, code)
				results <- err == nil && v.Verified
			}()
		}
		won := 0
		for range 64 {
			if <-results {
				won++
			}
		}
		if won != 1 {
			t.Errorf("%d of 64 parallel submits won, want 1", won)
		}
	})
}

func TestAdvisory_CVE_2024_1722_ParallelGuessesStayUnderTheCap(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		results := make(chan passcode.Verdict)
		for range 1000 {
			go func() {
				v, err := b.Verify(context.Background(), ref, wrong(code))
				if err != nil {
					t.Error(err)
				}
				results <- v
			}()
		}
		last := 0
		for range 1000 {
			if v := <-results; v.Last {
				last++
			}
		}
		if last != 1 {
			t.Errorf("%d of 1,000 wrong codes were told to be the last, want 1", last)
		}
		line, err := b.Status(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if line.Challenge.Tries != 5 || line.Challenge.State != passcode.Locked {
			t.Errorf("1,000 parallel guesses: %d evaluated, state %s; want 5 and locked", line.Challenge.Tries, line.Challenge.State)
		}
		if v := b.verify(t, ref, code); v.Verified || v.Last || v.Reason != passcode.CodeLocked {
			t.Errorf("the right code after that: %+v", v)
		}
	})
}

func TestAdvisory_AuthQuake_GuessBudgetSurvivesResendsAndSessions(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		policy := passcode.DefaultPolicy()
		policy.Lockout, policy.Tries = 0, 20
		b.Policies["default"] = policy
		b.Limits.Identifier = nil
		evaluated := 0
		for session := range 12 {
			r := request("lea@example.org")
			// However it is written, it is one mailbox; scopes are sessions.
			r.To = []string{"lea@example.org", "LEA@Example.ORG", "lea+x@example.org"}[session%3]
			r.Scope = string(rune('a' + session))
			ref, code := b.issue(t, r)
			for range 3 {
				if v := b.verify(t, ref, wrong(code)); v.Reason == passcode.WrongCode {
					evaluated++
				} else if v.Reason != passcode.Throttled || v.RetryAt.IsZero() {
					t.Fatalf("verdict %+v", v)
				}
			}
			if session > 4 {
				if v := b.verify(t, ref, code); v.Verified {
					t.Fatal("the right code was taken though the guess budget is spent")
				}
			}
		}
		if evaluated != 10 {
			t.Errorf("%d guesses were evaluated in one window, want the budget of 10", evaluated)
		}
		time.Sleep(15 * time.Minute)
		ref, code := b.issue(t, request("lea@example.org"))
		if v := b.verify(t, ref, code); !v.Verified {
			t.Errorf("after the window: %+v", v)
		}
	})
}

func TestAdvisory_CVE_2025_6014_OtherFormsOfAUsedCodeAreTheSameCode(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		fullWidth := strings.Map(func(r rune) rune { return r - '0' + '０' }, code)
		arabic := strings.Map(func(r rune) rune { return r - '0' + '٠' }, code)
		if v := b.verify(t, ref, " "+arabic[:len(arabic)/2]+" "+arabic[len(arabic)/2:]+"\n"); !v.Verified {
			t.Fatalf("the code in Arabic-Indic digits: %+v", v)
		}
		for _, again := range []string{code, " " + code, fullWidth, code[:3] + "-" + code[3:]} {
			if v := b.verify(t, ref, again); v.Verified {
				t.Errorf("a used code was taken again as %q", again)
			}
		}
	})
}

func TestAdvisory_CVE_2025_64708_ExpiryIsJudgedWhenRead(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		time.Sleep(10*time.Minute - time.Millisecond)
		if v := b.verify(t, ref, wrong(code)); v.Reason != passcode.WrongCode {
			t.Errorf("a millisecond before expiry: %+v", v)
		}
		time.Sleep(time.Millisecond)
		if v := b.verify(t, ref, code); v.Verified || v.Reason != passcode.CodeExpired {
			t.Errorf("at expiry: %+v", v)
		}
	})
}

func TestAdvisory_CVE_2023_26481_ACodeIsBoundToTenantPurposeAndIdentifier(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		ask := func(ref passcode.Ref) error { _, err := b.Verify(t.Context(), ref, code); return err }
		refusal(t, ask(passcode.Ref{Tenant: "other", ID: ref.ID}), passcode.NotFound)
		refusal(t, ask(passcode.Ref{Tenant: "default", To: "lea@example.org", Purpose: passcode.MFA}), passcode.NotFound)
		refusal(t, ask(passcode.Ref{Tenant: "default", To: "lea@example.org", Purpose: passcode.SignIn, Scope: "s"}), passcode.NotFound)
		other, _ := b.issue(t, request("ada@example.org"))
		if v := b.verify(t, other, code); v.Verified {
			t.Error("a code of another person was taken")
		}
		if v := b.verify(t, passcode.Ref{Tenant: "default", To: "Lea@EXAMPLE.org", Purpose: passcode.SignIn}, code); !v.Verified {
			t.Errorf("by identifier: %+v", v)
		}
	})
}

// TestWithoutAnIntervalNoResendIsTooSoon has a resend read its clock before the message it follows is written, as two
// callers at the same moment do, and two nodes whose clocks differ.
func TestWithoutAnIntervalNoResendIsTooSoon(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		policy := passcode.DefaultPolicy()
		policy.ResendInterval = 0
		b.Policies["default"] = policy
		ref, _ := b.issue(t, request("lea@example.org"))
		now := b.Now
		b.Now = func() time.Time { return now().Add(-time.Second) }
		if _, err := b.Resend(t.Context(), ref, app, "", 0); err != nil {
			t.Errorf("a resend on a clock that is a second behind: %v", err)
		}
	})
}

func TestAResendKeepsCodeAndTryBudget(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		b.verify(t, ref, wrong(code))
		_, err := b.Resend(t.Context(), ref, app, "", 0)
		if r := refusal(t, err, passcode.TooSoon); !r.RetryAt.Equal(time.Now().UTC().Add(30 * time.Second)) {
			t.Errorf("retry at %v", r.RetryAt)
		}
		for range 3 {
			time.Sleep(30 * time.Second)
			again, err := b.Resend(t.Context(), ref, app, "", 0)
			if err != nil {
				t.Fatal(err)
			}
			if again.Challenge.TriesLeft() != 4 {
				t.Errorf("a resend left %d tries, want 4", again.Challenge.TriesLeft())
			}
			if got := b.mail.last(t).Code; got != code {
				t.Error("a resend sent another code")
			}
		}
		time.Sleep(30 * time.Second)
		_, err = b.Resend(t.Context(), ref, app, "", 0)
		refusal(t, err, passcode.NoResendsLeft)
		if v := b.verify(t, ref, code); !v.Verified {
			t.Errorf("verdict %+v", v)
		}
		_, err = b.Resend(t.Context(), ref, app, "", 0)
		if r := refusal(t, err, passcode.Ended); r.State != passcode.Verified {
			t.Errorf("state %s", r.State)
		}
	})
}

func TestAFreshCodeReplacesTheOldOne(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		policy := passcode.DefaultPolicy()
		policy.FreshCode, policy.Length, policy.Alphabet = true, 12, "A-Z2-9"
		b.Policies["fresh"] = policy
		r := request("lea@example.org")
		r.Policy = "fresh"
		ref, old := b.issue(t, r)
		time.Sleep(time.Minute)
		again, err := b.Resend(t.Context(), ref, app, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		if left := time.Until(again.Challenge.ExpiresAt); left != policy.Lifetime {
			t.Errorf("a fresh code lives %v, want %v", left, policy.Lifetime)
		}
		code := b.mail.last(t).Code
		if v := b.verify(t, ref, old); v.Verified {
			t.Error("the old code was taken after a fresh one was sent")
		}
		if v := b.verify(t, ref, strings.ToLower(code)); !v.Verified {
			t.Errorf("the fresh code in lower case: %+v", v)
		}
	})
}

func TestLimitsHold(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for range 5 {
			b.issue(t, request("lea@example.org"))
		}
		_, err := b.Issue(t.Context(), request("LEA+more@example.org"), 0)
		if r := refusal(t, err, passcode.LimitReached); r.Limit != "identifier" || r.RetryAt.IsZero() {
			t.Errorf("refusal %+v", r)
		}
		b.Limits = passcode.Limits{Network: []passcode.Quota{{Count: 2, Window: time.Minute}}, Address: []passcode.Quota{{Count: 1, Window: time.Minute}}}
		for i, c := range []struct{ ip, limit string }{
			{"203.0.113.1", ""}, {"203.0.113.1", "address"}, {"::ffff:203.0.113.1", "address"}, {"203.0.113.2", ""},
			{"203.0.113.3", "network"}, {"203.0.114.1", ""}, {"2001:db8:0:1::1", ""}, {"2001:db8:0:1::2", "address"},
			{"2001:db8:0:2::1", ""}, {"2001:db8:0:3::1", "network"}, {"2001:db8:1:3::1", ""},
		} {
			r := request(string(rune('a'+i)) + "@example.org")
			r.IP = c.ip
			_, err := b.Issue(t.Context(), r, 0)
			var refused *passcode.Refusal
			if errors.As(err, &refused); (refused == nil) != (c.limit == "") || refused != nil && refused.Limit != c.limit {
				t.Errorf("%s: %v, want limit %q", c.ip, err, c.limit)
			}
		}
	})
}

func TestALockedIdentifierGetsNoNewCode(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		for range 5 {
			b.verify(t, ref, wrong(code))
		}
		_, err := b.Issue(t.Context(), request("lea@example.org"), 0)
		if r := refusal(t, err, passcode.LockedOut); !r.RetryAt.Equal(time.Now().UTC().Add(5 * time.Minute)) {
			t.Errorf("locked until %v, want in five minutes", r.RetryAt)
		}
		b.issue(t, request("ada@example.org"))
		time.Sleep(5 * time.Minute)
		b.issue(t, request("lea@example.org"))
	})
}

func TestBadRequestsAreExplained(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for name, c := range map[string]struct {
			change func(*passcode.Request)
			reason passcode.Reason
			field  string
		}{
			"no recipient":      {func(r *passcode.Request) { r.To = "" }, passcode.InvalidRecipient, "to"},
			"channel of others": {func(r *passcode.Request) { r.Channel = outbox.SMS }, passcode.InvalidRequest, "channel"},
			"unknown purpose":   {func(r *passcode.Request) { r.Purpose = "party" }, passcode.InvalidRequest, "purpose"},
			"unknown policy":    {func(r *passcode.Request) { r.Policy = "none" }, passcode.UnknownPolicy, "policy"},
			"not an IP":         {func(r *passcode.Request) { r.IP = "localhost" }, passcode.InvalidRequest, "ip"},
		} {
			r := request("lea@example.org")
			c.change(&r)
			_, err := b.Issue(t.Context(), r, 0)
			if got := refusal(t, err, c.reason); got.Field != c.field || got.Detail == "" {
				t.Errorf("%s: %+v", name, got)
			}
		}
		b.Route = func(passcode.Destination) passcode.Route { return passcode.Route{} }
		_, err := b.Issue(t.Context(), request("lea@example.org"), 0)
		refusal(t, err, passcode.NoRoute)
	})
}

func TestCancelEndsAChallenge(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		for range 2 {
			c, err := b.Cancel(t.Context(), ref)
			if err != nil || c.State != passcode.Cancelled {
				t.Fatalf("cancel: %s %v", c.State, err)
			}
		}
		if v := b.verify(t, ref, code); v.Verified || v.Reason != passcode.CodeCancelled {
			t.Errorf("verdict %+v", v)
		}
	})
}

func TestAnIdempotencyKeyReturnsTheFirstChallenge(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		r := request("lea@example.org")
		r.IdempotencyKey, r.Fingerprint = "k1", []byte("one")
		first, err := b.Issue(t.Context(), r, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.Issue(t.Context(), r, time.Second)
		if err != nil || !again.Replayed || again.Challenge.ID != first.Challenge.ID || again.Delivery.ID != first.Delivery.ID {
			t.Errorf("again: %+v %v", again, err)
		}
		if b.mail.count() != 1 {
			t.Errorf("%d messages were sent, want 1", b.mail.count())
		}
		r.Fingerprint = []byte("two")
		_, err = b.Issue(t.Context(), r, 0)
		refusal(t, err, passcode.KeyReused)
	})
}

// doubtful is a store whose answer to Issue gets lost after it was carried out.
type doubtful struct{ passcode.Store }

func (d doubtful) Issue(ctx context.Context, i passcode.Issuance) error {
	if err := d.Store.Issue(ctx, i); err != nil {
		return err
	}
	return errors.New("connection lost")
}

func TestAPasscodeWhoseCommitIsInDoubtIsStillSent(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Store = doubtful{b.db}
		var refused *passcode.Refusal
		if _, err := b.Issue(t.Context(), request("lea@example.org"), 0); err == nil || errors.As(err, &refused) {
			t.Fatalf("error %v, want one that is internal", err)
		}
		time.Sleep(10 * time.Second)
		code := b.mail.last(t).Code
		v := b.verify(t, passcode.Ref{Tenant: "default", To: "lea@example.org", Purpose: passcode.SignIn}, code)
		if !v.Verified || b.mail.count() != 1 {
			t.Errorf("%+v after %d sends; the row is there, so its code must come once and work", v, b.mail.count())
		}
	})
}

func TestAWaitThatEndsTooSoonTellsWhatIsKnown(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.mail.answer = func(int) error { return outbox.Faultf(outbox.Transient, "421", "try later") }
		issued, err := b.Issue(t.Context(), request("lea@example.org"), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if d := issued.Delivery; d.State != outbox.Queued || d.Tries < 2 || !d.DueAt.After(time.Now()) {
			t.Errorf("after five seconds the caller is told %s, %d tries", d.State, d.Tries)
		}
	})
}

// same is a source of random bytes that are all the same.
type same byte

func (s same) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s)
	}
	return len(p), nil
}

func TestTheEndsOfTheRangeAreSentAndVerified(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for random, want := range map[same]string{0: "000000", 7: "777777", 249: "999999"} {
			b.Rand = random
			ref, code := b.issue(t, request(want+"@example.org"))
			if code != want {
				t.Fatalf("random bytes of %d made the code %q, want %s", random, code, want)
			}
			if v := b.verify(t, ref, strings.TrimLeft(code, "0")); v.Verified != (code[0] != '0') {
				t.Errorf("%s without its leading zeros: %+v", code, v)
			} else if v := b.verify(t, ref, code); !v.Verified && code[0] == '0' {
				t.Errorf("%s: %+v", code, v)
			}
		}
	})
}
