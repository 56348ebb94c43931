package liquid

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/osteele/liquid/expressions"
	"github.com/osteele/liquid/values"
)

// node is a piece of a template that can be rendered.
type node interface {
	render(r *rendering) error
}

type (
	text   string
	output struct{ value expression }
	// leave is break (true) or continue.
	leave  bool
	assign struct {
		name  string
		value expression
	}
	counter struct {
		name string
		up   bool
	}
	cycle struct {
		group  string
		values []string
	}
	branch struct {
		tests []expression
		body  []node
	}
	condition struct {
		branches  []branch
		otherwise []node
	}
	choice struct {
		subject   expression
		branches  []branch
		otherwise []node
	}
	loop struct {
		at        int
		table     bool
		spec      expressions.Loop
		body      []node
		otherwise []node
	}
)

// Ways out of a loop.
var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

func (t text) render(r *rendering) error { return r.write(string(t)) }

func (o output) render(r *rendering) error {
	v, err := r.evaluate(o.value)
	if err != nil {
		return err
	}
	if err := r.put(v, 0); err != nil {
		return r.template.at(o.value.at, err)
	}
	return nil
}

func (l leave) render(*rendering) error {
	if l {
		return errBreak
	}
	return errContinue
}

func (a assign) render(r *rendering) error {
	v, err := r.evaluate(a.value)
	if err == nil {
		r.names[a.name] = v
	}
	return err
}

// render writes the counter before it is counted up, or after it is counted down. Counters are no variables.
func (c counter) render(r *rendering) error {
	n := r.counters[c.name]
	if c.up {
		r.counters[c.name] = n + 1
	} else {
		n--
		r.counters[c.name] = n
	}
	return r.put(n, 0)
}

func (c cycle) render(r *rendering) error {
	n := r.cycles[c.group]
	r.cycles[c.group] = n + 1
	return r.write(c.values[n%len(c.values)])
}

func (c condition) render(r *rendering) error {
	for _, b := range c.branches {
		v, err := r.evaluate(b.tests[0])
		if err != nil {
			return err
		}
		if (v == nil || v == false) == b.tests[0].negated {
			return r.all(b.body)
		}
	}
	return r.all(c.otherwise)
}

func (c choice) render(r *rendering) error {
	subject, err := r.evaluate(c.subject)
	if err != nil {
		return err
	}
	for _, b := range c.branches {
		for _, test := range b.tests {
			v, err := r.evaluate(test)
			if err != nil {
				return err
			}
			if values.Equal(subject, v) {
				return r.all(b.body)
			}
		}
	}
	return r.all(c.otherwise)
}

func (l loop) render(r *rendering) error {
	items, err := l.items(r)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return r.all(l.otherwise)
	}
	columns, err := l.number(r, l.spec.Cols, len(items))
	if err != nil {
		return err
	}
	outer, had := r.names[l.spec.Variable]
	defer func() {
		if delete(r.names, l.spec.Variable); had {
			r.names[l.spec.Variable] = outer
		}
		delete(r.names, "forloop")
		delete(r.names, "tablerowloop")
	}()
	for i, item := range items {
		r.names[l.spec.Variable] = item
		state := map[string]any{"first": i == 0, "last": i == len(items)-1, "index": i + 1, "index0": i,
			"rindex": len(items) - i, "rindex0": len(items) - i - 1, "length": len(items)}
		r.names["forloop"], r.names["tablerowloop"] = state, state
		err := l.turn(r, i, len(items), max(columns, 1))
		if err == errBreak {
			return nil
		}
		if err != nil && err != errContinue {
			return err
		}
	}
	return nil
}

// turn renders the body once, in a cell if the loop makes a table.
func (l loop) turn(r *rendering, i, n, columns int) error {
	if !l.table {
		return r.all(l.body)
	}
	if i%columns == 0 {
		if err := r.write(fmt.Sprintf(`<tr class="row%d">`, i/columns+1)); err != nil {
			return err
		}
	}
	if err := r.write(fmt.Sprintf(`<td class="col%d">`, i%columns+1)); err != nil {
		return err
	}
	left := r.all(l.body)
	if left != nil && left != errBreak && left != errContinue {
		return left
	}
	closing := "</td>"
	if (i+1)%columns == 0 || i+1 == n || left == errBreak {
		closing += "</tr>"
	}
	if err := r.write(closing); err != nil {
		return err
	}
	return left
}

// items are what the loop goes over: the list, without what limit and offset leave out, and reversed if it says so.
func (l loop) items(r *rendering) ([]any, error) {
	v, err := r.evaluate(expression{at: l.at, eval: l.spec.Expr})
	if err != nil {
		return nil, err
	}
	items := list(v)
	offset, err := l.number(r, l.spec.Offset, 0)
	if err != nil {
		return nil, err
	}
	items = items[min(max(offset, 0), len(items)):]
	limit, err := l.number(r, l.spec.Limit, len(items))
	if err != nil {
		return nil, err
	}
	items = items[:min(max(limit, 0), len(items))]
	if l.spec.Reversed {
		turned := make([]any, len(items))
		for i, item := range items {
			turned[len(items)-1-i] = item
		}
		items = turned
	}
	return items, nil
}

func (l loop) number(r *rendering, e expressions.Expression, otherwise int) (int, error) {
	if e == nil {
		return otherwise, nil
	}
	v, err := r.evaluate(expression{at: l.at, eval: e})
	if err != nil {
		return 0, err
	}
	if n, ok := v.(int); ok {
		return n, nil
	}
	return 0, r.template.at(l.at, errors.New("limit, offset and cols must be whole numbers"))
}

// list is a value as a list of at most maxTurns items. What is no list is an empty one: so an absent list has no items.
func list(v any) []any {
	if r, ok := v.(values.Range); ok {
		var items []any
		for i := range min(r.Len(), maxTurns) {
			items = append(items, r.Index(i))
		}
		return items
	}
	rv := reflect.ValueOf(v)
	if v == nil || rv.Kind() != reflect.Slice {
		return nil
	}
	var items []any
	for i := range min(rv.Len(), maxTurns) {
		items = append(items, rv.Index(i).Interface())
	}
	return items
}
