//go:build unix

package provider_test

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/provider"
)

// cpu is the processor time this process has used, client and sink together.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkSMTPCompose(b *testing.B) {
	c, err := provider.NewComposer("Contoso <codes@example.org>")
	if err != nil {
		b.Fatal(err)
	}
	m := sampleMessage()
	start := cpu()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Size("dlv_0123456789abcdefghjkmnpqrs", m); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
}

func BenchmarkSMTPKeptConnection(b *testing.B) {
	sink := startDevNull(b)
	s := openSMTP(b, map[string]string{"host": "127.0.0.1", "port": sink, "tls": "none", "connections": "1"})
	m := sampleMessage()
	if _, err := s.Send(context.Background(), "dlv_0", m); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	start := cpu()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Send(ctx, "dlv_0123456789abcdefghjkmnpqrs", m); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
}

func BenchmarkSMTPEightConnections(b *testing.B) {
	sink := startDevNull(b)
	s := openSMTP(b, map[string]string{"host": "127.0.0.1", "port": sink, "tls": "none", "connections": "8"})
	m := sampleMessage()
	start := cpu()
	var wg sync.WaitGroup
	work := make(chan struct{}, 64)
	for range 64 {
		wg.Go(func() {
			for range work {
				if _, err := s.Send(context.Background(), "dlv_0123456789abcdefghjkmnpqrs", m); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/op")
}
