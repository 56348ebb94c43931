package trial

import (
	"errors"
	"net/http"
	"time"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/passcode"
)

// row is how a reason is told over this door.
type row struct {
	status        int
	title, detail string
}

// reasons are those that a message can be refused for before a provider sees it. Its code is the reason itself.
var reasons = map[passcode.Reason]row{
	passcode.InvalidRecipient:   {422, "Recipient not valid", "to is not an email address or an E.164 number that can be sent to."},
	passcode.InvalidRequest:     {422, "Request not valid", "A member of the request cannot be used."},
	passcode.Suppressed:         {422, "Recipient not sent to", "A provider reported that this recipient does not exist or does not want messages, so no provider is asked. Allow it again, or take another one."},
	passcode.LimitReached:       {429, "Limit reached", "Too many messages were asked for. Retry-After says when the next one may be."},
	passcode.LockedOut:          {429, "Recipient locked out", "Too many wrong codes were tried for this recipient. Retry-After says when the next message may be."},
	passcode.DestinationRefused: {422, "Destination refused", "The guard lets no text message go to this number."},
	passcode.NoRoute:            {503, "No provider for the channel", "The provider does not carry messages to such a recipient."},
}

// fail answers with what went wrong.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var problem front.Problem
	var refusal *passcode.Refusal
	switch {
	case errors.As(err, &problem):
		problem.Write(w, r)
	case errors.As(err, &refusal) && reasons[refusal.Reason].status != 0:
		problemOf(refusal, h.Now()).Write(w, r)
	default:
		front.Fail(w, r, h.Log, r.Pattern, err)
	}
}

func problemOf(refusal *passcode.Refusal, now time.Time) front.Problem {
	said := reasons[refusal.Reason]
	p := front.Problem{Status: said.status, Title: said.title, Detail: refusal.Detail}
	p.Code = string(refusal.Reason)
	if p.Detail == "" {
		p.Detail = said.detail
		if refusal.Limit != "" {
			p.Detail = "The limit for this " + refusal.Limit + " is spent. " + p.Detail
		}
	}
	if said.status == http.StatusTooManyRequests {
		p.RetryAfter = max(refusal.RetryAt.Sub(now), time.Second)
	}
	if field := refusal.Field; said.status == http.StatusUnprocessableEntity {
		if field == "" {
			field = "to"
		}
		p.Errors = []front.FieldError{{Field: field, Detail: p.Detail}}
	}
	return p
}
