package latency_test

import (
	"testing"
	"time"

	"github.com/otpost/otpost/bench/internal/latency"
)

func TestPercentiles(t *testing.T) {
	low, all := latency.New(), latency.New()
	for i := 1; i <= 1000; i++ {
		h := all
		if i <= 500 {
			h = low
		}
		h.Record(time.Duration(i) * time.Millisecond)
	}
	all.Merge(low)
	if all.Count() != 1000 {
		t.Errorf("counted %d, want 1000", all.Count())
	}
	for p, want := range map[float64]time.Duration{50: 500 * time.Millisecond, 99: 990 * time.Millisecond} {
		if got := all.Percentile(p); (got - want).Abs() > want/1000 {
			t.Errorf("p%v is %v, want %v to three figures", p, got, want)
		}
	}
}

func TestTimesOutsideTheRange(t *testing.T) {
	h := latency.New()
	h.Record(-time.Second)
	if got := h.Max(); got != time.Microsecond {
		t.Errorf("a negative time counts as %v, want 1 µs", got)
	}
	h.Record(time.Hour)
	if got := h.Max(); (got - latency.Longest).Abs() > latency.Longest/500 {
		t.Errorf("an hour counts as %v, want %v", got, latency.Longest)
	}
}
