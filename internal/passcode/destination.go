package passcode

import (
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"github.com/otpost/otpost/internal/outbox"
)

// Destination is where a message goes and whose it is: what a route is chosen by.
type Destination struct {
	Tenant      string
	Application Application
	Purpose     Purpose
	Channel     outbox.Channel
	// To is the deliverable form of an Address.
	To string
	// Provider, when set, is the only one to try, whatever the routes say: a test of it.
	Provider string
}

// Domain is the mail domain in lower-case ASCII, empty for a number.
func (d *Destination) Domain() string {
	if d.Channel != outbox.Email {
		return ""
	}
	return strings.ToLower(d.To[strings.LastIndexByte(d.To, '@')+1:])
}

// Country is the ISO 3166-1 code of the country that gave out a number, such as "FR". It is empty for a mailbox, and for
// a number of no country, such as a satellite phone's.
func (d *Destination) Country() string {
	if d.Channel != outbox.SMS {
		return ""
	}
	number, err := phonenumbers.Parse(d.To, "")
	if err != nil {
		return ""
	}
	country := phonenumbers.GetRegionCodeForNumber(number)
	if country == "001" || country == "ZZ" {
		return ""
	}
	return country
}

// Route is the way a message goes: the providers in the order they are tried.
type Route struct {
	Name      string
	Providers []string
	// Hedge is how long the first provider may be silent before the next one is asked as well, 0 for never. A message
	// can then come twice.
	Hedge time.Duration
}
