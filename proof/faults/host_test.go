package faults_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// protocol is one of the two senders, the server it talks to, and what can go wrong between them.
type protocol struct {
	name string
	plan *plan
	door *door
	rows []*row
	// address is the nth recipient, and pattern matches them all in SQL.
	address func(n int) string
	pattern string
	// issued is how many passcodes were asked for.
	issued int
	// oneByOne: commands are not pipelined, so that a mail server answers MAIL before it knows for whom.
	oneByOne bool
}

// ofConnection reports whether a row is acted out before the recipient is known.
func (p *protocol) ofConnection(r *row) bool { return r.whole() || p.oneByOne && r.at == "MAIL" }

// besides reports whether others may be sent while the tries that meet a row of connections last. A webhook that waits
// for a new connection would take one that another leaves.
func (p *protocol) besides(r *row) bool { return r.slow && p.name == "smtp" }

// host is an otpost that talks to a misbehaving server of each protocol.
type host struct {
	db       *rig.Database
	settings rig.Settings
	key      string
	server   *rig.Server
	client   *rig.Client
	truth    *truth
	mail     *mailServer
	hook     *receiver

	mu sync.Mutex
	// meant is the row that the first try for each recipient is to meet.
	meant map[string]*row
}

// attemptTimeout bounds a try, in milliseconds. It is long enough that only a server that falls silent reaches it.
func attemptTimeout() int { return 5000 }

func startHost(t testing.TB, db *rig.Database, pipelining bool) *host {
	t.Helper()
	certs := newCertificates(t)
	h := &host{db: db, truth: newTruth(), meant: map[string]*row{}}
	h.mail = startMailServer(t, h.truth, certs, pipelining)
	h.hook = startReceiver(t, h.truth, certs)
	set := db.Settings().With(h.mail.settings(), h.hook.settings(), rig.LongCodes, rig.Settings{
		"attempt_timeout": fmt.Sprintf("%dms", attemptTimeout()), "outbox_workers": "64"})
	h.settings, h.key = set, rig.CreateKey(t, set, "Shop")
	h.run(t, set)
	return h
}

// run starts otpost.
func (h *host) run(t testing.TB, set rig.Settings) {
	t.Helper()
	h.server = rig.Start(t, set)
	h.client = rig.NewClient(t, h.server, h.key)
}

func (h *host) smtp() *protocol {
	p := &protocol{name: "smtp", plan: &h.mail.plan, door: h.mail.door, pattern: "%@%", oneByOne: !h.mail.pipelining,
		address: func(n int) string { return fmt.Sprintf("wanda.person%d@example.test", n) }}
	for _, r := range inForm(mailRows(h.mail.certs), rig.Full()) {
		if !p.oneByOne || r.at != "MAIL" || rank(r) > 0 { // another message's try could meet it and end
			p.rows = append(p.rows, r)
		}
	}
	return p
}

func (h *host) http() *protocol {
	return &protocol{name: "http", plan: &h.hook.plan, door: h.hook.door, pattern: "+%",
		rows: inForm(receiverRows(h.hook.certs), rig.Full()), address: func(n int) string { return fmt.Sprintf("+3361%07d", n) }}
}

// expect chooses the next recipient and notes which row its first try is to meet.
func (h *host) expect(p *protocol, r *row) (to string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	to = p.address(p.issued)
	p.issued++
	h.meant[to] = r
	return to
}

// issue asks for a passcode and returns the state of its delivery in the answer. more are further members of the
// request, each with a comma before it.
func (h *host) issue(t testing.TB, to, more string) string {
	got, err := h.client.Send("POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q%s}`, to, more))
	var made rig.Passcode
	if err != nil || got.Status != 201 || json.Unmarshal(got.Body, &made) != nil {
		t.Errorf("issue to %s: %v %v", to, got, err)
	}
	return made.Delivery.State
}
