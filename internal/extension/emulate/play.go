package emulate

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/otpost/otpost/internal/extension"
)

// played is one event and what came of it.
type played struct {
	number int
	event  extension.Event
	result extension.Result
	err    error
}

// Play sends the events and writes the account of each as soon as it is known.
func (e *Emulator) Play(ctx context.Context, out io.Writer) (exitCode int, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	write := e.account(out)
	if err := write.begin(); err != nil {
		return ExitFailed, fmt.Errorf("write account: %w", err)
	}
	began := time.Now()
	tally := tally{keepMailbox: !e.options.Summary}
	progress := progress{out: e.options.Progress, of: e.options.Count, began: began, told: began}
	for p := range e.all(ctx) {
		if err == nil {
			if err = p.err; err == nil {
				tally.add(p)
				progress.tell(&tally, time.Now())
				err = write.event(p)
			}
			if err != nil {
				stop()
			}
		}
	}
	progress.end()
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("play events: %w", ctx.Err())
	}
	if err != nil {
		return ExitFailed, err
	}
	tally.elapsed = time.Since(began)
	if err := write.end(&tally); err != nil {
		return ExitFailed, fmt.Errorf("write account: %w", err)
	}
	return tally.exitCode(), nil
}

// all starts the workers and closes the channel when all events are done, or ctx has ended.
func (e *Emulator) all(ctx context.Context) <-chan played {
	todo, done := make(chan played), make(chan played)
	var workers sync.WaitGroup
	workers.Go(func() {
		defer close(todo)
		pace := newPace(e.options.Rate)
		for number := 1; number <= e.options.Count && pace.await(ctx, number); number++ {
			event, err := e.draw(number)
			select {
			case todo <- played{number: number, event: event, err: err}:
			case <-ctx.Done():
				return
			}
		}
	})
	for range min(e.options.Concurrency, e.options.Count) {
		workers.Go(func() {
			for p := range todo {
				if p.err == nil {
					p.result, p.err = e.caller.Call(ctx, e.options.Target, p.event)
				}
				done <- p
			}
		})
	}
	go func() { workers.Wait(); close(done) }()
	return done
}

// addressOf is where the person of an event sits. When the events go to many mailboxes they come from many networks
// too, of the range for benchmarks (RFC 2544), since a receiver may limit what one network asks for.
func (o *Options) addressOf(number int) string {
	if o.IP != defaultIP || !strings.Contains(o.To, "{n}") {
		return o.IP
	}
	return fmt.Sprintf("198.%d.%d.%d", 18+number>>16&1, number&0xff, number>>8&0xff)
}

// draw makes an event with a code and a correlation id of its own.
func (e *Emulator) draw(number int) (extension.Event, error) {
	o := &e.options
	correlation, err := uuid.NewRandomFromReader(o.Rand)
	if err != nil {
		return extension.Event{}, fmt.Errorf("draw correlation id: %w", err)
	}
	var random [8]byte
	if _, err := io.ReadFull(o.Rand, random[:]); err != nil {
		return extension.Event{}, fmt.Errorf("draw code: %w", err)
	}
	app := extension.ServicePrincipal{ID: o.AppID, AppID: o.AppID, AppDisplayName: o.AppName, DisplayName: o.AppName}
	return extension.Event{
		Source:   "/tenants/" + o.Tenant + "/applications/" + o.AppID,
		TenantID: o.Tenant,
		// The ids of listener and extension name nothing here.
		ListenerID: uuid.Nil.String(), ExtensionID: uuid.Nil.String(),
		Identifier: strings.ReplaceAll(o.To, "{n}", strconv.Itoa(number)),
		// Eight digits, as in every published example. The bias of the remainder is below 1 in 10^11.
		Code:          fmt.Sprintf("%08d", binary.BigEndian.Uint64(random[:])%100_000_000),
		CorrelationID: correlation.String(),
		Client:        extension.Client{IP: o.addressOf(number), Locale: o.Locale, Market: o.Locale},
		Protocol:      "OAUTH2.0", RequestType: o.RequestType, Application: app, Resource: app,
	}, nil
}
