// Package liquid runs templates in Liquid that strangers to the program wrote, within bounds: whatever a template
// says, it is checked before it is kept, ends soon, writes little and reaches nothing but the values it is given.
//
// Expressions, filters' calls and values are those of github.com/osteele/liquid. Tags, filters and rendering are here,
// because a template must stop when it is told to, errors must name a line and a column, and every value must be
// escaped where it is written rather than where it is bound: then no filter can undo it.
//
// What bounds a template:
//
//	source           100 kB
//	steps            20,000: each piece of text, each expression by its length, each filter, as often as loops repeat it
//	loops            one within another is refused; 100 turns at most, and the bounds of a range are written out
//	one value        32 kB, however often it was appended to itself
//	filters' bytes   1 MB read and written by all filters of one rendering
//	output           200 kB
//
// There is no include, render, layout, capture or debug: a template is one text, and sees what its dialect names.
package liquid

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The bounds; see the package's own comment.
const (
	MaxSource = 100_000
	MaxOutput = 200_000
	maxSteps  = 20_000
	maxTurns  = 100
	maxValue  = 32_000
	maxBytes  = 1_000_000
	maxDepth  = 20 // of blocks within blocks
)

// Error is what is wrong with a template, and where.
type Error struct {
	// Line and Column count from 1, Column in characters.
	Line, Column int
	// Problem says what is wrong and what to do.
	Problem string
}

// Error names the place first.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Problem)
}

// Dialect is what templates of one kind may speak of.
type Dialect struct {
	// Variables are dotted paths, such as "code" and "application.name". A path that ends in ".*" has any property.
	Variables []string
	// Texts are the keys that the filter t translates.
	Texts []string
}

// Template is one parsed and checked text. It never changes and may be rendered from many goroutines.
type Template struct {
	source string
	nodes  []node
	steps  int
	uses   []use
}

// Use is a variable of the dialect that a template reads.
type Use struct {
	Variable     string
	Line, Column int
}

// Parse reads and checks a template. Every error is an *Error.
func (d *Dialect) Parse(source string) (*Template, error) {
	p := &parser{dialect: d, source: source, locals: map[string]bool{"blank": true, "empty": true}, turns: 1}
	if len(source) > MaxSource {
		return nil, p.errorf(0, "the template has %d bytes; at most %d are allowed", len(source), MaxSource)
	}
	tokens, err := p.scan()
	if err != nil {
		return nil, err
	}
	p.tokens = tokens
	nodes, err := p.parse()
	if err != nil {
		return nil, err
	}
	return &Template{source: source, nodes: nodes, steps: p.steps, uses: p.uses}, nil
}

// Uses are the variables that the template reads, each where it stands first; at most 100 of them.
func (t *Template) Uses() []Use {
	found := make([]Use, len(t.uses))
	for i, u := range t.uses {
		found[i].Variable = u.path
		found[i].Line, found[i].Column = position(t.source, u.at)
	}
	return found
}

// Steps is how many steps rendering takes at most.
func (t *Template) Steps() int { return t.steps }

// use is a path and the offset it stands at.
type use struct {
	path string
	at   int
}

// maxUses bounds what is remembered of a template's variables.
const maxUses = 100

// position is the line and column of an offset into the source.
func position(source string, at int) (line, column int) {
	before := source[:min(at, len(source))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

func (p *parser) errorf(at int, format string, a ...any) error {
	line, column := position(p.source, at)
	return &Error{Line: line, Column: column, Problem: fmt.Sprintf(format, a...)}
}

// at gives an error that has no place yet the place it was found at.
func (t *Template) at(offset int, err error) error {
	var placed *Error
	if errors.As(err, &placed) {
		return placed
	}
	line, column := position(t.source, offset)
	return &Error{Line: line, Column: column, Problem: err.Error()}
}
