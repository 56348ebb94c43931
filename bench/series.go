package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/otpost/otpost/bench/internal/host"
	"github.com/otpost/otpost/bench/internal/load"
	"github.com/otpost/otpost/bench/internal/report"
)

// series is the repeats of one load at one number of workers, each beside a run of the trivial handler.
type series struct {
	*session
	workers int
	loop    string
	offered float64

	// outcomes are the measured runs; the others, the warm-up and the count of fsyncs, matter only where they went wrong.
	outcomes     []*load.Outcome
	unmeasured   []*load.Outcome
	rates        []float64
	trivialRates []float64
	serverUse    host.Usage
	databaseUse  host.Usage
	benchCPU     time.Duration
	rss, peak    int64
	// syncs are the fsyncs of one cycle, -1 when they were not counted.
	syncs float64
}

func (s *series) run(ctx context.Context) error {
	plan := load.Plan{Kind: s.kind, Workers: s.workers, Duration: s.warmup, Rate: s.offered, Patience: s.patience}
	warm, err := load.Run(ctx, s.target(), s.post, plan)
	if err != nil {
		return err
	}
	s.unmeasured = append(s.unmeasured, warm)
	plan.Duration = s.duration
	for i := range s.repeat {
		if err := s.beside(ctx); err != nil {
			return err
		}
		if err := s.once(ctx, plan, i == 0); err != nil {
			return err
		}
		fmt.Fprintf(s.progress, "%s %s %s, %d workers, run %d of %d: %.0f cycles/s\n", s.database, s.kind, s.loop,
			s.workers, i+1, s.repeat, s.rates[i])
	}
	if s.rss, s.peak, err = s.resident(); err != nil {
		return err
	}
	return s.countSyncs(ctx, plan)
}

func (s *series) target() load.Target {
	target := load.Target{Key: s.key}
	for _, node := range s.servers {
		target.Addrs = append(target.Addrs, node.Addr)
	}
	return target
}

// beside measures the trivial handler with the same client and the same number of workers.
func (s *series) beside(ctx context.Context) error {
	if s.loop != "closed" {
		return nil
	}
	out, err := load.Run(ctx, load.Target{Addrs: []string{s.trivial.Addr}, Key: s.key}, &load.Post{},
		load.Plan{Kind: load.Trivial, Workers: s.workers, Duration: s.duration, Patience: s.patience})
	if err != nil {
		return err
	}
	if len(out.Troubles) > 0 {
		return fmt.Errorf("measure trivial handler: %v", out.Troubles)
	}
	s.trivialRates = append(s.trivialRates, out.Rate())
	return nil
}

// once is one measured run.
func (s *series) once(ctx context.Context, plan load.Plan, first bool) error {
	profiled := make(chan error, 1)
	if first && s.profile != "" {
		go func() {
			profiled <- s.servers[0].Profile(ctx, int(math.Ceil(s.duration.Seconds())), s.profileName())
		}()
	} else {
		profiled <- nil
	}
	server, database, err := s.usage()
	if err != nil {
		return err
	}
	ownCPU := processorTime()
	out, err := load.Run(ctx, s.target(), s.post, plan)
	if err = errors.Join(err, <-profiled); err != nil {
		return err
	}
	s.benchCPU += processorTime() - ownCPU
	serverAfter, databaseAfter, err := s.usage()
	if err != nil {
		return err
	}
	s.serverUse = s.serverUse.Plus(serverAfter.Since(server))
	s.databaseUse = s.databaseUse.Plus(databaseAfter.Since(database))
	s.outcomes = append(s.outcomes, out)
	s.rates = append(s.rates, out.Rate())
	return nil
}

// profileName is the file for this series' profile: the one asked for, with the series in its name.
func (s *series) profileName() string {
	ext := filepath.Ext(s.profile)
	return fmt.Sprintf("%s-%s-%s-%s-%d%s", strings.TrimSuffix(s.profile, ext), s.database, s.kind, s.loop, s.workers, ext)
}

// row adds the series up.
func (s *series) row() report.Row {
	row := report.Row{Database: s.database, Load: string(s.kind), Loop: s.loop, Workers: s.workers, Nodes: len(s.servers), Offered: s.offered,
		Rate: median(s.rates), Rates: s.rates, Trivial: median(s.trivialRates), TrivialRates: s.trivialRates,
		RSS: s.rss, PeakRSS: s.peak, Syncs: s.syncs, Troubles: map[string]int64{}}
	latencies := load.NewLatencies()
	for _, out := range slices.Concat(s.unmeasured, s.outcomes) {
		for what, n := range out.Troubles {
			row.Troubles[what] += n
		}
		tally := out.Tally()
		row.Missing += tally.Missing
		row.Surplus += tally.Surplus
		row.Unaccepted += tally.Unaccepted
	}
	for _, out := range s.outcomes {
		row.Cycles += out.Cycles
		latencies.Merge(out.Latencies)
	}
	row.Steps = steps(latencies)
	if row.Trivial > 0 {
		row.Share = row.Rate / row.Trivial
	}
	s.cost(&row)
	return row
}

// cost says what a cycle took from the machine.
func (s *series) cost(row *report.Row) {
	if row.Cycles == 0 {
		return
	}
	cycles := float64(row.Cycles)
	row.ServerCPU = s.serverUse.CPU.Seconds() * 1000 / cycles
	row.DatabaseCPU = s.databaseUse.CPU.Seconds() * 1000 / cycles
	row.BenchCPU = s.benchCPU.Seconds() * 1000 / cycles
	sum := s.serverUse.Plus(s.databaseUse)
	row.Written, row.Passed = each(sum.Written, cycles), each(sum.Passed, cycles)
}

// each is a cycle's part of a sum, -1 of one that is not known.
func each(sum int64, cycles float64) float64 {
	if sum < 0 {
		return -1
	}
	return float64(sum) / cycles
}

func steps(latencies load.Latencies) []report.Step {
	var all []report.Step
	for _, step := range load.Steps() {
		h := latencies[step]
		if h.Count() == 0 {
			continue
		}
		all = append(all, report.Step{Name: step.String(), Count: h.Count(), P50: milliseconds(h.Percentile(50)),
			P90: milliseconds(h.Percentile(90)), P99: milliseconds(h.Percentile(99)),
			P999: milliseconds(h.Percentile(99.9)), Max: milliseconds(h.Max())})
	}
	return all
}

// processorTime is what the bench itself has used.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// median is the middle value, or the mean of the two in the middle; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
