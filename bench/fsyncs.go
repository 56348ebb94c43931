package main

import (
	"context"

	"github.com/otpost/otpost/bench/internal/load"
)

// countSyncs runs a series of the closed loop once more and counts how often files are forced to the disk for a cycle.
// It is a run of its own, since strace slows the server down; the more cycles wait, the more of them share a commit, so
// the count is at least what it is at full speed.
func (s *series) countSyncs(ctx context.Context, plan load.Plan) error {
	s.syncs = -1
	if s.fsyncs == 0 || s.loop != "closed" {
		return nil
	}
	plan.Duration = s.fsyncs
	var out *load.Outcome
	act := func() (err error) {
		out, err = load.Run(ctx, s.target(), s.post, plan)
		return err
	}
	n, err := s.syncsOf(ctx, act)
	if err != nil {
		return err
	}
	s.unmeasured = append(s.unmeasured, out)
	if out.Cycles > 0 {
		s.syncs = float64(n) / float64(out.Cycles)
	}
	return nil
}

// syncsOf counts for the database that writes: otpost itself on SQLite, PostgreSQL otherwise.
func (s *series) syncsOf(ctx context.Context, act func() error) (int64, error) {
	if s.database == sqlite {
		return s.servers[0].CountSyncs(ctx, act)
	}
	before, err := s.bench.postgres.Syncs(ctx)
	if err != nil {
		return 0, err
	}
	if err := act(); err != nil {
		return 0, err
	}
	after, err := s.bench.postgres.Syncs(ctx)
	return after - before, err
}
