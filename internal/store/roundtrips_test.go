package store_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/internal/store/pgtest"
)

// syncs stands between a client and PostgreSQL and counts the times a client waits for the server: each Sync and each
// simple query (PostgreSQL manual, "Message Flow").
type syncs struct {
	server string
	count  atomic.Int64
}

// through starts the counter before a database and returns its URL through it.
func (s *syncs) through(t *testing.T, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.server, u.Host, u.RawQuery = u.Host, l.Addr().String(), "sslmode=disable&pool_max_conns=1"
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go s.carry(client)
		}
	}()
	return u.String()
}

func (s *syncs) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", s.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(client, server)
		client.Close()
	}()
	in := bufio.NewReader(client)
	for head := 4; ; head = 5 { // the first message, StartupMessage, has no type
		raw := make([]byte, head)
		if _, err := io.ReadFull(in, raw); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(raw[head-4:])-4)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		if head == 5 && (raw[0] == 'S' || raw[0] == 'Q') {
			s.count.Add(1)
		}
		if _, err := server.Write(append(raw, body...)); err != nil {
			return
		}
	}
}

// TestPostgresRoundTrips holds what a passcode costs over a network, once the statements are prepared.
func TestPostgresRoundTrips(t *testing.T) {
	between := &syncs{}
	d := newDesk(t, between.through(t, pgtest.Start(t).Database(t)), func(s passcode.Store) passcode.Store { return s })
	d.Limits = passcode.DefaultLimits()
	issue := func(to string) passcode.Ref {
		made, err := d.Issue(t.Context(), passcode.Request{Tenant: "default", To: to, IP: "203.0.113.9", IdempotencyKey: to, Fingerprint: []byte{1}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return passcode.Ref{Tenant: "default", ID: made.Challenge.ID}
	}
	relay := func(to string) {
		if _, err := d.Relay(t.Context(), passcode.Relay{Tenant: "default", To: to, Code: "482913", Lifetime: passcode.DefaultPolicy().Lifetime, Dedup: []string{to}}); err != nil {
			t.Fatal(err)
		}
	}
	verify := func(ref passcode.Ref, code string) {
		if _, err := d.Verify(t.Context(), ref, code); err != nil {
			t.Fatal(err)
		}
	}
	generate := func(scope string) {
		if _, err := d.Generate(t.Context(), passcode.Generation{Tenant: "default", Scope: scope, Key: "lea@example.test", Policy: passcode.Policy{
			Alphabet: "0-9", Length: 6, Lifetime: passcode.DefaultPolicy().Lifetime, Tries: 5, Resends: 9}, IP: "203.0.113.9"}); err != nil {
			t.Fatal(err)
		}
	}
	accept := func(ref ...passcode.Ref) {
		var took []outbox.Acceptance
		for _, r := range ref {
			line, err := d.db.Timeline(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			took = append(took, outbox.Acceptance{Delivery: line.Deliveries[0], Attempt: outbox.Attempt{Delivery: line.Deliveries[0].ID, Provider: "mail", At: d.now}})
		}
		between.count.Store(0)
		if _, err := d.db.Accept(t.Context(), took, d.now); err != nil {
			t.Fatal(err)
		}
	}
	first := issue("prepare@example.test")
	verify(first, "no code")
	relay("prepare@example.test")
	generate("prepare")
	generate("prepare")
	claimAll(t, d.db, d)
	accept(first)

	var ref passcode.Ref
	for _, step := range []struct {
		name string
		do   func()
		want int64
	}{
		{"issue", func() { ref = issue("lea@example.test") }, 1},
		{"verify a wrong code", func() { verify(ref, "no code") }, 1},
		{"verify the right code", func() { verify(ref, d.code) }, 1},
		{"relay", func() { relay("ada@example.test") }, 1},
		{"generate a first code", func() { generate("journey") }, 4},
		{"generate again", func() { generate("journey") }, 3},
	} {
		between.count.Store(0)
		step.do()
		if got := between.count.Load(); got != step.want {
			t.Errorf("%s took %d round trips, want %d", step.name, got, step.want)
		}
	}
	batch := []passcode.Ref{issue("one@example.test"), issue("two@example.test"), issue("three@example.test")}
	claimAll(t, d.db, d)
	accept(batch...)
	if got := between.count.Load(); got != 1 {
		t.Errorf("recording three messages took %d round trips, want 1", got)
	}
}

// claimAll leases what is due, as a sender does.
func claimAll(t *testing.T, db *store.DB, d *desk) {
	t.Helper()
	if _, _, err := db.Claim(t.Context(), "me", d.now, d.now.Add(passcode.DefaultPolicy().Lifetime), 100); err != nil {
		t.Fatal(err)
	}
}
