package e2e_test

import (
	"bytes"
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/extension/emulate"
)

// entraPlay is Entra calling one server, through the emulator.
type entraPlay struct {
	emulate.Options
	// before, when set, is called before each attempt with its number.
	before func(attempt int32)
	sent   atomic.Int32
}

// playing sets up one event to a person, with the timeout that Entra's portal sets, one retry, and the fallback on.
func playing(p *server, who *issuer, to string) *entraPlay {
	e := &entraPlay{Options: emulate.Defaults()}
	e.Target, e.To, e.Token, e.Tenant, e.JSON = "http://"+p.public+"/entra/otp-send", to, who.token(extension.Grant{}), entraTenant, true
	e.Client, e.Timeout = &http.Client{Transport: e}, extension.MaxTimeout
	return e
}

// RoundTrip lets the test see each attempt. Connections are not kept, as Entra's are not.
func (e *entraPlay) RoundTrip(r *http.Request) (*http.Response, error) {
	if n := e.sent.Add(1); e.before != nil {
		e.before(n)
	}
	r = r.Clone(r.Context())
	r.Close = true
	return http.DefaultTransport.RoundTrip(r)
}

// play plays the event and returns what Entra made of it.
func (e *entraPlay) play() (emulated, error) {
	emulator, err := emulate.Open(e.Options)
	if err != nil {
		return emulated{}, err
	}
	defer emulator.Close()
	var out bytes.Buffer
	if _, err := emulator.Play(context.Background(), &out); err != nil {
		return emulated{}, err
	}
	return readEmulated(out.Bytes())
}

func (e *entraPlay) run(t testing.TB) emulated {
	t.Helper()
	got, err := e.play()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// wantDelivery waits for the only delivery to a person to be final and wants its state.
func wantDelivery(t testing.TB, db *database, to, state string) {
	t.Helper()
	const final = `SELECT state FROM deliveries WHERE recipient = $1 AND ended_at > 0`
	await(t, "the delivery to end", func() bool { return len(db.texts(t, final, to)) > 0 })
	if got := db.texts(t, `SELECT state FROM deliveries WHERE recipient = $1`, to); len(got) != 1 || got[0] != state {
		t.Errorf("got deliveries %v, want one that is %s", got, state)
	}
}

// wantMails wants so many mails in a person's mailbox.
func wantMails(t testing.TB, k *sink, to string, n int) {
	t.Helper()
	if got := len(k.byRecipient()[to]); got != n {
		t.Errorf("%s got %d mails of ours, want %d", to, got, n)
	}
}

func TestEntraRetryJoinsTheFirstDelivery(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		k, who := startSink(t, ""), newIssuer(t)
		p := start(t, db.settings().with(k.settings(), who.settings(), settings{"entra_budget": "5s"}))
		e := playing(p, who, address(1))
		e.before = func(attempt int32) {
			if attempt == 2 { // Entra has given up waiting for the first
				k.answer(-1)
			}
		}
		got := e.run(t)
		if got.Outcome != "sent" || len(got.Attempts) != 2 || got.Attempts[0].ErrorCode != int(extension.TimedOut) {
			t.Errorf("got %+v, want a timeout and then sent", got)
		}
		wantDelivery(t, db, address(1), "accepted")
		wantMails(t, k, address(1), 1)
		if k.byRecipient()[address(1)][0].code != got.Code {
			t.Error("the mail has another code than the event")
		}
		p.stop()
	})
}

func TestEntraFallsBackWhenTheProviderRefuses(t *testing.T) {
	refusals := []struct {
		name string
		err  *smtp.SMTPError
	}{
		{"for good", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}},
		{"for now", &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "come back later"}},
	}
	onBoth(t, func(t *testing.T, db *database) {
		k, who := startSink(t, ""), newIssuer(t)
		k.answer(-1)
		p := start(t, db.settings().with(k.settings(), who.settings()))
		for i, refusal := range refusals {
			t.Run(refusal.name, func(t *testing.T) {
				k.refuseWith(func(string) error { return refusal.err })
				got := playing(p, who, address(i)).run(t)
				k.refuseWith(nil)
				if got.Outcome != "fallback" || got.Attempts[0].Status != 503 {
					t.Errorf("got %+v, want 503 and the fallback", got)
				}
				wantDelivery(t, db, address(i), "failed") // for good: the code is in Microsoft's mail now
				wantMails(t, k, address(i), 0)
			})
		}
		p.stop()
	})
}

func TestEntraIsToldSentWhenTheProviderIsSlow(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		k, who := startSink(t, ""), newIssuer(t)
		p := start(t, db.settings().with(k.settings(), who.settings()))
		e := playing(p, who, address(1))
		got := e.run(t)
		if got.Outcome != "sent" || len(got.Attempts) != 1 {
			t.Errorf("got %+v, want sent at the first attempt", got)
		}
		if k.waiting() != 1 {
			t.Fatalf("%d messages wait at the mail server, want the one", k.waiting())
		}
		k.answer(-1)
		wantDelivery(t, db, address(1), "accepted")
		wantMails(t, k, address(1), 1)
		p.stop()
	})
}

// TestEntraCallOfAKilledServer kills the server while Entra waits for it and the mail server has the message, and
// starts it again before or after Entra's retry. The mail server's answer is lost, so that a second mail is allowed.
func TestEntraCallOfAKilledServer(t *testing.T) {
	tests := []struct {
		name       string
		upForRetry bool
		outcome    string
	}{
		{"up for the retry", true, "sent"},
		{"down for the retry", false, "fallback"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, db *database) {
				k, who := startSink(t, ""), newIssuer(t)
				set := db.settings().with(k.settings(), who.settings(), shortLeases,
					settings{"listen": freeAddress(t), "entra_budget": "1500ms"})
				p := start(t, set)
				e := playing(p, who, address(1))
				mayRetry := make(chan struct{})
				e.before = func(attempt int32) {
					if attempt == 2 && test.upForRetry {
						<-mayRetry
					}
				}
				var got emulated
				var playErr error
				played := make(chan struct{})
				go func() {
					defer close(played)
					got, playErr = e.play()
				}()
				await(t, "the message at the mail server", func() bool { return k.waiting() == 1 })
				p.kill()
				if !test.upForRetry {
					awaitClosed(t, "the emulator", played)
				}
				k.answer(-1)
				p = start(t, set)
				close(mayRetry)
				awaitClosed(t, "the emulator", played)
				// A machine so slow that the first call's time was over before the restart gives the delivery up; then the
				// retry must be told so.
				late := test.upForRetry && got.Outcome == "fallback" && len(got.Attempts) == 2 && got.Attempts[1].Status == 503
				if playErr != nil || got.Outcome != test.outcome && !late {
					t.Errorf("got %+v, %v, want %s", got, playErr, test.outcome)
				}
				await(t, "the delivery to end", func() bool {
					return db.number(t, `SELECT COUNT(*) FROM deliveries WHERE ended_at = 0`) == 0
				})
				if n := len(k.byRecipient()[address(1)]); n < 1 || n > 2 {
					t.Errorf("%d mails of ours, want 1 or 2", n)
				}
				t.Logf("%s, %d mails of ours", got.Outcome, k.total())
				p.stop()
			})
		})
	}
}
