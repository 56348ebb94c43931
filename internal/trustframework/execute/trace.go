package execute

import "github.com/otpost/otpost/internal/trustframework"

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
	// What is such as "technical profile", "transformation", "precondition", "display control", "validation".
	What, ID string
	// Outcome is what came of it, in words: "done", "skipped: claim email exists", "refused: UserMessageIfInvalidCode".
	Outcome string
	// In and Out are claims by name, values as text.
	In, Out []NamedValue
}

// NamedValue is a claim in a trace.
type NamedValue struct{ Name, Value string }
