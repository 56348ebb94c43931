package trustframework

import (
	"cmp"
	"fmt"
	"slices"
)

// Origin is where an element stands. Line and Column count from 1, the column in bytes of the text as UTF-8.
type Origin struct {
	File         string
	Line, Column int
}

// String is file:line:column, as editors read it; what is not known is left out.
func (o Origin) String() string {
	switch {
	case o.Line == 0:
		return o.File
	case o.Column == 0:
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	return fmt.Sprintf("%s:%d:%d", o.File, o.Line, o.Column)
}

// Weight is what a problem did.
type Weight int

const (
	// Odd: the policy can be used as it is, but is probably not what was meant, or not what B2C would take.
	Odd Weight = iota + 1
	// Broken: an element of the policy cannot be used, or not as it is written.
	Broken
	// Refused: the file or its policy is not in the set.
	Refused
)

// String is the word for people.
func (w Weight) String() string {
	switch w {
	case Odd:
		return "odd"
	case Broken:
		return "broken"
	case Refused:
		return "refused"
	}
	return "unknown"
}

// Problem is one thing that is wrong with the files.
type Problem struct {
	At     Origin
	Weight Weight
	// Reason says what is wrong and, where it is not plain, what to do. It names elements and ids, never a value.
	Reason string
	// Dangling: it is a name that there is nothing for, which harms only who follows it.
	Dangling bool
}

// Error makes a problem an error.
func (p Problem) Error() string { return p.At.String() + ": " + p.Reason }

// problems gathers each problem once: policies that share a base share its problems.
type problems struct {
	seen map[Problem]bool
	list []Problem
}

func (p *problems) add(at Origin, weight Weight, format string, args ...any) {
	p.keep(Problem{At: at, Weight: weight, Reason: fmt.Sprintf(format, args...)})
}

func (p *problems) keep(problem Problem) {
	if p.seen[problem] {
		return
	}
	p.seen[problem] = true
	p.list = append(p.list, problem)
}

func (p *problems) sorted() []Problem {
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.At.File, b.At.File), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	return p.list
}
