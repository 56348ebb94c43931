package rest

import (
	"errors"
	"net/http"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/passcode"
)

// row is how a reason is told over this door.
type row struct {
	status      int
	code, title string
	// retry is sent as Retry-After when the engine named no time.
	retry time.Duration
}

// reasons is the one table of this door: reason to status, code and title. A reason with status 200 is an answer to
// a code that was tried and has no title.
var reasons = map[passcode.Reason]row{
	passcode.WrongCode:     {status: 200, code: "wrong_code"},
	passcode.CodeExpired:   {status: 200, code: "expired"},
	passcode.CodeLocked:    {status: 200, code: "locked"},
	passcode.CodeUsed:      {status: 200, code: "used"},
	passcode.CodeCancelled: {status: 200, code: "cancelled"},
	passcode.CodeReplaced:  {status: 200, code: "replaced"},
	passcode.Throttled:     {status: 200, code: "throttled"},

	passcode.InvalidRecipient:   {status: 422, code: "invalid_recipient", title: "Recipient not valid"},
	passcode.Suppressed:         {status: 422, code: "recipient_suppressed", title: "Recipient not sent to"},
	passcode.InvalidRequest:     {status: 422, code: "invalid_request", title: "Request not valid"},
	passcode.UnknownPolicy:      {status: 422, code: "unknown_policy", title: "Policy unknown"},
	passcode.NotFound:           {status: 404, code: "not_found", title: "Passcode not found"},
	passcode.LimitReached:       {status: 429, code: "limit_reached", title: "Limit reached"},
	passcode.TooSoon:            {status: 429, code: "too_soon", title: "Too soon to send again"},
	passcode.NoResendsLeft:      {status: 409, code: "no_resends_left", title: "No resends left"},
	passcode.LockedOut:          {status: 429, code: "locked_out", title: "Recipient locked out"},
	passcode.Ended:              {status: 409, code: "ended", title: "Passcode ended"},
	passcode.DestinationRefused: {status: 422, code: "destination_refused", title: "Destination refused"},
	passcode.NoRoute:            {status: 503, code: "no_route", title: "No provider for the channel", retry: time.Minute},
	// The status is draft-ietf-httpapi-idempotency-key-header §2.7's.
	passcode.KeyReused: {status: 422, code: "idempotency_key_reused", title: "Idempotency key reused"},
}

// details are said where the engine has no sentence of its own.
var details = map[passcode.Reason]string{
	passcode.InvalidRecipient:   "to is not an email address or an E.164 number that can be sent to.",
	passcode.Suppressed:         "A provider reported that this recipient does not exist or does not want messages.",
	passcode.InvalidRequest:     "A member of the request cannot be used.",
	passcode.UnknownPolicy:      "There is no policy of this name.",
	passcode.NotFound:           "There is no such passcode.",
	passcode.LimitReached:       "Too many passcodes were asked for. Retry-After says when the next one may be.",
	passcode.TooSoon:            "The last message is too recent. Retry-After says when the next one may be sent.",
	passcode.NoResendsLeft:      "The policy's resends are used up. Issue a new passcode.",
	passcode.LockedOut:          "Too many wrong codes were tried. Retry-After says when a new passcode may be issued.",
	passcode.Ended:              "The passcode is not pending any more. Issue a new one.",
	passcode.DestinationRefused: "No text messages are sent to this number. Use another channel.",
	passcode.NoRoute:            "No provider is set up for this channel. Set one up, then try again.",
	passcode.KeyReused:          "This Idempotency-Key was used for another request. Use a new key.",
}

// members that the engine may name as at fault. Others are the engine's own words and stay inside.
var fields = map[string]bool{"to": true, "channel": true, "purpose": true, "locale": true, "policy": true, "ip": true,
	"metadata": true}

// fail answers with what went wrong.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var problem front.Problem
	var refusal *passcode.Refusal
	var ofDevice *authenticator.Refusal
	switch {
	case errors.As(err, &problem):
		problem.Write(w, r)
	case errors.As(err, &ofDevice) && deviceReasons[ofDevice.Reason].status >= 400:
		deviceProblem(ofDevice).Write(w, r)
	case errors.As(err, &refusal) && reasons[refusal.Reason].status >= 400:
		problemOf(refusal, h.Now()).Write(w, r)
	default:
		front.Fail(w, r, h.Log, r.Pattern, err)
	}
}

func problemOf(refusal *passcode.Refusal, now time.Time) front.Problem {
	row := reasons[refusal.Reason]
	p := front.Problem{Status: row.status, Code: row.code, Title: row.title, Detail: refusal.Detail}
	if p.Detail == "" {
		p.Detail = sentence(refusal)
	}
	if row.status == http.StatusTooManyRequests || row.status == http.StatusServiceUnavailable {
		p.RetryAfter = row.retry
		if !refusal.RetryAt.IsZero() {
			p.RetryAfter = max(refusal.RetryAt.Sub(now), time.Second)
		}
	}
	field := refusal.Field
	if field == "" && refusal.Reason == passcode.InvalidRecipient {
		field = "to"
	}
	if fields[field] && row.status == http.StatusUnprocessableEntity {
		p.Errors = []front.FieldError{{Field: field, Detail: p.Detail}}
	}
	return p
}

// sentence is what is said where the engine has no words of its own.
func sentence(refusal *passcode.Refusal) string {
	text := details[refusal.Reason]
	switch {
	case refusal.Limit != "":
		text = "The limit for this " + refusal.Limit + " is spent. " + text
	case refusal.State != "":
		text = "The passcode is " + string(refusal.State) + ". " + text
	}
	return text
}
