package execute

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// Trace is what happened, step by step, for whoever tries a policy. Values that are secret, and any text with one of
// them in it, are not in it.
type Trace struct {
	Steps []Step
}

// Step is one thing that was run, skipped or refused.
type Step struct {
	// Depth is how deep it is inside others, 0 for what was asked for.
	Depth int
	At    trustframework.Origin
	// What is "technical profile", "transformation" or "display control".
	What, ID string
	// Outcome is what came of it: "done", "skipped: claim objectId is not there", "refused: UserMessageIfInvalidCode".
	Outcome string
	// In and Out are claims by name, values as text.
	In, Out []NamedValue
}

// NamedValue is a claim in a trace.
type NamedValue struct{ Name, Value string }

// hidden stands for a value that is secret.
const hidden = "***"

// shortest is how long a text must be that hides others which have it in them; shorter ones hide only themselves.
const shortest = 4

// secrets are texts that no trace may show.
type secrets struct {
	texts []string
	// codes are those of texts that were handed over.
	codes []string
}

func (s *secrets) handOver(code string) {
	s.add(code)
	if s != nil {
		s.codes = append(s.codes, code)
	}
}

// add takes a text for secret, also as JSON and forms write it.
func (s *secrets) add(text string) {
	if s == nil || text == "" || slices.Contains(s.texts, text) {
		return
	}
	s.texts = append(s.texts, text)
	inJSON, _ := json.Marshal(text) // a string has no error
	for _, written := range []string{string(inJSON[1 : len(inJSON)-1]), url.QueryEscape(text), url.PathEscape(text)} {
		if !slices.Contains(s.texts, written) {
			s.texts = append(s.texts, written)
		}
	}
}

func (s *secrets) has(text string) bool {
	return slices.ContainsFunc(s.texts, func(secret string) bool {
		return text == secret || len(secret) >= shortest && strings.Contains(text, secret)
	})
}

// hide takes out of a trace what was found to be secret after it was written.
func (s *secrets) hide(t *Trace) {
	if t == nil {
		return
	}
	for _, step := range t.Steps {
		for _, values := range [][]NamedValue{step.In, step.Out} {
			for i := range values {
				if s.has(values[i].Value) {
					values[i].Value = hidden
				}
			}
		}
	}
}

// begin adds a step, and returns what ends it.
func (x *run) begin(what, id string, at trustframework.Origin) *step {
	s := &step{x: x}
	if x.q.Trace != nil {
		s.index = len(x.q.Trace.Steps)
		x.q.Trace.Steps = append(x.q.Trace.Steps, Step{Depth: x.depth, At: at, What: what, ID: id})
	}
	x.depth++
	return s
}

type step struct {
	x     *run
	index int
}

func (s *step) in(name string, v claim.Value)  { s.note(name, v, true) }
func (s *step) out(name string, v claim.Value) { s.note(name, v, false) }

func (s *step) note(name string, v claim.Value, in bool) {
	if s.x.q.Trace == nil {
		return
	}
	at := &s.x.q.Trace.Steps[s.index]
	if in {
		at.In = append(at.In, NamedValue{name, v.String()})
	} else {
		at.Out = append(at.Out, NamedValue{name, v.String()})
	}
}

// end says what came of it.
func (s *step) end(err error) {
	outcome := "done"
	if err != nil {
		outcome = "refused: " + err.Error()
	}
	s.finish(outcome)
}

func (s *step) finish(outcome string) {
	s.x.depth--
	if s.x.q.Trace != nil {
		s.x.q.Trace.Steps[s.index].Outcome = outcome
	}
}
