// Package authenticator keeps TOTP devices: it enrols one, confirms it by its first code, and takes a code at most once.
// It knows no SQL and no HTTP.
//
// The life of one device is
//
//	pending -> confirmed -> revoked
//
// and a pending one that is not confirmed in time counts as revoked when it is read.
package authenticator

import (
	"log/slog"
	"time"
)

// Algorithm is the hash function of a device's codes (RFC 6238 §1.2).
type Algorithm string

// The algorithms, by the names that the key URI has for them. Some apps silently ignore all but SHA1, the default.
const (
	SHA1   Algorithm = "SHA1"
	SHA256 Algorithm = "SHA256"
	SHA512 Algorithm = "SHA512"
)

// State is where a device is in its life.
type State string

// The states of a device. A CHECK constraint in the schema repeats them.
const (
	Pending   State = "pending"
	Confirmed State = "confirmed"
	Revoked   State = "revoked"
)

// States lists every state.
func States() []State { return []State{Pending, Confirmed, Revoked} }

// Device is an enrolled TOTP device.
type Device struct {
	ID          string
	Tenant      string
	Application string
	// User is whose device it is, by the name the application has for the person. It is compared as it stands.
	User      string
	Issuer    string
	Label     string
	Algorithm Algorithm
	// Digits is 6 or 8.
	Digits int
	// Period is how long a code is shown, in whole seconds.
	Period      time.Duration
	State       State
	CreatedAt   time.Time
	ConfirmedAt time.Time
	// RevokedAt is when the device stopped counting, zero while it counts.
	RevokedAt time.Time
	// LastStep is the newest time step of which a code was taken, 0 for none. No code of this step or an older one is
	// taken again (RFC 6238 §5.2).
	LastStep int64
	// SecretSealed opens to the secret. It goes when the device is revoked.
	SecretSealed []byte
}

// Request is what a caller asks for when a device is to be enrolled.
type Request struct {
	Tenant      string
	Application string
	User        string
	// Issuer is what the app shows above the code, 1 to 64 bytes, and Label the account below it, 1 to 256 bytes. Neither
	// holds a colon, which is what stands between them (Key Uri Format, "Label").
	Issuer string
	Label  string
	// Secret is base32 of 5 to 128 bytes for a device that is taken over, in either case, with or without padding and
	// spaces. Empty draws 20 random bytes.
	Secret string
	// Algorithm, Digits and Period are SHA1, 6 and 30 s unless they are set.
	Algorithm Algorithm
	Digits    int
	Period    time.Duration
}

// Enrolment is what the person's app needs, and all of it is secret. It is made once and cannot be asked for again.
type Enrolment struct {
	Device Device
	// Secret is base32 in upper case without padding.
	Secret string
	// URI is the same and all else that an app wants to know, as otpauth://totp/….
	URI string
	// QR is URI as a QR code, an SVG image.
	QR string
}

// String is for logs, and has no secret in it.
func (e Enrolment) String() string { return "enrolment of " + e.Device.ID }

// GoString is String.
func (e Enrolment) GoString() string { return e.String() }

// LogValue implements slog.LogValuer.
func (e Enrolment) LogValue() slog.Value { return slog.StringValue(e.String()) }

// Ref finds a device.
type Ref struct {
	Tenant string
	User   string
	ID     string
	// Pending finds the device only while it waits to be confirmed.
	Pending bool
}

// Try is a code that somebody typed.
type Try struct {
	Tenant string
	User   string
	// ID is the device that is to be confirmed. Verify tries all of the user's and takes none.
	ID   string
	Code string
	// Window, when set, is the one that counts in place of the engine's.
	Window *Window
}

// Window is how many time steps a device's clock may be behind or ahead of ours, each 0 to 20.
type Window struct {
	Back, Forward int
}

// MaxWindow is the widest that a window may be on either side.
const MaxWindow = 20

// Reason is why the engine did not do what it was asked. Every door maps every reason.
type Reason string

// Reasons that are answers to a code that was tried; they come in a Verdict.
const (
	WrongCode Reason = "wrong_code"
	// CodeUsed: the code is right, and was taken before or is older than one that was.
	CodeUsed Reason = "used"
	// Throttled: the user's guess budget is spent; RetryAt says until when.
	Throttled Reason = "throttled"
)

// Reasons that refuse a request; they come in a Refusal.
const (
	// InvalidRequest: a member is wrong; Field says which.
	InvalidRequest Reason = "invalid_request"
	// NotFound: the user has no such device for this tenant, or it was not confirmed in time.
	NotFound Reason = "not_found"
	// NoDevice: the user has no confirmed device, so no code can be right.
	NoDevice Reason = "no_authenticator"
	// TooMany: the user has as many devices as one may have.
	TooMany Reason = "too_many_authenticators"
	// AlreadyConfirmed: the device is confirmed already, and the code was not looked at.
	AlreadyConfirmed Reason = "already_confirmed"
)

// Reasons lists every reason, so that a test can walk each through every door.
func Reasons() []Reason {
	return []Reason{WrongCode, CodeUsed, Throttled, InvalidRequest, NotFound, NoDevice, TooMany, AlreadyConfirmed}
}

// Refusal is the error of every verb that will not do what was asked. Any other error is internal, and its text is not
// for the caller.
type Refusal struct {
	Reason Reason
	// Field is the request member at fault, when one is: "user", "issuer", "label", "secret", "algorithm", "digits",
	// "period", "window".
	Field string
	// Detail says what is wrong and what to do. It never holds a code, a secret or the value itself.
	Detail string
}

func (r *Refusal) Error() string {
	if r.Detail != "" {
		return string(r.Reason) + ": " + r.Detail
	}
	return string(r.Reason)
}

// Verdict is the answer to a code that was tried.
type Verdict struct {
	Verified bool
	// Device is whose code it was, when Verified.
	Device Device
	// Reason is empty when Verified.
	Reason Reason
	// RetryAt is set for Throttled.
	RetryAt time.Time
}
