package rig

import (
	"bytes"
	"regexp"
	"sync"
)

// logBook keeps what a process writes.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

func (l *logBook) String() string { return string(l.Bytes()) }

// find returns the first submatch of the first match, empty when there is none.
func (l *logBook) find(pattern *regexp.Regexp) string {
	if match := pattern.FindSubmatch(l.Bytes()); match != nil {
		return string(match[1])
	}
	return ""
}

// Lines are the lines that hold each of parts.
func (l *logBook) Lines(parts ...string) (found []string) {
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
