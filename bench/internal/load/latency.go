package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the largest latency told apart from longer ones.
const longest = time.Minute

// Latency is a histogram of times, 1 µs to a minute, exact to three figures.
type Latency struct{ h *hdrhistogram.Histogram }

func newLatency() *Latency {
	return &Latency{hdrhistogram.New(1, longest.Microseconds(), 3)}
}

func (l *Latency) record(d time.Duration) {
	// The value is inside the histogram's range, the only thing that can be wrong with it.
	_ = l.h.RecordValue(min(max(d, time.Microsecond), longest).Microseconds())
}

// Merge adds what another histogram counted.
func (l *Latency) Merge(other *Latency) { l.h.Merge(other.h) }

// Count is how many times were recorded.
func (l *Latency) Count() int64 { return l.h.TotalCount() }

// Percentile is the time that p percent of those recorded do not exceed.
func (l *Latency) Percentile(p float64) time.Duration {
	return time.Duration(l.h.ValueAtPercentile(p)) * time.Microsecond
}

// Max is the longest time recorded.
func (l *Latency) Max() time.Duration { return time.Duration(l.h.Max()) * time.Microsecond }
