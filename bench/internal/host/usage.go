package host

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of the times in /proc/PID/stat; Linux shows every architecture 100 a second (proc_pid_stat(5)).
const tick = 10 * time.Millisecond

// Usage is what processes have used since they started.
type Usage struct {
	// CPU is user and system time.
	CPU time.Duration
	// Written is the bytes sent towards storage, Passed the bytes handed to write calls of any kind, sockets included; -1
	// where the kernel does not say.
	Written, Passed int64
}

// Since is what was used after an earlier reading.
func (u Usage) Since(earlier Usage) Usage {
	return Usage{CPU: u.CPU - earlier.CPU, Written: both(u.Written, -1, earlier.Written), Passed: both(u.Passed, -1, earlier.Passed)}
}

// Plus adds two usages.
func (u Usage) Plus(other Usage) Usage {
	return Usage{CPU: u.CPU + other.CPU, Written: both(u.Written, 1, other.Written), Passed: both(u.Passed, 1, other.Passed)}
}

// both is a + sign·b where both are known.
func both(a, sign, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + sign*b
}

// usageOf reads one process, with the children it has outlived.
func usageOf(pid int) (Usage, error) {
	_, cpu, err := readStat(pid)
	if err != nil {
		return Usage{}, err
	}
	return storage(pid, cpu), nil
}

// usageOfFamily reads a process and its living children.
func usageOfFamily(pid int) (Usage, error) {
	sum, err := usageOf(pid)
	if err != nil {
		return Usage{}, err
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return Usage{}, err
	}
	for _, path := range stats {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		// A process that ended since the listing is its parent's now.
		if parent, cpu, err := readStat(child); err == nil && parent == pid {
			sum = sum.Plus(storage(child, cpu))
		}
	}
	return sum, nil
}

// readStat reads parent and processor time from /proc/PID/stat.
func readStat(pid int) (parent int, cpu time.Duration, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read processor time: %w", err)
	}
	return parseStat(text)
}

// parseStat reads fields 4 (ppid) and 14 to 17 (utime, stime, cutime, cstime). The name in field 2 may hold anything,
// so fields are counted from its last parenthesis.
func parseStat(text []byte) (parent int, cpu time.Duration, err error) {
	const first = 3
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= 17-first {
		return 0, 0, fmt.Errorf("read processor time: %d fields", len(fields))
	}
	parent, err = strconv.Atoi(string(fields[4-first]))
	for _, field := range fields[14-first : 18-first] {
		ticks, fieldErr := strconv.ParseInt(string(field), 10, 64)
		if fieldErr != nil {
			err = fieldErr
		}
		cpu += time.Duration(ticks) * tick
	}
	return parent, cpu, err
}

// storage adds to a processor time write_bytes and wchar of /proc/PID/io (proc_pid_io(5)), -1 where it may not be read.
func storage(pid int, cpu time.Duration) Usage {
	u := Usage{CPU: cpu, Written: -1, Passed: -1}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return u
	}
	if n, ok := labelled(text, "write_bytes:"); ok {
		u.Written = n
	}
	if n, ok := labelled(text, "wchar:"); ok {
		u.Passed = n
	}
	return u
}

// residentOf is a process's resident memory in bytes, now and at its peak.
func residentOf(pid int) (now, peak int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read memory: %w", err)
	}
	now, nowOK := labelled(text, "VmRSS:")
	peak, peakOK := labelled(text, "VmHWM:")
	if !nowOK || !peakOK {
		return 0, 0, fmt.Errorf("read memory: no VmRSS or VmHWM")
	}
	return now << 10, peak << 10, nil
}

// labelled finds a line such as `VmRSS: 1234 kB` and returns its number.
func labelled(text []byte, label string) (int64, bool) {
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) >= 2 && string(fields[0]) == label {
			n, err := strconv.ParseInt(string(fields[1]), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
