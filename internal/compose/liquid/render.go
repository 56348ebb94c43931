package liquid

import (
	"context"
	"errors"
	"fmt"
	"html"
	"maps"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/osteele/liquid/expressions"
	"github.com/osteele/liquid/values"
)

// Scope is what one rendering works with.
type Scope struct {
	// Values are the variables. A value is nil, a string, a bool, an int, a float64, a map[string]any of such, or a
	// Later. What is absent or nil counts as false in a condition and shows as nothing.
	Values map[string]any
	// Translate is the filter t: the text of a key, false when there is none.
	Translate func(key string) (string, bool)
	// HTML escapes every value where it is written.
	HTML bool
	// Now is the time of "now" in the filter date.
	Now time.Time
}

// Later is a value that is made when it is asked for.
type Later func() any

// ToLiquid is how the library asks for it.
func (l Later) ToLiquid() any { return l() }

// Bounds that a rendering ran into.
var (
	errOutput = fmt.Errorf("the text becomes longer than %d bytes", MaxOutput)
	errValue  = fmt.Errorf("a value becomes longer than %d bytes", maxValue)
	errBytes  = fmt.Errorf("its filters read and write more than %d bytes in one message", maxBytes)
	errDeep   = errors.New("the value holds lists within lists")
)

// Render writes the template out. It ends with ctx, and by itself within the bounds of the package.
// Errors that come of the template are *Error; none holds a value.
func (t *Template) Render(ctx context.Context, s *Scope) (rendered string, err error) {
	r := renderings.Get().(*rendering)
	defer r.release()
	defer func() {
		if recover() != nil {
			rendered, err = "", t.at(0, r.because(nil))
		}
	}()
	r.template, r.scope, r.ctx = t, s, ctx
	maps.Copy(r.names, s.Values)
	r.names["empty"] = ""
	if err := r.all(t.nodes); err != nil {
		return "", err
	}
	return r.out.String(), nil
}

// rendering is one template being rendered. It is used again, since the library binds filters to a context.
type rendering struct {
	context  expressions.Context
	names    map[string]any // what the context looks names up in
	counters map[string]int
	cycles   map[string]int

	template *Template
	scope    *Scope
	ctx      context.Context
	out      strings.Builder
	bytes    int
	// stopped is why a filter stopped the rendering; the library would report it as text.
	stopped error
}

// renderings are kept because making one adds all filters to a table.
var renderings = sync.Pool{New: func() any {
	r := &rendering{names: map[string]any{}, counters: map[string]int{}, cycles: map[string]int{}}
	var config expressions.Config
	for name, filter := range r.filters() {
		config.AddFilter(name, filter)
	}
	r.context = expressions.NewContext(r.names, config)
	return r
}}

// release forgets the message, which holds a code, before the rendering is kept.
func (r *rendering) release() {
	clear(r.names)
	clear(r.counters)
	clear(r.cycles)
	r.template, r.scope, r.ctx, r.bytes, r.stopped = nil, nil, nil, 0, nil
	r.out.Reset()
	renderings.Put(r)
}

func (r *rendering) all(nodes []node) error {
	for _, n := range nodes {
		if r.ctx.Err() != nil {
			return fmt.Errorf("render template: %w", r.ctx.Err())
		}
		if err := n.render(r); err != nil {
			return err
		}
	}
	return nil
}

// evaluate computes an expression. What the library panics with is an error of the template.
func (r *rendering) evaluate(e expression) (v any, err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			v, err = nil, r.template.at(e.at, r.because(nil))
		}
	}()
	if v, err = e.eval.Evaluate(r.context); err != nil {
		return nil, r.template.at(e.at, r.because(err))
	}
	return v, nil
}

// because says why an expression failed, without any value: the library's own words would hold them.
func (r *rendering) because(err error) error {
	if r.stopped != nil {
		return r.stopped
	}
	var failed expressions.FilterError
	if errors.As(err, &failed) {
		return fmt.Errorf("the filter %s cannot be applied to this value", failed.FilterName)
	}
	return errors.New("the expression cannot be computed from these values")
}

// put writes a value, escaped if the text is HTML.
func (r *rendering) put(v any, depth int) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return r.escaped(v)
	case lines:
		return r.lines(v)
	case values.Range:
		return r.escaped(fmt.Sprintf("%d..%d", v.Index(0), v.Index(v.Len()-1)))
	}
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Slice:
		if depth > 1 {
			return errDeep
		}
		for _, item := range list(v) {
			if err := r.put(item, depth+1); err != nil {
				return err
			}
		}
		return nil
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return r.escaped(fmt.Sprint(v))
	}
	return nil // a map or whatever else has no text
}

func (r *rendering) escaped(s string) error {
	if r.scope.HTML {
		s = html.EscapeString(s)
	}
	return r.write(s)
}

// lines writes what newline_to_br made.
func (r *rendering) lines(v lines) error {
	if !r.scope.HTML {
		return r.write(string(v))
	}
	return r.write(strings.ReplaceAll(html.EscapeString(string(v)), "\n", "<br>\n"))
}

func (r *rendering) write(s string) error {
	if r.out.Len()+len(s) > MaxOutput {
		return r.template.at(0, errOutput)
	}
	r.out.WriteString(s)
	return nil
}
