package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// policyTried is what came of a trial.
type policyTried struct {
	Policy string `json:"policy"`
	// Claims are the output claims; nil where there are none, since it was refused or could not be run.
	Claims   []triedClaim   `json:"claims,omitempty"`
	Refusal  *policyRefusal `json:"refusal,omitempty"`
	Error    string         `json:"error,omitempty"`
	Steps    []triedStep    `json:"steps"`
	Requests []triedRequest `json:"requests,omitempty"`
	Messages []triedMessage `json:"messages,omitempty"`
}

type triedClaim struct {
	Name  string      `json:"name"`
	Value claim.Value `json:"value"`
}

// policyRefusal is what the person is told, and by what.
type policyRefusal struct {
	Text      string `json:"text"`
	Key       string `json:"key,omitempty"`
	Profile   string `json:"profile,omitempty"`
	Developer string `json:"developer,omitempty"`
}

type triedStep struct {
	Depth   int               `json:"depth"`
	What    string            `json:"what"`
	ID      string            `json:"id"`
	At      string            `json:"at"`
	Outcome string            `json:"outcome"`
	In      []triedNamedValue `json:"in,omitempty"`
	Out     []triedNamedValue `json:"out,omitempty"`
}

type triedNamedValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// triedRequest is a request that was not sent.
type triedRequest struct {
	// To is "REST service" or "directory".
	To     string   `json:"to"`
	Method string   `json:"method"`
	URL    string   `json:"url"`
	Header []string `json:"header,omitempty"`
	Body   string   `json:"body,omitempty"`
}

type triedMessage struct {
	Channel string `json:"channel"`
	To      string `json:"to"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
}

// triedOf says what came of a request. An error that is neither the person's nor the policy's is returned.
func triedOf(q execute.Request, result execute.Result, failed error) (*policyTried, error) {
	tried := &policyTried{Policy: q.Policy.Name()}
	var told *execute.Told
	var misuse *trustframework.Misuse
	switch {
	case errors.As(failed, &told):
		tried.Refusal = &policyRefusal{Text: told.Text, Key: told.Failure.Key, Profile: told.Failure.Profile, Developer: told.Failure.Developer}
	case errors.As(failed, &misuse):
		tried.Error = misuse.Error()
	case failed != nil:
		return nil, failed
	default:
		tried.Claims = valuesOf(result.Claims)
	}
	tried.Steps = stepsOf(q.Trace, tried.Error)
	return tried, nil
}

// stepsOf are the steps of a trace. What kept all of them from being run is said once, at the end.
func stepsOf(t *execute.Trace, misuse string) []triedStep {
	steps := []triedStep{}
	for _, s := range t.Steps {
		if misuse != "" {
			s.Outcome = strings.ReplaceAll(s.Outcome, "refused: "+misuse, "cannot be run")
		}
		steps = append(steps, triedStep{s.Depth, s.What, s.ID, s.At.String(), s.Outcome, triedValues(s.In), triedValues(s.Out)})
	}
	return steps
}

func triedValues(all []execute.NamedValue) []triedNamedValue {
	var list []triedNamedValue
	for _, v := range all {
		list = append(list, triedNamedValue(v))
	}
	return list
}

func valuesOf(b *claim.Bag) []triedClaim {
	list := []triedClaim{}
	for name, v := range b.All() {
		list = append(list, triedClaim{name, v})
	}
	return list
}

// WriteText shows what happened in its order, and what came of it last.
func (t *policyTried) WriteText(w io.Writer) {
	fmt.Fprintf(w, "policy %s\n\n", t.Policy)
	for _, s := range t.Steps {
		indent := strings.Repeat("  ", s.Depth)
		fmt.Fprintf(w, "%s%s %s: %s  [%s]\n", indent, s.What, s.ID, s.Outcome, s.At)
		for _, v := range s.In {
			fmt.Fprintf(w, "%s    in  %s = %s\n", indent, v.Name, v.Value)
		}
		for _, v := range s.Out {
			fmt.Fprintf(w, "%s    out %s = %s\n", indent, v.Name, v.Value)
		}
	}
	for _, r := range t.Requests {
		fmt.Fprintf(w, "\nrequest to a %s, not sent\n  %s %s\n", r.To, r.Method, r.URL)
		for _, line := range r.Header {
			fmt.Fprintf(w, "  %s\n", line)
		}
		if r.Body != "" {
			fmt.Fprintf(w, "\n  %s\n", r.Body)
		}
	}
	for _, m := range t.Messages {
		fmt.Fprintf(w, "\nmessage, not sent: %s to %s\n", m.Channel, m.To)
		if m.Subject != "" {
			fmt.Fprintf(w, "  Subject: %s\n\n", m.Subject)
		}
		for line := range strings.Lines(m.Text) {
			fmt.Fprintf(w, "  %s\n", strings.TrimRight(line, "\r\n"))
		}
	}
	fmt.Fprintln(w)
	t.writeEnd(w)
}

func (t *policyTried) writeEnd(w io.Writer) {
	switch {
	case t.Refusal != nil:
		fmt.Fprintf(w, "refused: %s\n", list(t.Refusal.Key, after("by ", t.Refusal.Profile), t.Refusal.Developer))
		fmt.Fprintf(w, "the person is told: %s\n", t.Refusal.Text)
	case t.Error != "":
		fmt.Fprintf(w, "cannot be run: %s\n", t.Error)
	case len(t.Claims) == 0:
		fmt.Fprintln(w, "done, without output claims")
	default:
		fmt.Fprintln(w, "output claims")
		for _, c := range t.Claims {
			fmt.Fprintf(w, "  %s = %s\n", c.Name, c.Value)
		}
	}
}
