package entra

import (
	"errors"
	"net/http"
	"time"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/passcode"
)

// kind is one way in which this door says no.
type kind struct {
	status int
	code   string
	title  string
}

// The door's own kinds. Entra's fallback, where it is set up, fires on each: the status matters to people and to the
// caller's decision whether to try again.
var (
	methodNotAllowed     = kind{http.StatusMethodNotAllowed, "method_not_allowed", "This path takes POST only"}
	unauthorized         = kind{http.StatusUnauthorized, "unauthorized", "A valid token of the identity provider is needed"}
	keysUnavailable      = kind{http.StatusServiceUnavailable, "token_keys_unavailable", "Tokens cannot be checked at the moment"}
	wrongTenant          = kind{http.StatusForbidden, "wrong_tenant", "The event belongs to another tenant than the token"}
	unsupportedMediaType = kind{http.StatusUnsupportedMediaType, "unsupported_media_type", "The event must be JSON"}
	bodyTooLarge         = kind{http.StatusRequestEntityTooLarge, "body_too_large", "The event is larger than 64 KiB"}
	invalidEvent         = kind{http.StatusBadRequest, "invalid_event", "The body is not an OnOtpSend event"}
	invalidCode          = kind{http.StatusUnprocessableEntity, "invalid_code", "The code cannot be sent"}
	notSent              = kind{http.StatusServiceUnavailable, "not_sent", "The code was not sent"}
	unknownOutcome       = kind{http.StatusServiceUnavailable, "unknown_outcome", "It is not known whether the code was sent"}
	internalError        = kind{http.StatusInternalServerError, "internal", "The event could not be handled"}
)

// reasons is the one table from the engine's reasons to this door's answers. The reasons that speak of verifying or of
// a challenge cannot come from a relayed code; were they to come, a 409 would be the honest answer.
var reasons = map[passcode.Reason]kind{
	passcode.WrongCode:          {http.StatusConflict, "wrong_code", "The code was wrong"},
	passcode.CodeExpired:        {http.StatusConflict, "expired", "The code has expired"},
	passcode.CodeLocked:         {http.StatusConflict, "locked", "The code is locked"},
	passcode.CodeUsed:           {http.StatusConflict, "used", "The code was used"},
	passcode.CodeCancelled:      {http.StatusConflict, "cancelled", "The code was cancelled"},
	passcode.CodeReplaced:       {http.StatusConflict, "replaced", "The code was replaced"},
	passcode.Throttled:          {http.StatusTooManyRequests, "throttled", "Too many wrong codes"},
	passcode.InvalidRecipient:   {http.StatusUnprocessableEntity, "invalid_recipient", "The recipient cannot be sent to"},
	passcode.Suppressed:         {http.StatusUnprocessableEntity, "recipient_suppressed", "The recipient is not sent to"},
	passcode.InvalidRequest:     {http.StatusUnprocessableEntity, "invalid_request", "A value of the event cannot be used"},
	passcode.UnknownPolicy:      {http.StatusUnprocessableEntity, "unknown_policy", "The policy does not exist"},
	passcode.NotFound:           {http.StatusNotFound, "not_found", "There is no such passcode"},
	passcode.LimitReached:       {http.StatusTooManyRequests, "limit_reached", "A send limit is reached"},
	passcode.TooSoon:            {http.StatusTooManyRequests, "too_soon", "The last code was sent a moment ago"},
	passcode.NoResendsLeft:      {http.StatusConflict, "no_resends_left", "No resend is left"},
	passcode.LockedOut:          {http.StatusTooManyRequests, "locked_out", "The recipient is locked out for a while"},
	passcode.Ended:              {http.StatusConflict, "ended", "The passcode has ended"},
	passcode.DestinationRefused: {http.StatusUnprocessableEntity, "destination_refused", "No message goes to this country or prefix"},
	passcode.NoRoute:            {http.StatusServiceUnavailable, "no_route", "No provider is set up for this channel"},
	passcode.KeyReused:          {http.StatusConflict, "idempotency_key_reused", "The key was used for another request"},
}

// problem is an answer other than "sent" (RFC 9457).
type problem struct {
	kind
	// detail is a sentence; it never holds a code or an address.
	detail string
	// retryAt becomes Retry-After, of one second at least, unless it is zero.
	retryAt time.Time
	// allow and challenge become Allow and WWW-Authenticate.
	allow     string
	challenge string
}

// refusal is the answer to an error of the engine. What is not a Refusal is internal, and mute.
func refusal(err error) *problem {
	var r *passcode.Refusal
	if !errors.As(err, &r) {
		return &problem{kind: internalError}
	}
	k, ok := reasons[r.Reason]
	if !ok {
		return &problem{kind: internalError}
	}
	return &problem{kind: k, detail: r.Detail, retryAt: r.RetryAt}
}

func (p *problem) write(w http.ResponseWriter, r *http.Request, now time.Time) {
	if p.allow != "" {
		w.Header().Set("Allow", p.allow)
	}
	if p.challenge != "" {
		w.Header().Set("WWW-Authenticate", p.challenge)
	}
	front.Problem{Status: p.status, Code: p.code, Title: p.title, Detail: p.detail, RetryAfter: p.retryAfter(now)}.Write(w, r)
}

// retryAfter is one second at least (RFC 9110 §10.2.3). A 429 or 503 always has one.
func (p *problem) retryAfter(now time.Time) time.Duration {
	if p.retryAt.IsZero() {
		if p.status == http.StatusTooManyRequests || p.status == http.StatusServiceUnavailable {
			return time.Second
		}
		return 0
	}
	return max(time.Second, p.retryAt.Sub(now))
}
