package e2e_test

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

func (l *logBook) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

func (l *logBook) String() string { return string(l.bytes()) }

// find returns the first submatch of the first match, empty when there is none.
func (l *logBook) find(pattern *regexp.Regexp) string {
	if match := pattern.FindSubmatch(l.bytes()); match != nil {
		return string(match[1])
	}
	return ""
}

// lines are the lines that hold each of parts.
func (l *logBook) lines(parts ...string) (found []string) {
next:
	for line := range bytes.Lines(l.bytes()) {
		for _, part := range parts {
			if !bytes.Contains(line, []byte(part)) {
				continue next
			}
		}
		found = append(found, string(line))
	}
	return found
}
