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

// event is one fact about a passcode. No member of it can hold a code.
type event struct {
	At    instant `json:"at"`
	Event string  `json:"event"`
	// The rest is set where it says something.
	Application string         `json:"application,omitempty"`
	Purpose     string         `json:"purpose,omitempty"`
	Channel     outbox.Channel `json:"channel,omitempty"`
	Locale      string         `json:"locale,omitempty"`
	Delivery    string         `json:"delivery,omitempty"`
	Provider    string         `json:"provider,omitempty"`
	Attempt     int            `json:"attempt,omitempty"`
	TookMS      *int64         `json:"took_ms,omitempty"`
	Class       string         `json:"class,omitempty"`
	Code        string         `json:"provider_code,omitempty"`
	Detail      string         `json:"detail,omitempty"`
	Ref         string         `json:"provider_ref,omitempty"`
	Reason      string         `json:"reason,omitempty"`
	Limit       string         `json:"limit,omitempty"`

	// after is when its cause happened, where the clock that At was read from is not ours.
	after time.Time
}

// Words for what happens to every passcode. Reports, notes and ends are told by their own.
const (
	asked    = "asked"
	created  = "created"
	handed   = "handed"
	accepted = "accepted"
)

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
	c := &t.Challenge
	events := []event{{At: body.CreatedAt, Event: asked, Application: c.Application, Purpose: string(c.Purpose),
		Channel: c.Channel, Locale: c.Locale}}
	for i := range t.Deliveries {
		d := &t.Deliveries[i]
		events = append(events, event{At: instant(d.CreatedAt), Event: created, Delivery: d.ID})
	}
	for i := range t.Attempts {
		events = append(events, attemptEvents(&t.Attempts[i])...)
	}
	for i := range t.Reports {
		events = append(events, reportEvent(&t.Reports[i], t.Attempts))
	}
	for i := range t.Deliveries {
		if d := &t.Deliveries[i]; d.State == outbox.Failed || d.State == outbox.Stale {
			events = append(events, event{At: instant(d.EndedAt), Event: string(d.State), Delivery: d.ID})
		}
	}
	for _, n := range t.Notes {
		events = append(events, event{At: instant(n.At), Event: string(n.Kind), Reason: string(n.Reason), Limit: n.Limit})
	}
	if body.Status != passcode.Pending {
		events = append(events, event{At: body.EndedAt, Event: string(body.Status)})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.place(), b.place()) })
	return events
}

// place is where an event stands in the timeline. A vendor's clock may be behind ours, or know only seconds; its report
// still follows what it is about.
func (e *event) place() int64 { return max(time.Time(e.At).UnixMilli(), e.after.UnixMilli()) }

// attemptEvents are that a message was handed to a provider, with its answer, and that the provider took it.
func attemptEvents(a *outbox.Attempt) []event {
	took := a.Took.Milliseconds()
	events := []event{{At: instant(a.At), Event: handed, Delivery: a.Delivery, Provider: a.Provider, Attempt: a.N,
		TookMS: &took, Class: string(a.Class), Code: a.Code, Detail: a.Detail}}
	if a.Class == "" {
		events = append(events, event{At: instant(a.At.Add(a.Took)), Event: accepted, Delivery: a.Delivery,
			Provider: a.Provider, Attempt: a.N, Ref: a.Ref})
	}
	return events
}

// reportEvent is what a provider said later, after the first of the attempts that it can be about.
func reportEvent(r *outbox.Reported, attempts []outbox.Attempt) event {
	e := event{At: instant(r.At), Event: string(r.Report), Delivery: r.Delivery, Provider: r.Provider,
		Class: string(r.Class), Code: r.Code, Detail: r.Detail, Ref: r.Ref}
	for i := range attempts {
		a := &attempts[i]
		if a.Delivery == r.Delivery && a.Provider == r.Provider && (a.Ref == r.Ref || r.Ref == "" || a.Class == outbox.Ambiguous) {
			e.after = a.At.Add(a.Took)
			break
		}
	}
	return e
}
