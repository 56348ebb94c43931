package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/otpost/otpost/bench/internal/host"
	"github.com/otpost/otpost/bench/internal/load"
	"github.com/otpost/otpost/bench/internal/report"
	"github.com/otpost/otpost/bench/internal/sink"
)

// session is one otpost, or several nodes of it, over one empty database, under one load.
type session struct {
	*bench
	database string
	kind     load.Kind
	post     *load.Post
	servers  []*host.Otpost
	key      string
	series   []*series
}

// session runs a load at every number of workers; what was measured before an error is in the report. The books are
// closed after the servers have stopped, so that a second copy of a code that comes late is still seen.
func (b *bench) session(ctx context.Context, database string, kind load.Kind, nodes int) error {
	s := &session{bench: b, database: database, kind: kind, post: &load.Post{}}
	mail, err := sink.Listen(s.post.Receive)
	if err != nil {
		return err
	}
	defer mail.Close()
	facts := report.Server{Database: database, Load: string(kind), Nodes: nodes}
	if err := s.start(ctx, mail.Addr(), &facts); err != nil {
		return err
	}
	err = errors.Join(s.measure(ctx), s.stop(), mail.Close())
	facts.Strays = s.post.Strays()
	b.report.Servers = append(b.report.Servers, facts)
	for _, series := range s.series {
		b.report.Rows = append(b.report.Rows, series.row())
	}
	return err
}

// stop ends all nodes.
func (s *session) stop() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Stop())
	}
	return errors.Join(errs...)
}

// start brings the first node up twice, over the empty database and again as after an ordinary restart, and then the
// others.
func (s *session) start(ctx context.Context, mailAddr string, facts *report.Server) error {
	settings, err := s.settings(ctx, mailAddr)
	if err != nil {
		return err
	}
	first, err := host.StartOtpost(settings)
	if err != nil {
		return err
	}
	facts.ReadyFirst = milliseconds(first.Ready)
	if err := first.Stop(); err != nil {
		return err
	}
	for settings.Node < facts.Nodes {
		server, err := host.StartOtpost(settings)
		if err != nil {
			return errors.Join(err, s.stop())
		}
		s.servers = append(s.servers, server)
		settings.Node++
	}
	facts.ReadyAgain = milliseconds(s.servers[0].Ready)
	rest(ctx, s.settle)
	if facts.IdleRSS, _, err = s.servers[0].Resident(); err == nil {
		s.key, err = s.servers[0].CreateKey(ctx)
	}
	if err != nil {
		return errors.Join(err, s.stop())
	}
	return nil
}

// settings makes an empty database and a folder for the server.
func (s *session) settings(ctx context.Context, mailAddr string) (host.Settings, error) {
	dir, err := os.MkdirTemp(s.dir, fmt.Sprintf("%s-%s-", s.database, s.kind))
	if err != nil {
		return host.Settings{}, err
	}
	url := "sqlite:" + filepath.Join(dir, "otpost.db")
	if s.database == postgres {
		if url, err = s.bench.postgres.Create(ctx, filepath.Base(dir)); err != nil {
			return host.Settings{}, err
		}
	}
	return host.Settings{Binary: s.otpost, Dir: dir, Database: url, MailAddr: mailAddr, Env: s.env,
		Pprof: s.profile != ""}, nil
}

// measure runs the closed loop at every number of workers, and the open loop after each where one is asked for.
func (s *session) measure(ctx context.Context) error {
	for _, workers := range s.workers {
		closed := &series{session: s, workers: workers, loop: "closed"}
		if err := closed.run(ctx); err != nil {
			return err
		}
		s.series = append(s.series, closed)
		offered := s.rate.rate(median(closed.rates))
		if offered == 0 {
			continue
		}
		open := &series{session: s, workers: workers, loop: "open", offered: offered}
		if err := open.run(ctx); err != nil {
			return err
		}
		s.series = append(s.series, open)
	}
	return nil
}

// usage is what all servers and the database have used.
func (s *session) usage() (server, database host.Usage, err error) {
	for _, node := range s.servers {
		used, err := node.Usage()
		if err != nil {
			return server, database, err
		}
		server = server.Plus(used)
	}
	if s.database == postgres {
		database, err = s.bench.postgres.Usage()
	}
	return server, database, err
}

// resident is the memory of all servers together.
func (s *session) resident() (now, peak int64, err error) {
	for _, node := range s.servers {
		nodeNow, nodePeak, err := node.Resident()
		if err != nil {
			return now, peak, err
		}
		now, peak = now+nodeNow, peak+nodePeak
	}
	return now, peak, nil
}

// rest waits, unless the run is interrupted.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
