package passcode

import (
	"crypto/sha256"
	"net/netip"
	"strconv"
	"time"
)

// Quota is at most Count in any window of Window that begins with its first use.
type Quota struct {
	Count  int
	Window time.Duration
}

// Limits are how much is allowed beyond what a policy says of one passcode. A list may hold several windows; an
// empty one is no limit.
type Limits struct {
	// Identifier bounds messages to one mailbox or number.
	Identifier []Quota
	// Address bounds messages asked for from one client address: IPv4 /32, IPv6 /64.
	Address []Quota
	// Network bounds messages asked for from one network: IPv4 /24, IPv6 /48.
	Network []Quota
	// Application bounds messages of one application.
	Application []Quota
	// Guesses bounds wrong codes for one mailbox or number, over all its challenges, purposes and sessions.
	Guesses []Quota
	// Generations bounds codes generated for one mailbox, number or other key, over all its scopes and purposes. See
	// Engine.Generate.
	Generations []Quota
}

// DefaultLimits are on unless somebody turns them off. Ten guesses in a quarter of an hour and fifty a day leave a
// six-digit code a chance of 1 in 20,000 a day to be guessed.
func DefaultLimits() Limits {
	return Limits{
		Identifier:  []Quota{{5, 10 * time.Minute}, {25, 24 * time.Hour}},
		Address:     []Quota{{30, 10 * time.Minute}},
		Network:     []Quota{{120, 10 * time.Minute}},
		Application: []Quota{{20000, time.Hour}},
		Guesses:     []Quota{{10, 15 * time.Minute}, {50, 24 * time.Hour}},
		Generations: []Quota{{20, 10 * time.Minute}, {100, 24 * time.Hour}},
	}
}

// sends are the spends of one message, narrow limits first. guarded are those that a guard adds.
func (l *Limits) sends(tenant, mailbox, application string, client netip.Addr, guarded []Spend) []Spend {
	spends := make([]Spend, 0, 5+len(guarded))
	spends = add(spends, "identifier", l.Identifier, tenant, mailbox)
	spends = append(l.addClient(spends, tenant, client), guarded...)
	shared := len(spends)
	spends = add(spends, "application", l.Application, tenant, application)
	if last := len(spends) - 1; last >= shared && spends[last].Limit >= splitAbove {
		spends[last].Parts = parts
	}
	return spends
}

// generated are the spends of one code that a caller hands over, narrow limits first.
func (l *Limits) generated(tenant, mailbox string, client netip.Addr) []Spend {
	return l.addClient(add(nil, "generations", l.Generations, tenant, mailbox), tenant, client)
}

func (l *Limits) addClient(spends []Spend, tenant string, client netip.Addr) []Spend {
	if !client.IsValid() {
		return spends
	}
	address, network := networks(client)
	spends = add(spends, "address", l.Address, tenant, address)
	return add(spends, "network", l.Network, tenant, network)
}

// A limit that many requests share is split into parts when it is large: on PostgreSQL each request holds its part's
// row until it commits, and a whole application would stand in one queue.
const (
	parts      = 16
	splitAbove = 1000
)

func (l *Limits) guesses(tenant, mailbox string) []Spend {
	return add(nil, "guesses", l.Guesses, tenant, mailbox)
}

// guessLimits are the guesses' limits without the person.
func (l *Limits) guessLimits() []GuessLimit {
	limits := make([]GuessLimit, len(l.Guesses))
	for i, q := range l.Guesses {
		limits[i] = GuessLimit{ID: limitID("guesses", q.Window), Limit: q.Count, Window: q.Window}
	}
	return limits
}

// lockout is the spend that locks an identifier out, and with Cost 0 the question whether it is.
func lockout(tenant, mailbox string, window time.Duration, cost int) Spend {
	return Spend{Key: spendKey("lockout", tenant, mailbox, 0), Name: "lockout", Limit: 1, Window: window, Cost: cost}
}

// interval is the spend that keeps two requests of one purpose apart. Its key has no window in it: whatever the next one
// asks for, the last one's interval is over first.
func interval(tenant, mailbox string, purpose Purpose, apart time.Duration) Spend {
	return Spend{Key: spendKey("interval "+string(purpose), tenant, mailbox, 0), Name: "interval", Limit: 1, Window: apart, Cost: 1}
}

// SharedSpend takes cost units of a limit that many share; whose says who they are, such as the prefix of their numbers.
func SharedSpend(name, tenant, whose string, limit int, window time.Duration, cost int) Spend {
	return Spend{Key: spendKey(name, tenant, whose, window), Name: name, Limit: limit, Window: window, Cost: cost}
}

func add(spends []Spend, name string, quotas []Quota, tenant, whose string) []Spend {
	for _, q := range quotas {
		spends = append(spends, Spend{Key: spendKey(name, tenant, whose, q.Window), Name: name, Limit: q.Count, Window: q.Window, Cost: 1})
	}
	return spends
}

// spendKey is 16 bytes: 12 of SHA-256 over whose limit it is, then 4 over which one. So the table of limits holds
// nobody's address, and the limits of one person stand together in it. A database can make the first half of what a
// challenge's row holds; see Try.
func spendKey(name, tenant, whose string, window time.Duration) []byte {
	person := sha256.Sum256([]byte(tenant + "\x00" + whose))
	return append(person[:12:12], limitID(name, window)...)
}

// limitID is the half of a key that says which limit it is.
func limitID(name string, window time.Duration) []byte {
	limit := sha256.Sum256(bound("otpost limit 1", name, strconv.FormatInt(int64(window), 36)))
	return limit[:4:4]
}

// networks are the two prefixes of a client address that limits count. An IPv4 address inside IPv6 is the IPv4 one.
func networks(client netip.Addr) (address, network string) {
	client = client.Unmap().WithZone("")
	narrow, wide := 64, 48
	if client.Is4() {
		narrow, wide = 32, 24
	}
	a, _ := client.Prefix(narrow)
	n, _ := client.Prefix(wide)
	return a.String(), n.String()
}
