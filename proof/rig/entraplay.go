package rig

import (
	"bytes"
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/extension/emulate"
)

// entraPlay is Entra calling one server, through the emulator.
type entraPlay struct {
	emulate.Options
	// Before, when set, is called before each attempt with its number.
	Before func(attempt int32)
	// Patient, when set, is the number of the first attempt that is answered however long that takes. Before it, Entra gives
	// up when its time is over.
	Patient int32
	sent    atomic.Int32
}

// Playing sets up one event to a person, with the timeout that Entra's portal sets, one retry, and the fallback on.
func Playing(p *Server, who *Issuer, to string) *entraPlay {
	e := &entraPlay{Options: emulate.Defaults()}
	e.Target, e.To, e.Token, e.Tenant, e.JSON = "http://"+p.Public+"/entra/otp-send", to, who.Token(extension.Grant{}), EntraTenant, true
	e.Client, e.Timeout = &http.Client{Transport: e}, extension.MaxTimeout
	return e
}

// RoundTrip lets the test see each attempt. Connections are not kept, as Entra's are not.
func (e *entraPlay) RoundTrip(r *http.Request) (*http.Response, error) {
	n := e.sent.Add(1)
	if e.Before != nil {
		e.Before(n)
	}
	ctx := r.Context()
	if e.Patient > 0 && n >= e.Patient {
		ctx = context.WithoutCancel(ctx)
	}
	r = r.Clone(ctx)
	r.Close = true
	return http.DefaultTransport.RoundTrip(r)
}

// Play plays the event and returns what Entra made of it.
func (e *entraPlay) Play() (Emulated, error) {
	emulator, err := emulate.Open(e.Options)
	if err != nil {
		return Emulated{}, err
	}
	defer emulator.Close()
	var out bytes.Buffer
	if _, err := emulator.Play(context.Background(), &out); err != nil {
		return Emulated{}, err
	}
	return readEmulated(out.Bytes())
}

func (e *entraPlay) Run(t testing.TB) Emulated {
	t.Helper()
	got, err := e.Play()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// WantDelivery waits for the only delivery to a person to be final and wants its state.
func WantDelivery(t testing.TB, db *Database, to, state string) {
	t.Helper()
	const final = `SELECT state FROM deliveries WHERE recipient = $1 AND ended_at > 0`
	Await(t, "the delivery to end", func() bool { return len(db.Texts(t, final, to)) > 0 })
	if got := db.Texts(t, `SELECT state FROM deliveries WHERE recipient = $1`, to); len(got) != 1 || got[0] != state {
		t.Errorf("got deliveries %v, want one that is %s", got, state)
	}
}

// WantMails wants so many mails in a person's mailbox.
func WantMails(t testing.TB, k *Sink, to string, n int) {
	t.Helper()
	if got := len(k.ByRecipient()[to]); got != n {
		t.Errorf("%s got %d mails of ours, want %d", to, got, n)
	}
}

// Slow reports whether the machine took most of what an event waits by default, 800 ms, to try its message to a person once,
// so that Entra may have been told nothing of how that went.
func Slow(t testing.TB, db *Database, to string) bool {
	t.Helper()
	const took = `SELECT COALESCE((SELECT a.at + a.took FROM attempts a WHERE a.delivery = d.id AND a.n = 1), d.ended_at) - d.created_at
		FROM deliveries d WHERE d.recipient = $1`
	Await(t, "the end of the first try", func() bool { return db.Number(t, took, to) >= 0 })
	return db.Number(t, took, to) > 500
}
