// Package latency counts how long things took, in histograms exact to three figures.
package latency

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Longest is the largest time told apart from longer ones.
const Longest = time.Minute

// Histogram is a count of times from 1 µs to Longest. It is not safe for parallel use.
type Histogram struct{ h *hdrhistogram.Histogram }

// New makes an empty histogram.
func New() *Histogram { return &Histogram{hdrhistogram.New(1, Longest.Microseconds(), 3)} }

// Record counts one time; one outside the range counts as its nearer end.
func (l *Histogram) Record(d time.Duration) {
	// Being out of range is the only thing that can be wrong with a value, and it is not.
	_ = l.h.RecordValue(min(max(d, time.Microsecond), Longest).Microseconds())
}

// Merge adds what another histogram counted.
func (l *Histogram) Merge(other *Histogram) { l.h.Merge(other.h) }

// Count is how many times were recorded.
func (l *Histogram) Count() int64 { return l.h.TotalCount() }

// Percentile is the time that p percent of those recorded do not exceed, 0 when there are none.
func (l *Histogram) Percentile(p float64) time.Duration {
	return time.Duration(l.h.ValueAtPercentile(p)) * time.Microsecond
}

// Max is the longest time recorded.
func (l *Histogram) Max() time.Duration { return time.Duration(l.h.Max()) * time.Microsecond }
