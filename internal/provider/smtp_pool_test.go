package provider_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/otpost/otpost/internal/provider"
)

func TestSMTPIdleConnectionIsAskedBeforeItIsUsed(t *testing.T) {
	server := &script{}
	s := openSMTP(t, inClear(server.start(t)))
	for range 3 {
		if _, err := s.Send(context.Background(), "dlv_1", sampleMessage()); err != nil {
			t.Fatal(err)
		}
		provider.AgeConnections(s, 20*time.Second)
	}
	noops := 0
	for _, line := range server.said() {
		if line == "NOOP" {
			noops++
		}
	}
	if noops != 2 || server.opened() != 1 {
		t.Errorf("got %d NOOP over %d connections, want 2 over 1: %q", noops, server.opened(), server.said())
	}
}

func TestSMTPBusyConnectionIsNotAsked(t *testing.T) {
	server := &script{}
	s := openSMTP(t, inClear(server.start(t)))
	for range 3 {
		if _, err := s.Send(context.Background(), "dlv_1", sampleMessage()); err != nil {
			t.Fatal(err)
		}
	}
	if said := server.said(); slices.Contains(said, "NOOP") || slices.Contains(said, "RSET") {
		t.Errorf("the server heard %q, want nothing between messages", said)
	}
}

func TestSMTPIdleConnectionThatSaysNothingIsReplaced(t *testing.T) {
	for name, a := range map[string]act{"hangs": hang(func() {}), "421": sayAndClose("421 4.4.2 too long"), "reset": reset()} {
		t.Run(name, func(t *testing.T) {
			// A third of the time is for the question.
			err := inTime(t, func(left time.Duration, there func()) error {
				server := &script{at: on("NOOP", a)}
				s := openSMTP(t, inClear(server.start(t)))
				if _, err := s.Send(context.Background(), "dlv_1", sampleMessage()); err != nil {
					t.Fatal(err)
				}
				provider.AgeConnections(s, 20*time.Second)
				ctx, cancel := context.WithTimeout(context.Background(), left)
				defer cancel()
				_, err := s.Send(ctx, "dlv_2", sampleMessage())
				if err == nil || ctx.Err() == nil {
					there()
				}
				if err == nil && server.opened() != 2 {
					t.Errorf("got %d connections, want 2", server.opened())
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSMTPIdleConnectionIsClosedPolitely(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, how := range []string{"idle", "Close"} {
		t.Run(how, func(t *testing.T) {
			left := make(chan struct{})
			server := &script{at: on("QUIT", func(*scriptConn) bool { close(left); return false })}
			settings := inClear(server.start(t))
			if how == "idle" {
				settings["idle"] = "1ms"
			}
			s := openSMTP(t, settings)
			if _, err := s.Send(context.Background(), "dlv_1", sampleMessage()); err != nil {
				t.Fatal(err)
			}
			if how == "Close" {
				s.(io.Closer).Close()
			}
			<-left
		})
	}
}
