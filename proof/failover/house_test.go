package failover_test

import (
	"os"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/proof/rig"
)

// mode is how passcodes are asked for, and what the routes do.
type mode struct {
	name, words string
	// hedge is how long a provider may be silent before the next is asked too.
	hedge string
	// relayed: Entra brings the codes, and has a mail of its own for those that it is told were not sent.
	relayed bool
}

func modes() []mode {
	return []mode{
		{name: "plain", words: "by an API call that waits"},
		{name: "hedged", words: "the same, with a hedge of 250 ms", hedge: "250ms"},
		{name: "relayed", words: "by an event of Entra", relayed: true},
	}
}

// budget is how long a caller waits to be told that its message was taken.
const budget = 800 * time.Millisecond

// vendorTimeout is how long a try at the faulty vendor lasts when it says nothing.
func vendorTimeout() time.Duration {
	return time.Duration(rig.Size(1500, 5000)) * time.Millisecond
}

// tryTimeout is how long a try at a vendor lasts that is never silent: longer than any machine needs.
const tryTimeout = time.Minute

// house is one otpost with routes of two providers each, of which the first misbehaves and the second is well.
type house struct {
	t    testing.TB
	mode mode
	db   *rig.Database
	// cells are the faults that it meets, each on a route of its own.
	cells  []*cell
	good   *goodProvider
	server *rig.Server
	client *rig.Client
	token  string
}

// cell is one fault and what came of it.
type cell struct {
	*fault
	vendor *vendor // nil where nobody gets to speak to it
	told   []told
}

func openHouse(t testing.TB, m mode, faults ...*fault) *house {
	t.Helper()
	return openPatientHouse(t, m, vendorTimeout(), faults...)
}

// openPatientHouse says how long a try at the faulty vendors lasts.
func openPatientHouse(t testing.TB, m mode, timeout time.Duration, faults ...*fault) *house {
	t.Helper()
	h := &house{t: t, mode: m, db: rig.NewSQLite(t), good: openGood(t)}
	who := rig.NewIssuer(t)
	set := h.db.Settings().With(who.Settings(), rig.Settings{"entra_budget": budget.String(), "log_level": "info",
		"limit_address": "1000000/1h", "limit_network": "1000000/1h", "limit_application": "1000000/1h"})
	if len(faults) > 1 { // faults that hold up workers must not hold up each other
		set["outbox_workers"] = "200"
	}
	if timeout == tryTimeout {
		set = set.With(patient)
	}
	docs := documents{}
	docs.add(registry.ProviderKind, "good", h.good.document())
	for _, f := range faults {
		c := &cell{fault: f}
		h.cells = append(h.cells, c)
		docs.add(registry.ProviderKind, f.name, resend(c.address(h), timeout))
		docs.route(f.name, f.domain(), m.hedge, f.name, "good")
	}
	docs.apply(t, set)
	h.token = who.Token(extension.Grant{})
	key := rig.CreateKey(t, set, "Shop")
	h.server = rig.Start(t, set)
	h.client = rig.NewClient(t, h.server, key)
	return h
}

// patient lets a try last as long as the provider's own time.
var patient = rig.Settings{"attempt_timeout": tryTimeout.String(), "lease": (2 * tryTimeout).String()}

// domain is where the people live whose mail meets the fault.
func (f *fault) domain() string { return f.name + ".example.test" }

// address is where the cell's vendor is reached, or not.
func (c *cell) address(h *house) string {
	if c.place != nil {
		return c.place(h)
	}
	c.vendor = openVendor(h.t, c.fault)
	return c.vendor.url()
}

// resend is a provider that calls the API of Resend at an address.
func resend(address string, timeout time.Duration) object {
	return object{"kind": "resend", "settings": object{"api_key": apiKey, "from": "Shop <codes@example.test>", "endpoint": address,
		"allow_http": true, "allow_private": true, "timeout": timeout.String()}}
}

// goodProvider is a webhook that always takes what it is sent.
type goodProvider struct {
	set rig.Settings
	// authority is the PEM text of the one authority of its certificate.
	authority string
	posts     func() map[string]int
}

func openGood(t testing.TB) *goodProvider {
	t.Helper()
	r := rig.StartReceiver(t)
	set := r.Settings()
	authority, err := os.ReadFile(set["SSL_CERT_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	return &goodProvider{set: set, authority: string(authority), posts: func() map[string]int {
		all := map[string]int{}
		for _, p := range r.Posts() {
			all[p.ID]++
		}
		return all
	}}
}

func (g *goodProvider) document() object {
	return object{"kind": "webhook", "settings": object{"url": g.set["webhook_url"], "allow_private": true, "root_ca": g.authority,
		"secrets": []string{g.set["webhook_secret"]}, "timeout": tryTimeout.String()}}
}
