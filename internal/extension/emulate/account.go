package emulate

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/extension"
)

// account writes a run down.
type account interface {
	begin() error
	event(played) error
	end(*tally) error
}

func (e *Emulator) account(out io.Writer) account {
	if e.options.JSON {
		return &lines{json.NewEncoder(out), e.options.Summary}
	}
	return &prose{e: e, out: out}
}

// prose is the account for people.
type prose struct {
	e   *Emulator
	out io.Writer
}

func (w *prose) begin() error {
	o := &w.e.options
	var b strings.Builder
	fmt.Fprintf(&b, "Entra calls %s\n", withoutQuery(o.Target))
	if w.e.issuer == nil {
		b.WriteString("  token    as given\n")
	} else {
		fmt.Fprintf(&b, "  token    issuer %s, audience %s\n", w.e.issuer.Name(o.Version), o.Audience)
	}
	fallback := "no fallback"
	if o.Fallback {
		fallback = "fallback to Microsoft's own mail"
	}
	fmt.Fprintf(&b, "  listener timeout %s, %s, %s\n\n", ms(o.Timeout), counted(o.Retries, "retry", "retries"), fallback)
	_, err := io.WriteString(w.out, b.String())
	return err
}

func (w *prose) event(p played) error {
	if w.e.options.Summary {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d  %s  code %s  correlation %s\n", p.number, p.event.Identifier, p.event.Code, p.event.CorrelationID)
	for _, a := range p.result.Attempts {
		fmt.Fprintf(&b, "   attempt %d  %s  %s\n", a.Number, ms(a.Took), finding(a))
	}
	switch outcome(p.result) {
	case "sent":
		b.WriteString("   sent: Entra shows the page that asks for the code\n")
	case "fallback":
		b.WriteString("   fallback: Microsoft mails the code itself\n")
	default:
		b.WriteString("   lost: no code is sent and the sign-in fails\n")
	}
	_, err := io.WriteString(w.out, b.String())
	return err
}

// finding is what Entra makes of an attempt.
func finding(a extension.Attempt) string {
	if a.Code == 0 {
		return fmt.Sprintf("HTTP %d, the documented answer", a.Status)
	}
	s := fmt.Sprintf("error %d %s", a.Code, a.Code)
	switch {
	case a.Code == extension.TimedOut:
		return "no answer in time, " + s
	case a.Err != nil:
		return "no answer, " + s + ": " + a.Err.Error()
	}
	return fmt.Sprintf("HTTP %d, %s", a.Status, s)
}

func (w *prose) end(t *tally) error {
	var b strings.Builder
	if !w.e.options.Summary {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s, %s in %.1f s: %d sent, %d by fallback, %d lost\n", counted(t.events, "event", "events"),
		counted(t.attempts, "attempt", "attempts"), t.elapsed.Seconds(), t.sent, t.fellBack, t.lost)
	took := t.times()
	fmt.Fprintf(&b, "attempts took: median %s, p99 %s, p99.9 %s, slowest %s\n", ms(took.median), ms(took.p99), ms(took.p999), ms(took.slowest))
	if len(t.mailbox) > 0 {
		b.WriteString("\nFallback mailbox\n")
		for _, m := range t.mailbox {
			fmt.Fprintf(&b, "   %s  %s\n", m.To, m.Code)
		}
	}
	if t.unauthorized > 0 && w.e.issuer != nil {
		b.WriteString("\nThe receiver did not accept the token. --print-issuer prints what it must be told to trust.\n")
	}
	_, err := io.WriteString(w.out, b.String())
	return err
}

// sumLine is the sum of a run; Took is over all attempts.
type sumLine struct {
	Events   int      `json:"events"`
	Attempts int      `json:"attempts"`
	Sent     int      `json:"sent"`
	Fallback int      `json:"fallback"`
	Lost     int      `json:"lost"`
	Took     tookLine `json:"took_ms"`
	Elapsed  float64  `json:"elapsed_ms"`
	Mailbox  []mail   `json:"fallback_mailbox,omitzero"`
}

type tookLine struct {
	Median  float64 `json:"p50"`
	P99     float64 `json:"p99"`
	P999    float64 `json:"p999"`
	Slowest float64 `json:"max"`
}

// lines is the account for programs: one object for each event, and one for the sum.
type lines struct {
	enc     *json.Encoder
	summary bool
}

type attemptLine struct {
	Number    int       `json:"number"`
	At        time.Time `json:"at"`
	Status    int       `json:"status,omitempty"`
	ErrorCode int       `json:"error_code,omitempty"`
	ErrorName string    `json:"error_name,omitempty"`
	Error     string    `json:"error,omitempty"`
	TookMS    float64   `json:"took_ms"`
}

func (w *lines) begin() error { return nil }

func (w *lines) event(p played) error {
	if w.summary {
		return nil
	}
	line := struct {
		Event         int           `json:"event"`
		To            string        `json:"to"`
		Code          string        `json:"code"`
		CorrelationID string        `json:"correlation_id"`
		Outcome       string        `json:"outcome"`
		Attempts      []attemptLine `json:"attempts"`
	}{Event: p.number, To: p.event.Identifier, Code: p.event.Code, CorrelationID: p.event.CorrelationID, Outcome: outcome(p.result)}
	for _, a := range p.result.Attempts {
		l := attemptLine{Number: a.Number, At: a.At, Status: a.Status, ErrorCode: int(a.Code), TookMS: asMS(a.Took)}
		if a.Code != 0 {
			l.ErrorName = a.Code.String()
		}
		if a.Err != nil {
			l.Error = a.Err.Error()
		}
		line.Attempts = append(line.Attempts, l)
	}
	return w.enc.Encode(line)
}

func (w *lines) end(t *tally) error {
	took := t.times()
	line := sumLine{Events: t.events, Attempts: t.attempts, Sent: t.sent, Fallback: t.fellBack, Lost: t.lost,
		Took: tookLine{asMS(took.median), asMS(took.p99), asMS(took.p999), asMS(took.slowest)}, Elapsed: asMS(t.elapsed)}
	if !w.summary {
		line.Mailbox = append([]mail{}, t.mailbox...)
	}
	return w.enc.Encode(line)
}

// withoutQuery leaves out the query, which may hold a function key.
func withoutQuery(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return "the target"
	}
	u.RawQuery, u.User = "", nil
	return u.String()
}

func ms(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}

func asMS(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
