package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/otpost/otpost/internal/doctor"
	"github.com/otpost/otpost/internal/provider"
)

type doctorCommand struct {
	Provider string        `placeholder:"NAME" help:"Look at this provider alone, and at the domain it sends from."`
	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*doctorCommand) Help() string {
	return `Looks at what the server of these settings stands on: the key ring, the database, the routes, each provider's account and the way to it, and what the DNS says of the domains that mail is sent from. Nothing is sent and nothing is changed. Run it where the server runs, with the same settings.

Exit code 1 means that something is bad: messages are not sent, or do not arrive.

Example:

	otpost doctor
	otpost doctor --provider sendgrid --output json`
}

// errUnwell is returned when something is bad.
var errUnwell = errors.New("something is wrong")

// Run examines what the settings name.
func (c *doctorCommand) Run(ctx context.Context, p *Program) error {
	if p.Examine == nil {
		return errMissing
	}
	settings, err := c.Settings.load(p)
	if err != nil {
		return err
	}
	shown := &progress{}
	if p.output == "text" && terminal(p.Stderr) {
		shown.w = p.Stderr
	}
	report, err := p.Examine(ctx, settings, c.Provider, shown.told)
	shown.clear()
	if err != nil {
		return err
	}
	if err := p.print(examined{report}); err != nil {
		return err
	}
	if bad := report.Count(provider.Bad); bad > 0 {
		return fmt.Errorf("%w: %s", errUnwell, things(bad, "thing is bad", "things are bad"))
	}
	return nil
}

// progress says how far an examination is, on a line that is written over. Without a terminal it says nothing.
type progress struct {
	w    io.Writer
	mu   sync.Mutex
	done int
}

func (p *progress) told(name string, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done++; p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[K%d of %d looked at: %s", p.done, of, inert(name))
	}
}

func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// examined is a report as a result.
type examined struct{ doctor.Report }

// MarshalJSON writes the sections and how many findings there are of each verdict.
func (e examined) MarshalJSON() ([]byte, error) {
	return marshal(map[string]any{"sections": e.Sections, "good": e.Count(provider.Good), "doubtful": e.Count(provider.Doubtful),
		"bad": e.Count(provider.Bad)})
}

// WriteText writes the sections one under the other, and what they come to.
func (e examined) WriteText(w io.Writer) {
	for _, s := range e.Sections {
		fmt.Fprintln(w, inert(s.Name))
		writeFindings(w, s.Findings)
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%d good, %d doubtful, %d bad.\n", e.Count(provider.Good), e.Count(provider.Doubtful), e.Count(provider.Bad))
	if e.Count(provider.Bad) == 0 {
		fmt.Fprintln(w, "Whether a message arrives is known when one has: otpost provider test NAME --to ADDRESS")
	}
}

// textWidth is where the lines of findings are broken.
const textWidth = 100

// writeFindings writes each finding with its verdict, and below it what to do.
func writeFindings(w io.Writer, found []provider.Finding) {
	width := 0
	for _, f := range found {
		width = max(width, len(f.Subject))
	}
	indent := 2 + 10 + width + 2
	for _, f := range found {
		fmt.Fprintf(w, "  %-8s  %-*s  %s\n", f.Verdict, width, inert(f.Subject), fold(inert(f.Found), indent))
		if f.Do != "" {
			fmt.Fprintf(w, "%*s-> %s\n", indent, "", fold(inert(f.Do), indent+3))
		}
	}
}

// fold breaks text into lines that are all indented but the first.
func fold(text string, indent int) string {
	var b strings.Builder
	at := indent
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case at+1+len(word) > textWidth:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}

// things counts in words.
func things(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
