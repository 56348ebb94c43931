// Package limit measures what the machine allows before any server is asked: durable appends, and durable rows in
// SQLite and PostgreSQL without HTTP. A load's figures mean little without them, and they move from machine to machine.
package limit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/otpost/otpost/bench/internal/latency"
)

// Limit is one measured ceiling.
type Limit struct {
	Name      string
	PerSecond float64
	P99       time.Duration
}

// block is the size of an append, a page of the file system.
const block = 4 << 10

// Append measures how often a second 4 KiB can be appended to a file and forced to the disk (fdatasync).
func Append(ctx context.Context, dir string, d time.Duration) (Limit, error) {
	file, err := os.Create(filepath.Join(dir, "append"))
	if err != nil {
		return Limit{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	content := make([]byte, block)
	return measure(ctx, "append 4 KiB + fdatasync", 1, d, func(int) error {
		if _, err := file.Write(content); err != nil {
			return err
		}
		return syscall.Fdatasync(int(file.Fd()))
	})
}

// measure has many callers call act, each with its own number, until the time is over.
func measure(ctx context.Context, name string, callers int, d time.Duration, act func(caller int) error) (Limit, error) {
	var done sync.WaitGroup
	times := make([]*latency.Histogram, callers)
	errs := make([]error, callers)
	began := time.Now()
	end := began.Add(d)
	for i := range callers {
		times[i] = latency.New()
		done.Go(func() {
			for now := time.Now(); now.Before(end) && ctx.Err() == nil; {
				if errs[i] = act(i); errs[i] != nil {
					return
				}
				after := time.Now()
				times[i].Record(after.Sub(now))
				now = after
			}
		})
	}
	done.Wait()
	elapsed := time.Since(began)
	if err := errors.Join(errors.Join(errs...), ctx.Err()); err != nil {
		return Limit{}, fmt.Errorf("measure %s: %w", name, err)
	}
	for _, h := range times[1:] {
		times[0].Merge(h)
	}
	return Limit{name, float64(times[0].Count()) / elapsed.Seconds(), times[0].Percentile(99)}, nil
}
