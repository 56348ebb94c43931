package config

import (
	"fmt"
	"strings"
)

// Source is a kind of place a value comes from.
type Source string

// The sources, the weakest first.
const (
	FromDefault Source = "default"
	FromFile    Source = "file"
	FromEnv     Source = "environment"
	FromFlag    Source = "flag"
)

// Origin is where one value came from.
type Origin struct {
	Source Source
	// Where is the line of the file, the variable or the flag; empty for a default.
	Where string
}

func (o Origin) String() string {
	if o.Where == "" {
		return string(FromDefault)
	}
	return o.Where
}

// Problem is one thing wrong with the settings.
type Problem struct {
	// Setting is empty when the problem is not with one setting.
	Setting string
	Origin  Origin
	// Value is what was written, empty for a secret.
	Value string
	// What is wrong, and what to do about it.
	What string
	Do   string
}

func (p *Problem) Error() string {
	var s strings.Builder
	s.WriteString(p.Origin.String())
	if p.Setting != "" {
		s.WriteString(": " + p.Setting)
	}
	if p.Value != "" {
		fmt.Fprintf(&s, " %q", p.Value)
	}
	s.WriteString(": " + p.What)
	if p.Do != "" {
		s.WriteString("; " + p.Do)
	}
	return s.String()
}

// Problems is everything that is wrong with the settings, reported together so that it can be mended together.
type Problems []*Problem

func (ps Problems) Error() string {
	if len(ps) == 1 {
		return "wrong setting: " + ps[0].Error()
	}
	lines := []string{fmt.Sprintf("%d wrong settings:", len(ps))}
	for _, p := range ps {
		lines = append(lines, "  "+p.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find one Problem.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}
