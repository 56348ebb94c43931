package registry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
)

// Guard bounds what text messages may cost and where they may go. Fraudsters who share in what a message costs ask for
// many, to numbers of their own (toll fraud, "SMS pumping"). There is one guard, named "sms".
type Guard struct {
	// Countries are the only ones that messages go to; all when empty. ISO 3166-1.
	Countries []string `json:"countries,omitempty" help:"The only countries that messages go to, ISO 3166-1 codes of two capitals; all when missing."`
	// DenyPrefixes are beginnings of E.164 numbers that no message goes to.
	DenyPrefixes []string   `json:"deny_prefixes,omitempty" help:"Beginnings of E.164 numbers that no message goes to."`
	Velocity     []Velocity `json:"velocity,omitempty" help:"Most messages to numbers that begin alike, at most 3."`
	// Prices are what one message segment costs, by prefix, country or "default", in a currency of your own: "0.075". The
	// longest prefix that fits wins, then the country.
	Prices     map[string]string `json:"prices,omitempty" help:"What one message segment costs, by prefix, country or default, such as 0.075."`
	Budget     *Budget           `json:"budget,omitempty" help:"The most that messages may cost."`
	Conversion *Conversion       `json:"conversion,omitempty" help:"Looks at how many passcodes are verified, by beginnings of numbers."`
}

// Velocity is at most Messages in a window of Per, which begins with its first message, to all numbers that share their
// first Digits.
type Velocity struct {
	Digits   int      `json:"digits" required:"true" help:"How many first digits are alike, 1 to 14."`
	Messages int      `json:"messages" required:"true" help:"Most messages in a window, which begins with its first."`
	Per      Duration `json:"per" required:"true" help:"Length of the window, 1s to 744h."`
}

// Budget is the most that messages may cost in 24 hours and in 30 days, each from the first message of its window. A
// message that would exceed it is refused before it is accepted.
type Budget struct {
	PerDay   string `json:"per_day,omitempty" help:"Most in 24 hours, such as 49.90."`
	PerMonth string `json:"per_month,omitempty" help:"Most in 30 days."`
}

// Conversion looks at how many of the passcodes to numbers that share their first Digits are verified. Of those that
// fraudsters ask for, none is.
type Conversion struct {
	Digits int      `json:"digits" required:"true" help:"How many first digits are alike, 1 to 14."`
	Per    Duration `json:"per" required:"true" help:"How far back it looks, 1m to 168h."`
	// Least is how many passcodes must have been sent before anything is concluded; Percent how many of a hundred must be
	// verified.
	Least   int `json:"least" required:"true" help:"How many passcodes must have been sent before anything is concluded, at least 5."`
	Percent int `json:"percent" required:"true" help:"How many of a hundred must be verified."`
	// Mode is "record", which only says so in the log, or "deny".
	Mode string `json:"mode" required:"true" oneof:"record deny" help:"record only says so in the log, deny refuses."`
}

// GuardName is the only name of a guard.
const GuardName = "sms"

// moneyUnit is a hundredth of a cent: prices of messages have up to four decimals.
const moneyUnit = 10_000

// compiledGuard is a guard that was checked.
type compiledGuard struct {
	Guard
	prices     map[string]int
	day, month int // budgets in units, 0 for none
}

const maxVelocities = 3

func (c *compiler) guard(name string, g *Guard) error {
	if name != GuardName {
		return fmt.Errorf("the only guard is named %s", GuardName)
	}
	if err := checkCountries("countries", g.Countries); err != nil {
		return err
	}
	for i, p := range g.DenyPrefixes {
		if !prefixForm.MatchString(p) {
			return fmt.Errorf("deny_prefixes[%d]: want the beginning of an E.164 number such as +882", i)
		}
	}
	if len(g.Velocity) > maxVelocities {
		return fmt.Errorf("velocity: at most %d", maxVelocities)
	}
	for i, v := range g.Velocity {
		if v.Digits < 1 || v.Digits > 14 || v.Messages < 1 || time.Duration(v.Per) < time.Second || time.Duration(v.Per) > 31*24*time.Hour {
			return fmt.Errorf("velocity[%d]: want 1 to 14 digits, at least 1 message, per 1s to 744h", i)
		}
	}
	made := &compiledGuard{Guard: *g, prices: map[string]int{}}
	if err := made.readMoney(); err != nil {
		return err
	}
	if err := g.Conversion.check(); err != nil {
		return err
	}
	c.Snapshot.guard = made
	return nil
}

func (g *compiledGuard) readMoney() (err error) {
	for place, text := range g.Prices {
		if place != "default" && !prefixForm.MatchString(place) {
			if err := checkCountries("prices", []string{place}); err != nil {
				return fmt.Errorf("prices: %q is neither a prefix such as +33, nor a country such as FR, nor default", place)
			}
		}
		if g.prices[place], err = money(text); err != nil {
			return fmt.Errorf("prices.%s: %w", place, err)
		}
	}
	if g.Budget == nil {
		return nil
	}
	if _, ok := g.prices["default"]; !ok {
		return errors.New("prices: a budget needs a default price, for destinations that have none of their own")
	}
	for _, b := range []struct {
		name, text string
		into       *int
	}{{"per_day", g.Budget.PerDay, &g.day}, {"per_month", g.Budget.PerMonth, &g.month}} {
		if b.text == "" {
			continue
		}
		if *b.into, err = money(b.text); err != nil || *b.into == 0 {
			return fmt.Errorf("budget.%s: want an amount above zero such as 50 or 49.90", b.name)
		}
	}
	return nil
}

