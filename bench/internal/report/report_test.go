package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/bench/internal/report"
)

func good() report.Report {
	return report.Report{
		Began:   time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC),
		Machine: report.Machine{System: "linux/amd64", CPUs: 2, Go: "go1.26", FileSystem: "ext4"}, Duration: 6, Repeats: 3,
		Limits:  []report.Limit{{Name: "append", PerSecond: 4500, P99: 0.31}},
		Servers: []report.Server{{Database: "sqlite", Load: "w1", ReadyFirst: 61.5, ReadyAgain: 40, IdleRSS: 20 << 20}},
		Rows: []report.Row{{Database: "sqlite", Load: "w1", Loop: "closed", Workers: 64, Rate: 6712.4, Trivial: 48000,
			Share: 0.13984, Cycles: 120000, Steps: []report.Step{{Name: "cycle", P50: 8.5, P99: 20.25}}, Written: 2048, Passed: -1, Syncs: 0.05, ServerCPU: 0.21}},
	}
}

func TestText(t *testing.T) {
	var got strings.Builder
	r := good()
	if err := r.Text(&got); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"2026-01-02 03:04 · linux/amd64, 2 CPUs, go1.26, databases on ext4 · 3 × 6s, medians\n",
		"append", "4,500", "0.31", "61.5", "20.0",
		"1.9", "50,000", "210", "–",
		"6,712", "0.140", "48,000", "8.50", "20.2",
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("%q is missing in\n%s", want, got.String())
		}
	}
}

func TestFailed(t *testing.T) {
	for name, spoil := range map[string]func(*report.Report){
		"trouble":       func(r *report.Report) { r.Rows[0].Troubles = map[string]int64{"issue: status 500": 2} },
		"missing":       func(r *report.Report) { r.Rows[0].Missing = 1 },
		"surplus":       func(r *report.Report) { r.Rows[0].Surplus = 1 },
		"unaccepted":    func(r *report.Report) { r.Rows[0].Unaccepted = 1 },
		"nothing right": func(r *report.Report) { r.Rows[0].Cycles = 0 },
		"strays":        func(r *report.Report) { r.Servers[0].Strays = 1 },
	} {
		r := good()
		if r.Failed() {
			t.Fatal("a good report failed")
		}
		if spoil(&r); !r.Failed() {
			t.Errorf("%s: the report did not fail", name)
		}
	}
}
