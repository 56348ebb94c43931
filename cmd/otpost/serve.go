package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/otpost/otpost/internal/config"
)

// sweepInterval is how often ended passcodes are wiped and old ones forgotten.
const sweepInterval = time.Minute

// serve runs one process until ctx ends, and then stops in good order.
func serve(ctx context.Context, c *config.Config, log *slog.Logger) error {
	s, err := openServer(ctx, c, log)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.run(ctx, func(running) error { return nil })
}

// running is where a server that runs is reached.
type running struct{ public, ops net.Addr }

// gcPercent lets the heap of a server grow fivefold between two collections. It is small, so that is some tens of MiB,
// and at full load collecting it costs a third of what it would by default. GOGC overrides it.
const gcPercent = 400

func tuneGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// run listens, works until ctx ends or a part fails, and stops: readiness goes first, then requests are finished, then
// deliveries are finished or given back.
func (s *server) run(ctx context.Context, ready func(running) error) error {
	tuneGC()
	var at running
	public, err := s.listenPublic(&at)
	if err != nil {
		return err
	}
	ops, err := s.listen(s.settings.OpsListen, "ops_listen")
	if err != nil {
		return err
	}
	at.ops = ops.Addr()
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	group, failed := errgroup.WithContext(ctx)
	// hard ends when the time for a stop is over: whatever still goes on then is cut off.
	hard, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	// draining begins when failed is over and readiness is gone: the listener goes after it, also where nothing keeps it up.
	draining, drain := context.WithCancel(context.WithoutCancel(ctx))
	defer drain()
	context.AfterFunc(failed, func() {
		defer drain()
		s.health.Drain()
		s.log.Info("stopping: finishing requests and deliveries", "limit", s.settings.ShutdownTimeout.String())
		time.AfterFunc(s.settings.ShutdownTimeout, cutOff)
	})
	stopped := make(chan struct{})
	opsServer := s.httpServer(opsHandler(s.metrics.registry, s.healthHandler(), s.healthHandler(), s.settings.Pprof))
	group.Go(func() error { return listenUntil(opsServer, ops, stopped) })
	if public != nil {
		handler, err := s.public()
		if err != nil {
			return err
		}
		server := s.httpServer(handler)
		group.Go(func() error { return s.servePublic(draining, hard, server, public, stopWork) })
	} else {
		context.AfterFunc(failed, stopWork)
	}
	group.Go(func() error {
		defer close(stopped)
		return s.work(work, hard)
	})
	if s.verifier != nil {
		// Keys come before readiness, but a key server that is slow or down does not keep the other doors shut.
		go s.verifier.Run(work)
	}
	go s.registry.Follow(work)
	s.log.Info("listening", "public", addressOf(at.public), "operations", at.ops.String(), "version", buildOf().Version)
	if err := ready(at); err != nil {
		return err
	}
	return group.Wait()
}

func addressOf(a net.Addr) string {
	if a == nil {
		return "none"
	}
	return a.String()
}

func (s *server) listenPublic(at *running) (net.Listener, error) {
	if s.settings.Only == config.Worker {
		return nil, nil
	}
	l, err := s.listen(s.settings.Listen, "listen")
	if err == nil {
		at.public = l.Addr()
	}
	return l, err
}

func (s *server) listen(address, setting string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("setting %s: %w", setting, err)
	}
	return l, nil
}

// httpServer bounds what a slow or silent client can hold.
func (s *server) httpServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
}

// servePublic serves until ctx ends; then it finishes the requests under way, until hard ends, and lets the workers stop.
func (s *server) servePublic(ctx, hard context.Context, server *http.Server, l net.Listener, stopWork context.CancelFunc) error {
	defer stopWork()
	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { drained <- server.Shutdown(hard) })
	err := server.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err) // the listener failed by itself
	}
	if err := <-drained; err != nil {
		server.Close()
		s.log.Warn("some requests were cut off", "error", err)
	}
	stopWork()
	s.log.Info("requests are finished: finishing the deliveries that are being sent")
	return nil
}

// listenUntil serves the operations listener to the very end, so that the last figures and the draining can be seen.
func listenUntil(server *http.Server, l net.Listener, stopped <-chan struct{}) error {
	go func() {
		<-stopped
		server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve operations: %w", err)
	}
	return nil
}

// work sends and sweeps until ctx ends, and gives back what it holds.
func (s *server) work(ctx, hard context.Context) error {
	if s.settings.Only == config.Web {
		<-ctx.Done()
		return nil
	}
	go s.sweep(ctx)
	var carry errgroup.Group
	carry.Go(func() error { return s.post.Run(ctx, hard) })
	carry.Go(func() error { return s.events.Run(ctx, hard) })
	if err := carry.Wait(); err != nil {
		return fmt.Errorf("give deliveries back: %w", err)
	}
	return nil
}

func (s *server) sweep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepInterval + rand.N(sweepInterval/4)): // nodes do not sweep in step
		}
		if n, err := s.db.Sweep(ctx, now(), s.settings.Retention); err != nil && ctx.Err() == nil {
			s.log.Error("sweep", "error", err)
		} else if n > 0 {
			s.log.Debug("swept", "rows", n)
		}
	}
}

// healthHandler serves the two health paths on the operations listener too.
func (s *server) healthHandler() http.Handler {
	mux := http.NewServeMux()
	s.health.Mount(mux)
	return mux
}
