package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// SuppressionStore keeps the recipients that are not sent to. A recipient is in its canonical form.
type SuppressionStore interface {
	// Suppressions lists those of a channel that count now, by recipient, at most limit of those after one.
	Suppressions(ctx context.Context, tenant string, channel outbox.Channel, after string, limit int, now time.Time) ([]outbox.Suppression, error)
	// Suppression finds one that counts now.
	Suppression(ctx context.Context, tenant string, channel outbox.Channel, recipient string, now time.Time) (outbox.Suppression, bool, error)
	// Unsuppress lets a recipient be sent to again, and reports whether it was suppressed.
	Unsuppress(ctx context.Context, tenant string, channel outbox.Channel, recipient string) (bool, error)
}

// Pages of suppressions.
const (
	usualPage = 100
	maxPage   = 1000
	maxCursor = 320
)

// suppression is one on the wire. Operators see the address in full; the log never does.
type suppression struct {
	Channel    outbox.Channel           `json:"channel"`
	Recipient  string                   `json:"recipient"`
	Reason     outbox.SuppressionReason `json:"reason"`
	Provider   string                   `json:"provider"`
	ReportedAt instant                  `json:"reported_at"`
	Until      *instant                 `json:"until,omitempty"`
}

// suppressionPage is an answer. Next is what the next page comes after, empty on the last one.
type suppressionPage struct {
	Suppressions []suppression `json:"suppressions"`
	Next         string        `json:"next,omitempty"`
}

// suppressions answers GET /v1/suppressions?channel=&recipient=&after=&limit=. Addresses come before numbers.
func (h *Handler) suppressions(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	q := r.URL.Query()
	channels, err := channelsOf(q)
	if err != nil {
		return err
	}
	if q.Get("recipient") != "" {
		return h.suppressionOf(w, r, c)
	}
	limit, after := usualPage, q.Get("after")
	if given := q.Get("limit"); given != "" {
		if limit, err = strconv.Atoi(given); err != nil || limit < 1 || limit > maxPage {
			return invalidQuery(fmt.Sprintf("limit: want a whole number from 1 to %d.", maxPage))
		}
	}
	if len(after) > maxCursor || !utf8.ValidString(after) || strings.ContainsRune(after, 0) {
		return invalidQuery("after: want what next was on the page before.")
	}
	var found []outbox.Suppression
	for _, channel := range channels {
		begin := after
		if channelOf(after) != channel {
			if after != "" && channel == outbox.Email {
				continue // the page before ended among the numbers
			}
			begin = ""
		}
		more, err := h.Suppressions.Suppressions(r.Context(), c.Tenant, channel, begin, limit+1-len(found), h.Registry.Now())
		if err != nil {
			return err
		}
		if found = append(found, more...); len(found) > limit {
			break
		}
	}
	page := suppressionPage{Suppressions: []suppression{}}
	if len(found) > limit {
		found = found[:limit]
		page.Next = found[limit-1].Recipient
	}
	for _, s := range found {
		page.Suppressions = append(page.Suppressions, suppressionBody(s))
	}
	return reply(w, http.StatusOK, page)
}

// suppressionOf answers for one recipient: a page with one or none.
func (h *Handler) suppressionOf(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	to, err := recipientOf(r.URL.Query())
	if err != nil {
		return err
	}
	page := suppressionPage{Suppressions: []suppression{}}
	s, found, err := h.Suppressions.Suppression(r.Context(), c.Tenant, to.Channel, to.Identifier, h.Registry.Now())
	if err != nil {
		return err
	}
	if found {
		page.Suppressions = append(page.Suppressions, suppressionBody(s))
	}
	return reply(w, http.StatusOK, page)
}

// unsuppress answers DELETE /v1/suppressions?channel=&recipient=.
func (h *Handler) unsuppress(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	to, err := recipientOf(r.URL.Query())
	if err != nil {
		return err
	}
	was, err := h.Suppressions.Unsuppress(r.Context(), c.Tenant, to.Channel, to.Identifier)
	if err != nil {
		return err
	}
	if !was {
		return front.Problem{Status: http.StatusNotFound, Code: "no_such_suppression", Title: "Recipient not suppressed",
			Detail: "Nothing keeps messages from this recipient."}
	}
	h.Log.LogAttrs(r.Context(), slog.LevelInfo, "suppression removed", slog.String("channel", string(to.Channel)),
		slog.String("by", by(c)), slog.String(front.RequestIDKey, front.RequestID(r.Context())))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func suppressionBody(s outbox.Suppression) suppression {
	body := suppression{s.Channel, s.Recipient, s.Reason, s.Provider, instant(s.At), nil}
	if !s.Until.IsZero() {
		until := instant(s.Until)
		body.Until = &until
	}
	return body
}

// channelOf is the channel that a recipient or a part of one is of.
func channelOf(recipient string) outbox.Channel {
	if strings.HasPrefix(recipient, "+") && !strings.Contains(recipient, "@") {
		return outbox.SMS
	}
	return outbox.Email
}

// channelsOf are the channels that a request means: the one it names, or all, in the order in which they are listed.
func channelsOf(q url.Values) ([]outbox.Channel, error) {
	all := []outbox.Channel{outbox.Email, outbox.SMS}
	named := outbox.Channel(q.Get("channel"))
	for _, channel := range all {
		if channel == named {
			return []outbox.Channel{channel}, nil
		}
	}
	if named != "" {
		return nil, invalidQuery("channel: want email or sms.")
	}
	return all, nil
}

// recipientOf reads the address or number that a request names, as somebody writes it.
func recipientOf(q url.Values) (passcode.Address, error) {
	channels, err := channelsOf(q)
	if err != nil {
		return passcode.Address{}, err
	}
	to, err := passcode.ParseAddress(q.Get("recipient"))
	var refusal *passcode.Refusal
	if errors.As(err, &refusal) {
		return to, invalidQuery("recipient: " + refusal.Detail + ".")
	}
	if len(channels) == 1 && channels[0] != to.Channel {
		return to, invalidQuery("channel: the recipient is of the channel " + string(to.Channel) + ".")
	}
	return to, err
}
