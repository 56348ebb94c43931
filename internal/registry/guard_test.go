package registry_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
)

// desk is a registry on a real store, with a clock that is set.
type desk struct {
	*registry.Registry
	db  *store.DB
	now time.Time
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "otpost.db"), ring, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := &desk{db: db, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	d.Registry, err = registry.Open(t.Context(), registry.Settings{Store: db, Tenant: "default",
		Rules: registry.Rules{Policy: passcode.DefaultPolicy()}, Environment: provider.Environment{},
		Now: func() time.Time { return d.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func (d *desk) guard(t *testing.T, body string) {
	t.Helper()
	if _, err := d.Apply(t.Context(), "test", []registry.Change{{Kind: registry.GuardKind, Name: "sms", Body: []byte(body)}}); err != nil {
		t.Fatal(err)
	}
}

// ask asks the guard about a text to a number and spends what it says.
func (d *desk) ask(t *testing.T, to, text string) error {
	t.Helper()
	spends, err := d.Guard(passcode.Destination{Tenant: "default", Channel: outbox.SMS, To: to}, &outbox.Message{Text: text})
	if err != nil || len(spends) == 0 {
		return err
	}
	return d.db.Spend(t.Context(), d.now, spends...)
}

func refusedFor(err error) passcode.Reason {
	var r *passcode.Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}

func exhausted(err error) string {
	var e *passcode.Exhausted
	if errors.As(err, &e) {
		return e.Name
	}
	return ""
}

func TestGuardLetsMessagesOnlyWhereTheyMayGo(t *testing.T) {
	d := newDesk(t)
	d.guard(t, `{"countries":["FR","DE"],"deny_prefixes":["+33700"]}`)
	for to, want := range map[string]passcode.Reason{
		"+33612345678": "", "+4915123456789": "", "+12025550123": passcode.DestinationRefused, "+33700123456": passcode.DestinationRefused,
		"+8821612345678": passcode.DestinationRefused, // a satellite network is no country
	} {
		if got := refusedFor(d.ask(t, to, "x")); got != want {
			t.Errorf("%s: got %q, want %q", to, got, want)
		}
	}
	spends, err := d.Guard(passcode.Destination{Channel: outbox.Email, To: "lea@example.org"}, &outbox.Message{})
	if err != nil || spends != nil {
		t.Errorf("mail is guarded: %v, %v", spends, err)
	}
}

func TestGuardVelocity(t *testing.T) {
	d := newDesk(t)
	d.guard(t, `{"velocity":[{"digits":5,"messages":3,"per":"10m"}]}`)
	for i := range 3 {
		if err := d.ask(t, fmt.Sprintf("+3361234567%d", i), "x"); err != nil {
			t.Fatal(err)
		}
	}
	if got := exhausted(d.ask(t, "+33612999999", "x")); got != "prefix" {
		t.Errorf("the fourth number of the prefix: %q", got)
	}
	if err := d.ask(t, "+33712345678", "x"); err != nil {
		t.Errorf("another prefix: %v", err)
	}
	d.now = d.now.Add(11 * time.Minute)
	if err := d.ask(t, "+33612999999", "x"); err != nil {
		t.Errorf("after the window: %v", err)
	}
}

// A budget is never exceeded, whoever asks at the same time, and a long text costs what its segments cost.
func TestGuardBudgetStopsBeforeItIsExceeded(t *testing.T) {
	d := newDesk(t)
	d.guard(t, `{"prices":{"default":"0.10","FR":"0.07","+3376":"0.5"},"budget":{"per_day":"1","per_month":"1.5"}}`)
	var wait sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for i := range 40 {
		wait.Go(func() {
			if d.ask(t, fmt.Sprintf("+336123456%02d", i), "x") == nil {
				mu.Lock()
				taken++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if taken != 14 { // of 0.07 each, 1 pays for 14
		t.Errorf("%d messages were let through, want 14", taken)
	}
	if got := exhausted(d.ask(t, "+12025550123", "x")); got != "daily budget" {
		t.Errorf("0.10 of the 0.02 that are left: %q", got)
	}
	d.now = d.now.Add(25 * time.Hour)
	if err := d.ask(t, "+33761234567", "x"); err != nil { // the longest prefix: 0.5, of 1.5 less 0.98
		t.Error(err)
	}
	if got := exhausted(d.ask(t, "+33612345678", "x")); got != "monthly budget" {
		t.Errorf("on the second day: %q", got)
	}
	d.now = d.now.Add(31 * 24 * time.Hour)
	if got := refusedFor(d.ask(t, "+33761234567", strings.Repeat("x", 400))); got != passcode.DestinationRefused { // 3 segments
		t.Errorf("1.5 for one message of a budget of 1 a day: %q", got)
	}
}

func TestGuardConversion(t *testing.T) {
	d := newDesk(t)
	d.guard(t, `{"conversion":{"digits":4,"per":"1h","least":5,"percent":20,"mode":"record"}}`)
	for i := range 10 {
		d.issued(t, fmt.Sprintf("+3361234567%d", i), false)
		d.issued(t, fmt.Sprintf("+3371234567%d", i), i < 2)
	}
	d.issued(t, "+33812345678", false)
	d.now = d.now.Add(10 * time.Minute)
	learn := func() {
		t.Helper()
		if err := d.LearnConversion(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	learn()
	if err := d.ask(t, "+33612345678", "x"); err != nil {
		t.Errorf("record refuses: %v", err)
	}
	d.guard(t, `{"conversion":{"digits":4,"per":"1h","least":5,"percent":20,"mode":"deny"}}`)
	learn()
	for to, want := range map[string]passcode.Reason{"+33612345678": passcode.DestinationRefused, "+33712345678": "", "+33812345678": ""} {
		if got := refusedFor(d.ask(t, to, "x")); got != want {
			t.Errorf("%s: %q, want %q", to, got, want)
		}
	}
	d.now = d.now.Add(time.Hour)
	learn()
	if err := d.ask(t, "+33612345678", "x"); err != nil {
		t.Errorf("after the window: %v", err)
	}
}

// issued writes a passcode that was sent now.
func (d *desk) issued(t *testing.T, to string, verified bool) {
	t.Helper()
	c := passcode.Challenge{ID: outbox.NewID("pc", d.now), Tenant: "default", Channel: outbox.SMS, To: to, Identifier: to, Mailbox: to,
		Purpose: passcode.Verify, State: passcode.Pending, CodeHash: []byte("h"), Policy: passcode.DefaultPolicy(), CreatedAt: d.now,
		SentAt: d.now, ExpiresAt: d.now.Add(time.Hour)}
	m := &outbox.Message{Channel: outbox.SMS, To: to, Text: "x", Code: "482913"}
	err := d.db.Issue(t.Context(), passcode.Issuance{Challenge: c, Now: d.now, Delivery: outbox.Delivery{ID: outbox.NewID("dl", d.now),
		Tenant: "default", Challenge: c.ID, Channel: outbox.SMS, To: to, Route: []string{"a"}, State: outbox.Queued, CreatedAt: d.now,
		DueAt: d.now, Deadline: c.ExpiresAt, Message: m}})
	if err == nil && verified {
		err = d.db.Update(t.Context(), passcode.Ref{Tenant: "default", ID: c.ID}, d.now, func(c *passcode.Challenge, _ passcode.Turn) error {
			c.State, c.EndedAt = passcode.Verified, d.now
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestGuardIsCheckedWhenItIsSaved(t *testing.T) {
	d := newDesk(t)
	for body, want := range map[string]string{
		`{"countries":["France"]}`:                                                               `countries[0]: "France" is no country`,
		`{"countries":["FR","XX"]}`:                                                              `countries[1]`,
		`{"countries":["fr"]}`:                                                                   `two capitals`,
		`{"contries":["FR"]}`:                                                                    `did you mean countries?`,
		`{"deny_prefixes":["33"]}`:                                                               `deny_prefixes[0]`,
		`{"velocity":[{"digits":0,"messages":1,"per":"1m"}]}`:                                    `velocity[0]`,
		`{"velocity":[{"digits":3,"messages":1,"per":"soon"}]}`:                                  `want a duration`,
		`{"prices":{"default":"0.12345"}}`:                                                       `prices.default`,
		`{"prices":{"Mars":"1"}}`:                                                                `"Mars" is neither`,
		`{"budget":{"per_day":"10"}}`:                                                            `needs a default price`,
		`{"prices":{"default":"0.1"},"budget":{"per_day":"-1"}}`:                                 `budget.per_day`,
		`{"conversion":{"digits":4,"per":"1h","least":5,"percent":20,"mode":"block"}}`:           `conversion.mode`,
		`{"conversion":{"digits":4,"per":"1h","least":1,"percent":20,"mode":"deny"}}`:            `conversion.least`,
		`{"conversion":{"digits":4,"per":"1h","least":5,"percent":20,"mode":"deny","mode":"x"}}`: `conversion.mode: comes twice`,
	} {
		_, err := d.Apply(t.Context(), "test", []registry.Change{{Kind: registry.GuardKind, Name: "sms", Body: []byte(body)}})
		var invalid *registry.Invalid
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
	if _, ok := d.Current().Document(registry.GuardKind, "sms"); ok || d.Current().Revision != 0 {
		t.Error("something was stored")
	}
}
