package emulate

import (
	"fmt"
	"io"
	"time"
)

// progress is the line of a terminal that says how far a run is.
type progress struct {
	out         io.Writer
	of          int
	began, told time.Time
	shown       bool
}

// tell writes the line anew when the last one is a second old. A terminal that cannot be written to must not end a run.
func (p *progress) tell(t *tally, now time.Time) {
	if p.out == nil || now.Sub(p.told) < time.Second {
		return
	}
	p.told, p.shown = now, true
	fmt.Fprintf(p.out, "\r%d of %d events, %.0f a second: %d sent, %d by fallback, %d lost ", t.events, p.of,
		float64(t.events)/now.Sub(p.began).Seconds(), t.sent, t.fellBack, t.lost)
}

func (p *progress) end() {
	if p.shown {
		fmt.Fprintln(p.out)
	}
}
