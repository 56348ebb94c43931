package rest

import (
	"cmp"
	"slices"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// historyBody is a passcode with all that is known of it.
type historyBody struct {
	challengeBody
	Purpose   passcode.Purpose  `json:"purpose"`
	Locale    word              `json:"locale"`
	CreatedAt instant           `json:"created_at"`
	EndedAt   instant           `json:"ended_at"`
	Metadata  map[string]string `json:"metadata"`
	Delivery  *deliveryBody     `json:"delivery"`
	Timeline  []event           `json:"timeline"`
}

// event is one fact about a passcode.
type event struct {
	At    instant `json:"at"`
	Event string  `json:"event"`
	// The rest is set where it says something.
	Delivery string `json:"delivery,omitempty"`
	Provider string `json:"provider,omitempty"`
	Attempt  int    `json:"attempt,omitempty"`
	TookMS   *int64 `json:"took_ms,omitempty"`
	Class    string `json:"class,omitempty"`
	Code     string `json:"provider_code,omitempty"`
	Detail   string `json:"detail,omitempty"`
	Ref      string `json:"provider_ref,omitempty"`
}

func historyOf(t *passcode.Timeline, now time.Time) historyBody {
	c := &t.Challenge
	body := historyBody{challengeBody: challengeOf(c, now), Purpose: c.Purpose, Locale: word(c.Locale),
		CreatedAt: instant(c.CreatedAt), EndedAt: instant(c.EndedAt), Metadata: c.Metadata}
	if body.Metadata == nil {
		body.Metadata = map[string]string{}
	}
	if body.Status == passcode.Expired && c.EndedAt.IsZero() {
		body.EndedAt = instant(c.ExpiresAt)
	}
	if newest := newestOf(t.Deliveries); newest != nil {
		delivery := deliveryOf(newest)
		body.Delivery = &delivery
	}
	body.Timeline = eventsOf(t, body)
	return body
}

func newestOf(deliveries []outbox.Delivery) *outbox.Delivery {
	var newest *outbox.Delivery
	for i := range deliveries {
		if d := &deliveries[i]; newest == nil || !d.CreatedAt.Before(newest.CreatedAt) {
			newest = d
		}
	}
	return newest
}

// eventsOf is the timeline, oldest first. Events of one instant keep the order in which one causes the other.
func eventsOf(t *passcode.Timeline, body historyBody) []event {
	events := []event{{At: body.CreatedAt, Event: "issued"}}
	for i := range t.Deliveries {
		d := &t.Deliveries[i]
		events = append(events, event{At: instant(d.CreatedAt), Event: "queued", Delivery: d.ID})
	}
	for i := range t.Attempts {
		events = append(events, attemptEvent(&t.Attempts[i]))
	}
	for i := range t.Deliveries {
		d := &t.Deliveries[i]
		switch d.State {
		case outbox.Delivered, outbox.Bounced, outbox.Failed, outbox.Stale:
			events = append(events, event{At: instant(d.EndedAt), Event: string(d.State), Delivery: d.ID, Provider: d.Provider})
		}
	}
	if body.Status != passcode.Pending {
		events = append(events, event{At: body.EndedAt, Event: string(body.Status)})
	}
	slices.SortStableFunc(events, func(a, b event) int {
		return cmp.Compare(time.Time(a.At).UnixMilli(), time.Time(b.At).UnixMilli())
	})
	return events
}

func attemptEvent(a *outbox.Attempt) event {
	took := a.Took.Milliseconds()
	e := event{At: instant(a.At), Event: "accepted", Delivery: a.Delivery, Provider: a.Provider, Attempt: a.N,
		TookMS: &took, Class: string(a.Class), Code: a.Code, Detail: a.Detail, Ref: a.Ref}
	if a.Class != "" {
		e.Event = "not_accepted"
	}
	return e
}
