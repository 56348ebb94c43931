package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/provider"
)

type providerTestCommand struct {
	Name        string        `arg:"" help:"Provider to try."`
	To          string        `required:"" placeholder:"ADDRESS|NUMBER" help:"Email address, or number in international form such as +33123456789."`
	Purpose     string        `placeholder:"PURPOSE" help:"What the message says the code is for: sign_up, sign_in, password_reset, mfa or verify."`
	Locale      string        `placeholder:"TAG" help:"Language of the message, such as fr or pt-BR."`
	Application string        `placeholder:"NAME" help:"Application that the message names, with its templates."`
	Wait        time.Duration `default:"15s" placeholder:"DURATION" help:"How long to wait for the provider's answer, up to 30s (default 15s)."`

	clientFlags
}

// Help is the detail under --help.
func (*providerTestCommand) Help() string {
	return `Asks a running server, with an admin key, to send a real message through this provider alone: with the template and the language it would have, and a code that opens nothing. It counts against the limits of the recipient as every message does.

Exit code 1 means that the provider did not take it; what to do is said. 3 means that the server refused to send it.

Example:

	export OTPOST_KEY=$(otpost key create --admin)
	otpost provider test sendgrid --to alice@example.com --locale fr`
}

// trialRequest is the body of POST /v1/providers/{name}/test.
type trialRequest struct {
	To          string `json:"to"`
	Purpose     string `json:"purpose,omitempty"`
	Locale      string `json:"locale,omitempty"`
	Application string `json:"application,omitempty"`
	WaitMS      int64  `json:"wait_ms"`
}

// trialResult is the answer, kept as it came for --output json.
type trialResult struct {
	raw json.RawMessage

	Verdict  string `json:"verdict"`
	Provider string `json:"provider"`
	Delivery string `json:"delivery"`
	Attempts []struct {
		Class  string `json:"class"`
		Code   string `json:"code"`
		Detail string `json:"detail"`
		TookMS int64  `json:"took_ms"`
		Ref    string `json:"ref"`
	} `json:"attempts"`
	Advice   string             `json:"advice"`
	Findings []provider.Finding `json:"findings"`
}

// MarshalJSON is the answer as the server gave it.
func (t *trialResult) MarshalJSON() ([]byte, error) { return t.raw, nil }

// verdictWords say a verdict to a person.
var verdictWords = map[string]string{"accepted": "took the message", "not_sent": "did not take the message, and it will not be sent",
	"unknown": "did not say in time whether it took the message"}

// WriteText writes what became of the message, each try, what to do, and what was found.
func (t *trialResult) WriteText(w io.Writer) {
	fmt.Fprintf(w, "%s %s.\n", inert(t.Provider), inert(cmp.Or(verdictWords[t.Verdict], t.Verdict)))
	for i, a := range t.Attempts {
		said := "accepted"
		if a.Class != "" {
			said = strings.TrimSpace(a.Class + " " + a.Code)
		}
		line := list(said, after("as ", a.Ref))
		if a.Detail != "" {
			line += ": " + a.Detail
		}
		fmt.Fprintf(w, "  attempt %d, %d ms  %s\n", i+1, a.TookMS, inert(line))
	}
	fmt.Fprintf(w, "\n%s\n", fold(inert(t.Advice), 0))
	if len(t.Findings) > 0 {
		fmt.Fprintln(w, "\nWhat was found about it:")
		writeFindings(w, t.Findings)
	}
}

// Run tries the provider.
func (c *providerTestCommand) Run(ctx context.Context, p *Program) error {
	server, err := c.client(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Wait+patience)
	defer cancel()
	answer, err := server.post(ctx, "/v1/providers/"+url.PathEscape(c.Name)+"/test",
		trialRequest{To: c.To, Purpose: c.Purpose, Locale: c.Locale, Application: c.Application, WaitMS: c.Wait.Milliseconds()})
	if err != nil {
		return err
	}
	var t trialResult
	if err := decode(answer, &t); err != nil {
		return err
	}
	t.raw = answer
	if err := p.print(&t); err != nil {
		return err
	}
	switch t.Verdict {
	case "accepted":
		return nil
	case "not_sent":
		return errNotSent
	}
	return errUnknown
}
