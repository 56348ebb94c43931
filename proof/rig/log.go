package rig

import (
	"bytes"
	"regexp"
	"sync"
)

// LogBook keeps what a process writes.
type LogBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *LogBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *LogBook) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

func (l *LogBook) String() string { return string(l.Bytes()) }

// find returns the first submatch of the first match, empty when there is none.
func (l *LogBook) find(pattern *regexp.Regexp) string {
	if match := pattern.FindSubmatch(l.Bytes()); match != nil {
		return string(match[1])
	}
	return ""
}

// Lines are the lines that hold each of parts.
func (l *LogBook) Lines(parts ...string) (found []string) {
next:
	for line := range bytes.Lines(l.Bytes()) {
		for _, part := range parts {
			if !bytes.Contains(line, []byte(part)) {
				continue next
			}
		}
		found = append(found, string(line))
	}
	return found
}
