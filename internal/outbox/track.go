package outbox

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// The bounds of asking a provider that tells what became of a message only to who asks. What is being asked about is
// kept in memory alone: after a restart nobody asks any more, and the delivery stays accepted.
const (
	// trackedAtOnce bounds the questions under way, trackedInAll the messages that are asked about; what is beyond is
	// not.
	trackedAtOnce = 8
	trackedInAll  = 1024
	// The first question comes soon after the acceptance. Then the provider says when, within bounds.
	firstQuestion = time.Second
	lastInterval  = 30 * time.Second
	mostQuestions = 40
	// afterDeadline is how long after the code's expiry an answer is still worth knowing.
	afterDeadline = 5 * time.Minute
)

// tracks are the messages that this process asks about.
type tracks struct {
	// running ends with the intake of the outbox.
	running context.Context
	inAll   chan struct{}
	atOnce  chan struct{}
	group   sync.WaitGroup
}

func newTracks() tracks {
	return tracks{inAll: make(chan struct{}, trackedInAll), atOnce: make(chan struct{}, trackedAtOnce)}
}

// track asks about a message that was just accepted, where its provider is a Tracker.
func (o *Outbox) track(d Delivery, a Attempt) {
	sender, _ := o.Senders.Sender(a.Provider)
	tracker, ok := sender.(Tracker)
	if !ok || a.Ref == "" {
		return
	}
	select {
	case o.tracks.inAll <- struct{}{}:
	default:
		o.Log.Warn("too many messages are being asked about; this one is not", "delivery", d.ID, "provider", a.Provider)
		return
	}
	o.tracks.group.Go(func() {
		defer func() { <-o.tracks.inAll }()
		o.ask(o.tracks.running, tracker, &d, &a)
	})
}

// ask asks again and again until the provider knows or says that it never will, the code is long over, or the process
// ends.
func (o *Outbox) ask(ctx context.Context, tracker Tracker, d *Delivery, a *Attempt) {
	interval := firstQuestion
	for range mostQuestions {
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return
		}
		if o.Now().After(d.Deadline.Add(afterDeadline)) {
			return
		}
		receipt, wait, err := o.askOnce(ctx, tracker, d, a)
		if err == nil && receipt.Report == "" && wait == 0 {
			return
		}
		if err == nil && receipt.Report != "" {
			if err = o.receive(ctx, receipt, d, a); err == nil && receipt.Report != ReportDelayed {
				return
			}
		}
		if err != nil && ctx.Err() == nil {
			o.Log.WarnContext(ctx, "ask what became of a message", "delivery", d.ID, "passcode_id", d.Challenge,
				"provider", a.Provider, "error", err)
		}
		interval = min(max(cmp.Or(wait, 2*interval), firstQuestion), lastInterval)
		if err != nil {
			interval = max(interval, wait) // a provider that was asked too often says for how long it wants none
		}
	}
}

func (o *Outbox) askOnce(ctx context.Context, tracker Tracker, d *Delivery, a *Attempt) (r Receipt, wait time.Duration, err error) {
	select {
	case o.tracks.atOnce <- struct{}{}:
	case <-ctx.Done():
		return r, 0, ctx.Err()
	}
	defer func() { <-o.tracks.atOnce }()
	ctx, cancel := context.WithTimeout(ctx, o.AttemptTimeout)
	defer cancel()
	return tracker.Track(ctx, d.ID, a.Ref)
}

// receive keeps an answer as it would keep a report.
func (o *Outbox) receive(ctx context.Context, r Receipt, d *Delivery, a *Attempt) error {
	r.Delivery, r.Ref = d.ID, a.Ref
	r.Event = cmp.Or(r.Event, "asked "+d.ID+" "+string(r.Report))
	_, err := o.store.Receive(context.WithoutCancel(ctx), a.Provider, []Receipt{r}, o.Now())
	return err
}
