package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/otpost/otpost/bench/internal/host"
	"github.com/otpost/otpost/bench/internal/limit"
	"github.com/otpost/otpost/bench/internal/report"
)

// The databases.
const (
	sqlite   = "sqlite"
	postgres = "postgres"
)

// group is how many callers may share a commit where SQLite's limit is measured, and how many clients PostgreSQL has.
const group = 64

// bench is what all series share.
type bench struct {
	options
	dir      string
	trivial  *host.Trivial
	postgres *host.Postgres
	progress io.Writer
	report   report.Report
}

// measure does everything that the options ask for. Its error says that the run could not be completed, and the report
// holds what was measured until then, if anything; whether the server did right is in the report.
func measure(ctx context.Context, o options, progress io.Writer) (result *report.Report, err error) {
	dir, err := os.MkdirTemp(o.dir, "otpost-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: o, dir: dir, progress: progress}
	b.report = report.Report{Began: time.Now(), Machine: machine(dir), Duration: o.duration.Seconds(), Repeats: o.repeat}
	defer func() { err = errors.Join(err, b.stop()) }()
	if err := b.start(ctx); err != nil {
		return nil, err
	}
	if err := b.limits(ctx); err != nil {
		return nil, err
	}
	for _, database := range o.databases {
		for _, kind := range o.loads {
			for _, nodes := range o.nodes {
				if nodes > 1 && database == sqlite {
					continue // a SQLite file has one server at a time
				}
				if err := b.session(ctx, database, kind, nodes); err != nil {
					return &b.report, fmt.Errorf("%s %s: %w", database, kind, err)
				}
			}
		}
	}
	return &b.report, nil
}

// start brings up what lives as long as the bench.
func (b *bench) start(ctx context.Context) error {
	if b.otpost == "" {
		b.otpost = filepath.Join(b.dir, "otpost")
		fmt.Fprintln(b.progress, "build otpost")
		output, err := exec.CommandContext(ctx, "go", "build", "-o", b.otpost, "github.com/otpost/otpost/cmd/otpost").CombinedOutput()
		if err != nil {
			return fmt.Errorf("build otpost: %w\n%s", err, output)
		}
	}
	var err error
	if b.otpost, err = filepath.Abs(b.otpost); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.trivial, err = host.StartTrivial(exec.Command(self, trivialCommand), filepath.Join(b.dir, "trivial.log"))
	if err != nil {
		return err
	}
	for _, database := range b.databases {
		if database == postgres && b.postgres == nil {
			fmt.Fprintln(b.progress, "start PostgreSQL")
			if b.postgres, err = host.StartPostgres(ctx, b.options.dir); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) stop() error {
	var errs []error
	if b.trivial != nil {
		errs = append(errs, b.trivial.Stop())
	}
	if b.postgres != nil {
		errs = append(errs, b.postgres.Stop())
	}
	return errors.Join(errs...)
}

// limits measures what the machine allows.
func (b *bench) limits(ctx context.Context) error {
	if b.options.limits == 0 {
		return nil
	}
	fmt.Fprintln(b.progress, "measure the limits of the machine")
	found, err := limit.SQLite(ctx, b.dir, group, b.options.limits)
	if err != nil {
		return err
	}
	appends, err := limit.Append(ctx, b.dir, b.options.limits)
	if err != nil {
		return err
	}
	found = append([]limit.Limit{appends}, found...)
	if b.postgres != nil {
		url, err := b.postgres.Create(ctx, "limits")
		if err != nil {
			return err
		}
		rows, err := limit.Postgres(ctx, url, group, b.options.limits)
		if err != nil {
			return err
		}
		found = append(found, rows)
	}
	for _, l := range found {
		b.report.Limits = append(b.report.Limits, report.Limit{Name: l.Name, PerSecond: l.PerSecond, P99: milliseconds(l.P99)})
	}
	return nil
}

func machine(dir string) report.Machine {
	return report.Machine{System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version(),
		FileSystem: host.FileSystem(dir)}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
