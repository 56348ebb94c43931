package outbox

import (
	"errors"
	"fmt"
	"time"
)

// Class says why a provider did not take a message, in one vocabulary for all providers.
type Class string

// The classes of failure. What each one means for the next try is in classes below.
const (
	// InvalidRecipient: the address or number is malformed or does not exist.
	InvalidRecipient Class = "invalid_recipient"
	// Suppressed: the provider refuses this recipient because of an earlier bounce or opt-out.
	Suppressed Class = "suppressed"
	// RejectedContent: the body, the sender or the template was refused.
	RejectedContent Class = "rejected_content"
	// Account: our credentials, an unverified sender, a suspended account.
	Account Class = "config"
	// Quota: a daily or monthly limit, or no credit left.
	Quota Class = "quota"
	// Throttled: too fast; RetryAfter says how long to wait where the provider said so.
	Throttled Class = "throttled"
	// Transient: the provider is down or busy, or could not be reached; nothing was sent.
	Transient Class = "transient"
	// Ambiguous: the message was written and no answer was read. It may have been sent.
	Ambiguous Class = "ambiguous"
	// GeoBlocked: the destination country is not permitted.
	GeoBlocked Class = "geo_blocked"
)

// classes decides what follows a failure.
var classes = map[Class]struct {
	retry    bool // another try at the same provider can succeed while the code lives
	failover bool // another provider may take it
	slow     bool // wait for somebody to mend something: long backoff
	breaks   bool // it is about the provider and not about the message: other messages would fail as well
}{
	InvalidRecipient: {retry: false, failover: false},
	Suppressed:       {retry: false, failover: true},
	RejectedContent:  {retry: false, failover: true},
	Account:          {retry: true, failover: true, slow: true, breaks: true},
	Quota:            {retry: true, failover: true, slow: true, breaks: true},
	Throttled:        {retry: true, failover: true, breaks: true},
	Transient:        {retry: true, failover: true, breaks: true},
	Ambiguous:        {retry: true, failover: true, breaks: true},
	GeoBlocked:       {retry: false, failover: true},
}

// Classes lists every class, for tests and documentation.
func Classes() []Class {
	return []Class{InvalidRecipient, Suppressed, RejectedContent, Account, Quota, Throttled, Transient, Ambiguous, GeoBlocked}
}

// Fault is how a Sender reports that a provider did not accept a message. Detail must not hold the code, a
// credential or a full address.
type Fault struct {
	Class Class
	// Code is the provider's status or error code, such as "550 5.1.1" or "503".
	Code   string
	Detail string
	// RetryAfter is the provider's own wish, zero when it had none.
	RetryAfter time.Duration
	Err        error
}

func (f *Fault) Error() string {
	s := string(f.Class)
	if f.Code != "" {
		s += " " + f.Code
	}
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	return s
}

func (f *Fault) Unwrap() error { return f.Err }

// Faultf makes a Fault with a formatted detail.
func Faultf(class Class, code, format string, args ...any) *Fault {
	return &Fault{Class: class, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// faultOf reads a Fault out of err. An error that is not a Fault is Ambiguous: it proves nothing.
func faultOf(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Class: Ambiguous, Detail: fmt.Sprintf("%T", err), Err: err}
}
