package nodes_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// fleet is several otpost processes that share a database, behind something that spreads requests without knowing
// which of them live.
type fleet struct {
	t        testing.TB
	settings rig.Settings
	http     *http.Client
	turn     atomic.Int64
	// repeated counts the tries that got no clear answer, asking the requests that wait for one.
	repeated, asking atomic.Int64

	mu    sync.Mutex
	nodes []*rig.Server
	dead  map[int]bool
}

func launch(t testing.TB, settings rig.Settings, nodes int) *fleet {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 256}
	t.Cleanup(transport.CloseIdleConnections)
	f := &fleet{t: t, settings: settings, dead: map[int]bool{}, nodes: make([]*rig.Server, nodes),
		http: &http.Client{Transport: transport, Timeout: rig.Patience}}
	for i := range nodes {
		f.nodes[i] = rig.Start(t, settings)
	}
	return f
}

// kill ends a node as a power cut would.
func (f *fleet) kill(n int) {
	f.t.Helper()
	f.nodes[n].Kill()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead[n] = true
}

// revive starts a node that was killed.
func (f *fleet) revive(n int) {
	f.t.Helper()
	node := rig.Start(f.t, f.settings)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes[n], f.dead[n] = node, false
}

// living are the nodes that run.
func (f *fleet) living() (nodes []*rig.Server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n, node := range f.nodes {
		if !f.dead[n] {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// ready reports whether each living node says that its readiness is so.
func (f *fleet) ready(want bool) bool {
	status := map[bool]int{true: 200, false: 503}[want]
	for _, node := range f.living() {
		if got, err := node.Get("/readyz"); err != nil || got.Status != status {
			return false
		}
	}
	return true
}

func (f *fleet) stop() {
	f.t.Helper()
	for _, node := range f.living() {
		node.Stop()
	}
}

// call is one request, to whichever node it comes.
type call struct {
	path, body, bearer, key string
	// final, when set, says of an answer of 5xx that it is clear.
	final func(rig.Answer) bool
}

// reply is a clear answer.
type reply struct {
	rig.Answer
	node int
	at   time.Time
	// unclear counts the tries before it that got none: nobody knows what they did.
	unclear int
}

// ask sends a request to one node after another until one gives a clear answer.
func (f *fleet) ask(c call) (r reply, ok bool) {
	f.asking.Add(1)
	defer f.asking.Add(-1)
	wait := 30 * time.Millisecond
	limit := time.NewTimer(rig.Patience)
	defer limit.Stop()
	for {
		answer, node, err := f.try(c)
		if err == nil && (answer.Status < 500 || c.final != nil && c.final(answer)) {
			return reply{answer, node, time.Now(), r.unclear}, true
		}
		r.unclear++
		f.repeated.Add(1)
		pause := time.NewTimer(wait)
		select {
		case <-pause.C:
		case <-limit.C:
			f.t.Errorf("%s: no clear answer in %v, at last %v, %v", c.path, rig.Patience, answer, err)
			return r, false
		}
		wait = min(2*wait, 250*time.Millisecond)
	}
}

func (f *fleet) try(c call) (answer rig.Answer, node int, err error) {
	f.mu.Lock()
	node = int(f.turn.Add(1)) % len(f.nodes)
	base := "http://" + f.nodes[node].Public
	f.mu.Unlock()
	r, err := http.NewRequest("POST", base+c.path, strings.NewReader(c.body))
	if err != nil {
		return answer, node, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.bearer)
	if c.key != "" {
		r.Header.Set("Idempotency-Key", c.key)
	}
	got, err := f.http.Do(r)
	if err != nil {
		return answer, node, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	return rig.Answer{Status: got.StatusCode, Header: got.Header, Body: body}, node, err
}
