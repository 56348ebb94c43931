package transform

import (
	"fmt"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// run is one run of a transformation. The bag is only read before commit.
type run struct {
	transformation *trustframework.ClaimsTransformation
	method         *method
	bag            *claim.Bag
	scene          Scene
	results        []result
}

// result is what an output claim gets. Without a value it loses the one that it has.
type result struct {
	output trustframework.TransformationClaim
	value  claim.Value
	none   bool
}

// input finds the value of an input claim; ok is false if there is none.
func (r *run) input(name string) (v claim.Value, ok bool) {
	s := slot{name: name}
	for _, known := range r.method.inputs {
		if known.name == name {
			s = known
		}
	}
	for _, in := range r.transformation.Inputs {
		if s.is(nameOf(in)) {
			v, _ = r.bag.Get(in.Claim)
			return v, !v.Empty()
		}
	}
	return claim.Value{}, false
}

// text is the value of an input claim as text, empty if it has none.
func (r *run) text(name string) string {
	v, _ := r.input(name)
	return v.String()
}

// need is the value of an input claim that must have one, where a document says that one without "throws an exception".
func (r *run) need(name string) (claim.Value, error) {
	v, ok := r.input(name)
	if !ok {
		return v, r.misuse("the input claim %s has no value, and the method %s needs one", name, r.method.name)
	}
	return v, nil
}

// time is the value of an input claim as an instant.
func (r *run) time(name string) (at time.Time, ok bool, err error) {
	v, ok := r.input(name)
	if !ok {
		return time.Time{}, false, nil
	}
	if at, isTime := v.Time(); isTime {
		return at, true, nil
	}
	parsed, err := claim.Parse(claim.DateTime, v.String())
	if err != nil {
		return time.Time{}, false, r.misuse("the input claim %s %v", name, err)
	}
	at, ok = parsed.Time()
	return at, ok, nil
}

// parameter is the value of an input parameter; ok is false if there is none.
func (r *run) parameter(name string) (value string, ok bool) {
	for _, p := range r.transformation.Parameters {
		if strings.EqualFold(p.ID, name) {
			return p.Value, true
		}
	}
	return "", false
}

// string is the value of an input parameter, empty if there is none.
func (r *run) string(name string) string {
	value, _ := r.parameter(name)
	return value
}

// choice is the value of an input parameter that is told apart without case.
func (r *run) choice(name string) string { return strings.ToLower(strings.TrimSpace(r.string(name))) }

// on is the value of a boolean input parameter.
func (r *run) on(name string, otherwise bool) bool {
	v, err := claim.Parse(claim.Boolean, r.string(name))
	if err != nil {
		return otherwise
	}
	b, _ := v.Bool()
	return b
}

// number is the value of an int input parameter.
func (r *run) number(name string, otherwise int64) int64 {
	v, err := claim.Parse(claim.Long, r.string(name))
	if err != nil {
		return otherwise
	}
	n, _ := v.Int()
	return n
}

// output gives every output claim of a name a value.
func (r *run) output(name string, v claim.Value) { r.put(name, v, false) }

// clear takes the value from every output claim of a name.
func (r *run) clear(name string) { r.put(name, claim.Value{}, true) }

func (r *run) put(name string, v claim.Value, none bool) {
	for _, out := range r.transformation.Outputs {
		if strings.EqualFold(nameOf(out), name) {
			r.results = append(r.results, result{out, v, none})
		}
	}
}

// commit converts what came out to the types of the claims, and puts it into the bag if all can be.
func (r *run) commit() error {
	for i := range r.results {
		result := &r.results[i]
		declared, _ := r.scene.Policy.Claim(result.output.Claim)
		kind := claim.TypeOf(declared.DataType)
		if result.none || result.value.Empty() && kind != claim.String {
			result.none = true
			continue
		}
		converted, err := result.value.As(kind)
		if err != nil {
			return &trustframework.Misuse{At: result.output.At, Element: "claims transformation " + r.transformation.ID,
				Reason: "what comes out for the claim type " + declared.ID + " " + err.Error()}
		}
		result.value = converted
	}
	for _, result := range r.results {
		if result.none {
			r.bag.Delete(result.output.Claim)
		} else {
			r.bag.Set(result.output.Claim, result.value)
		}
	}
	return nil
}

// resolve puts in what stands for expressions.
func (r *run) resolve(text string) string {
	if r.scene.Resolve == nil {
		return text
	}
	return r.scene.Resolve(text)
}

// localized finds a text of the page.
func (r *run) localized(elementType, id string) string {
	if r.scene.Text == nil {
		return ""
	}
	text, _ := r.scene.Text(elementType, "", id)
	return text
}

func (r *run) misuse(format string, args ...any) error {
	return &trustframework.Misuse{At: r.transformation.At, Element: "claims transformation " + r.transformation.ID, Reason: fmt.Sprintf(format, args...)}
}

// failure is what the person is told: a key that policies have texts for, and ours for those that have none.
func (r *run) failure(key, text string) error {
	return &trustframework.Failure{Key: key, Default: text, Profile: r.transformation.ID}
}
