package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/bench/internal/host"
)

func TestParseStat(t *testing.T) {
	line := "42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 1 20 0 1 0 5 6 7\n"
	parent, cpu, err := host.ParseStat([]byte(line))
	if err != nil || parent != 7 || cpu != 1240*time.Millisecond {
		t.Errorf("got parent %d, %v, %v; want 7, 1.24s", parent, cpu, err)
	}
	for _, broken := range []string{"", "42 (x) S 7", strings.Replace(line, "100", "x", 1)} {
		if _, _, err := host.ParseStat([]byte(broken)); err == nil {
			t.Errorf("%q was read", broken)
		}
	}
}

func TestLabelled(t *testing.T) {
	text := []byte("VmHWM:\t  512 kB\nVmRSS:\t  256 kB\nwrite_bytes: 7\nBroken: x\nEmpty:\n")
	for label, want := range map[string]int64{"VmRSS:": 256, "VmHWM:": 512, "write_bytes:": 7} {
		if got, ok := host.Labelled(text, label); !ok || got != want {
			t.Errorf("%s got %d, %v; want %d", label, got, ok, want)
		}
	}
	for _, label := range []string{"Broken:", "Empty:", "bytes:"} {
		if _, ok := host.Labelled(text, label); ok {
			t.Errorf("%s was found", label)
		}
	}
}

func TestParseKey(t *testing.T) {
	for output, want := range map[string]string{
		`{"id":"1","key":"otp_a"}`: "otp_a",
		`{"id":"1"}`:               "", `otp_c`: "", ``: "",
	} {
		got, err := host.ParseKey([]byte(output))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v; want %q", output, got, err, want)
		}
	}
}

func TestParseSyncs(t *testing.T) {
	summary := "% time     seconds  usecs/call     calls    errors syscall\n" +
		"------ ----------- ----------- --------- --------- ----------------\n" +
		" 97.25    0.001308         327         4           fdatasync\n" +
		"  2.75    0.000037          18         2         1 fsync\n" +
		"------ ----------- ----------- --------- --------- ----------------\n" +
		"100.00    0.001345         224         6         1 total\n"
	if got := host.ParseSyncs(summary); got != 6 {
		t.Errorf("got %d, want 6", got)
	}
	if got := host.ParseSyncs(""); got != 0 {
		t.Errorf("nothing counts as %d", got)
	}
}
