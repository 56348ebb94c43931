package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

type timelineCommand struct {
	ID string `arg:"" name:"id" help:"Id of the passcode, as send printed it."`

	clientFlags
}

// Help is the detail under --help.
func (*timelineCommand) Help() string {
	return `Every fact that is known, oldest first: who asked, what a limit refused, each provider that was tried and its answer, what it reported later, each wrong code, and the end. No code is ever in it.

Example:

	otpost timeline pc_01jd5k2m3n4p5q6r7s8t9v0w1x`
}

// history is the answer, kept as it came for --output json.
type history struct {
	raw json.RawMessage

	Timeline []fact `json:"timeline"`
}

// fact is one event of a timeline.
type fact struct {
	At          string `json:"at"`
	Event       string `json:"event"`
	Application string `json:"application"`
	Purpose     string `json:"purpose"`
	Channel     string `json:"channel"`
	Locale      string `json:"locale"`
	Delivery    string `json:"delivery"`
	Provider    string `json:"provider"`
	Attempt     int    `json:"attempt"`
	TookMS      int64  `json:"took_ms"`
	Class       string `json:"class"`
	Code        string `json:"provider_code"`
	Detail      string `json:"detail"`
	Ref         string `json:"provider_ref"`
	Reason      string `json:"reason"`
	Limit       string `json:"limit"`
}

// MarshalJSON is the answer as the server gave it.
func (h *history) MarshalJSON() ([]byte, error) { return h.raw, nil }

// WriteText writes a line for each event: when, what, and what is known of it.
func (h *history) WriteText(w io.Writer) {
	width := 0
	for i := range h.Timeline {
		width = max(width, len(h.Timeline[i].Event))
	}
	for i := range h.Timeline {
		f := &h.Timeline[i]
		line := fmt.Sprintf("%s  %-*s  %s", f.At, width, f.Event, f.words())
		fmt.Fprintln(w, strings.TrimSpace(inert(line)))
	}
}

// words are what an event says beside its name.
func (f *fact) words() string {
	switch f.Event {
	case "asked":
		return list("for "+f.Purpose, "over "+f.Channel, after("in ", f.Locale), after("by ", f.Application))
	case "created":
		return f.Delivery
	case "handed":
		return list("to "+f.Provider, fmt.Sprintf("attempt %d", f.Attempt), fmt.Sprintf("answered in %d ms", f.TookMS), f.answer())
	case "limited", "tried":
		return list(f.Reason, after("limit of ", f.Limit))
	default:
		return list(after("by ", f.Provider), after("as ", f.Ref), f.answer())
	}
}

// answer is what a provider said.
func (f *fact) answer() string {
	said := strings.TrimSpace(f.Class + " " + f.Code)
	if f.Detail == "" {
		return said
	}
	return cmp.Or(said, "it said") + ": " + f.Detail
}

func after(word, value string) string {
	if value == "" {
		return ""
	}
	return word + value
}

func list(parts ...string) string {
	var said []string
	for _, part := range parts {
		if part != "" {
			said = append(said, part)
		}
	}
	return strings.Join(said, ", ")
}

// Run shows a timeline.
func (c *timelineCommand) Run(ctx context.Context, p *Program) error {
	server, err := c.client(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := server.get(ctx, "/v1/passcodes/"+url.PathEscape(c.ID))
	if err != nil {
		return err
	}
	var h history
	if err := decode(answer, &h); err != nil {
		return err
	}
	h.raw = answer
	return p.print(&h)
}
