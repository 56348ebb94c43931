package execute

import (
	"net/netip"
	"slices"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// Session is what one person's journey through one policy has come to. It is small, since a door seals it into a token
// that its caller keeps; what must not be turned back, such as tries and codes, is in the engine under Scope. It is written
// as JSON through a pointer, with short names.
type Session struct {
	// ID is random and never shown in clear.
	ID string `json:"i,omitempty"`
	// Policy is the name of the policy that the journey is of.
	Policy string `json:"p"`
	// Began is when.
	Began time.Time `json:"b"`
	// Claims are those that the journey has got so far.
	Claims claim.Bag `json:"c,omitzero"`
	// Opened are the self-asserted profiles whose page was begun, by their ids in lower case: their input claims
	// transformations have run.
	Opened []string `json:"o,omitempty"`
	// Controls are display controls that were used, by their ids in lower case.
	Controls map[string]*Control `json:"d,omitempty"`
	// Retries counts refusals of self-asserted profiles, by their ids in lower case (setting.retryLimit).
	Retries map[string]int `json:"r,omitempty"`
	// Device is the authenticator that BeginVerifyOTP began with.
	Device Device `json:"a,omitzero"`
}

// Control is what the session keeps of one display control.
type Control struct {
	// Claims are the control's output claims, shared among its actions (display-controls.md), and what the person typed
	// into it but the code.
	Claims claim.Bag `json:"c,omitzero"`
	// Sent is true after SendCode succeeded.
	Sent bool `json:"s,omitempty"`
	// Verified is true after VerifyCode succeeded, for the values in Claims.
	Verified bool `json:"v,omitempty"`
}

// Device is an authenticator between BeginVerifyOTP and VerifyOTP.
type Device struct {
	// User is whose it is.
	User string `json:"u,omitempty"`
	// ID is the pending device's, empty when the user's confirmed ones are meant.
	ID string `json:"i,omitempty"`
}

// Scope is what the session's codes belong to in the engine. See Call.Scope.
func (s *Session) Scope() string { return "b2c " + s.Policy + " " + s.ID }

// open says that a profile's page begins now, and reports whether it had before.
func (s *Session) open(profile string) (before bool) {
	if slices.Contains(s.Opened, trustframework.Fold(profile)) {
		return true
	}
	s.Opened = append(s.Opened, trustframework.Fold(profile))
	return false
}

// control finds what is kept of a display control, and begins it.
func (s *Session) control(id string) *Control {
	if s.Controls == nil {
		s.Controls = map[string]*Control{}
	}
	k := trustframework.Fold(id)
	if s.Controls[k] == nil {
		s.Controls[k] = &Control{}
	}
	return s.Controls[k]
}

// Scene is what is known of who calls and of the person at the page.
type Scene struct {
	// Tenant and Application are whose codes are made, as the engine knows them.
	Tenant, Application string
	// ApplicationName is what messages call the application, Domain the host that their last line is bound to; each may be
	// empty.
	ApplicationName, Domain string
	// Locale is a BCP 47 tag or an Accept-Language list.
	Locale string
	// IP is the person's.
	IP netip.Addr
	// Host is where the page is, CorrelationID what the caller names the journey by.
	Host, CorrelationID string
	// OIDC are parameters of the request that the journey began with, by the names of claim resolvers in lower case,
	// such as loginhint; Query are its other parameters ({OAUTH-KV:name}).
	OIDC, Query map[string]string
	// Wait is how long a call may wait for a provider to take a message.
	Wait time.Duration
}

// Address is the person's, for limits of networks; empty if it is not known, or nobody's.
func (s *Scene) Address() string {
	if !s.IP.IsValid() || s.IP.IsUnspecified() {
		return ""
	}
	return s.IP.String()
}
