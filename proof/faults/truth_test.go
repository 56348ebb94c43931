package faults_test

import (
	"sync"
)

// truth is what the servers know.
type truth struct {
	mu sync.Mutex
	// takings are the messages that were kept, by the delivery's id.
	takings map[string][]taking
	// met are the rows that each recipient's or, before the recipient is known, each delivery's tries ran into.
	met map[string][]*row
	// suffered counts how often each row was acted out.
	suffered map[*row]int
	codes    map[string]bool
	// broken are rules that otpost broke towards a server.
	broken []string
}

// taking is one message that a server kept.
type taking struct{ to, code string }

func newTruth() *truth {
	return &truth{takings: map[string][]taking{}, met: map[string][]*row{}, suffered: map[*row]int{}, codes: map[string]bool{}}
}

func (w *truth) take(id, to, code string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.takings[id] = append(w.takings[id], taking{to, code})
}

// saw notes a code that reached a server, whether or not the message was kept.
func (w *truth) saw(code string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.codes[code] = true
}

// acted notes that a row is acted out on the tries of whom, a recipient or a delivery, empty when that is not known.
func (w *truth) acted(r *row, whom string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.suffered[r]++
	if whom != "" {
		w.met[whom] = append(w.met[whom], r)
	}
}

// times is how often any of the rows was acted out.
func (w *truth) times(rows ...*row) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range rows {
		n += w.suffered[r]
	}
	return n
}

func (w *truth) complain(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, what)
}