func (c *Conversion) check() error {
	switch {
	case c == nil:
		return nil
	case c.Digits < 1 || c.Digits > 14:
		return errors.New("conversion.digits: want 1 to 14")
	case time.Duration(c.Per) < time.Minute || time.Duration(c.Per) > 7*24*time.Hour:
		return errors.New("conversion.per: want 1m to 168h")
	case c.Least < 5:
		return errors.New("conversion.least: want at least 5; fewer passcodes say nothing")
	case c.Percent < 1 || c.Percent > 100:
		return errors.New("conversion.percent: want 1 to 100")
	case c.Mode != "record" && c.Mode != "deny":
		return errors.New("conversion.mode: want record or deny; begin with record, and see in the log what deny would do")
	}
	return nil
}

var moneyForm = regexp.MustCompile(`^([0-9]{1,9})(?:\.([0-9]{1,4}))?$`)

// money reads an amount into units.
func money(text string) (int, error) {
	m := moneyForm.FindStringSubmatch(text)
	if m == nil {
		return 0, errors.New("want an amount such as 0.075, with at most four decimals")
	}
	whole, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, err
	}
	part, err := strconv.Atoi((m[2] + "0000")[:4])
	return whole*moneyUnit + part, err
}

// Guard says what a text message costs of the limits that the guard sets, or why it may not be sent.
func (r *Registry) Guard(d passcode.Destination, m *outbox.Message) ([]passcode.Spend, error) {
	g := r.Current().guard
	if g == nil || d.Channel != outbox.SMS {
		return nil, nil
	}
	if err := g.admits(&d); err != nil {
		return nil, err
	}
	if err := r.converts(g.Conversion, &d); err != nil {
		return nil, err
	}
	return g.spends(&d, m)
}

func (g *compiledGuard) admits(d *passcode.Destination) error {
	denied := slices.ContainsFunc(g.DenyPrefixes, func(p string) bool { return strings.HasPrefix(d.To, p) })
	if denied || len(g.Countries) > 0 && !slices.Contains(g.Countries, d.Country()) {
		return &passcode.Refusal{Reason: passcode.DestinationRefused, Field: "to",
			Detail: "no text messages are sent to numbers of this country or prefix; use another channel"}
	}
	return nil
}

func (g *compiledGuard) spends(d *passcode.Destination, m *outbox.Message) (spends []passcode.Spend, err error) {
	for _, v := range g.Velocity {
		prefix := prefixOf(d.To, v.Digits)
		spends = append(spends, passcode.SharedSpend("prefix", d.Tenant, prefix, v.Messages, time.Duration(v.Per), 1))
	}
	cost := g.price(d) * provider.Segments(m.Text)
	for _, b := range []struct {
		name   string
		limit  int
		window time.Duration
	}{{"daily budget", g.day, 24 * time.Hour}, {"monthly budget", g.month, 30 * 24 * time.Hour}} {
		switch {
		case b.limit == 0 || cost == 0:
		case cost > b.limit:
			return nil, &passcode.Refusal{Reason: passcode.DestinationRefused, Field: "to",
				Detail: "one message to this number costs more than the whole " + b.name + " for text messages"}
		default:
			spends = append(spends, passcode.SharedSpend(b.name, d.Tenant, GuardName, b.limit, b.window, cost))
		}
	}
	return spends, nil
}

// price is what one segment costs.
func (g *compiledGuard) price(d *passcode.Destination) int {
	if len(g.prices) == 0 {
		return 0
	}
	best, price := 0, -1
	for place, p := range g.prices {
		if place[0] == '+' && len(place) > best && strings.HasPrefix(d.To, place) {
			best, price = len(place), p
		}
	}
	if price >= 0 {
		return price
	}
	if p, ok := g.prices[d.Country()]; ok {
		return p
	}
	return g.prices["default"]
}

// prefixOf is the plus sign and the first digits of a number.
func prefixOf(number string, digits int) string { return number[:min(len(number), digits+1)] }

// Converted is how many passcodes to numbers of a prefix were sent and verified.
type Converted struct{ Sent, Verified int }

// LearnConversion counts anew how passcodes to each prefix convert, if the guard asks for it.
func (r *Registry) LearnConversion(ctx context.Context) error {
	g := r.Current().guard
	if g == nil || g.Conversion == nil {
		r.converted.Store(nil)
		return nil
	}
	now := r.Now()
	// The last ones have not had their time yet.
	counts, err := r.Store.Conversion(ctx, r.Tenant, g.Conversion.Digits, now.Add(-time.Duration(g.Conversion.Per)), now.Add(-grace))
	if err != nil {
		return err
	}
	for prefix, c := range counts {
		if g.Conversion.fails(c) {
			r.Log.WarnContext(ctx, "few passcodes to these numbers are verified, which is how toll fraud looks", "prefix", prefix,
				"sent", c.Sent, "verified", c.Verified, "mode", g.Conversion.Mode)
		}
	}
	r.converted.Store(&counts)
	return nil
}

// grace is how long a person gets before a passcode counts as not verified.
const grace = 2 * time.Minute

func (c *Conversion) fails(n Converted) bool {
	return n.Sent >= c.Least && float64(n.Verified) < math.Ceil(float64(n.Sent)*float64(c.Percent)/100)
}

func (r *Registry) converts(c *Conversion, d *passcode.Destination) error {
	counts := r.converted.Load()
	if c == nil || c.Mode != "deny" || counts == nil || !c.fails((*counts)[prefixOf(d.To, c.Digits)]) {
		return nil
	}
	return &passcode.Refusal{Reason: passcode.DestinationRefused, Field: "to",
		Detail: "too few passcodes to numbers of this prefix were verified lately; use another channel"}
}
