package rest

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

//go:embed docs.html
var docsFiles embed.FS

// reference is the contract as a page shows it.
type reference struct {
	About      prose
	Operations []operationView
}

type operationView struct {
	ID, Method, Path, Summary string
	Description               prose
	Open                      bool // needs no API key
	Parameters                []rowView
	Body                      []rowView
	BodyOptional              bool
	Example                   string
	Answers                   []answerView
}

type answerView struct {
	Status      string
	Description prose
	Members     []rowView
}

// rowView is a parameter or a member.
type rowView struct {
	Name, Type  string
	Description prose
	Required    bool
	Values      []string
}

// prose is text with code between backticks, the part of CommonMark that the contract uses.
type prose string

type span struct {
	Text string
	Code bool
}

// Spans are the parts of the text, in order.
func (p prose) Spans() (spans []span) {
	for i, part := range strings.Split(string(p), "`") {
		spans = append(spans, span{Text: part, Code: i%2 == 1})
	}
	return spans
}

// The parts of an OpenAPI document that a page shows.
type (
	document struct {
		Info       struct{ Description prose }
		Paths      ordered[ordered[apiOperation]]
		Components struct {
			Schemas   map[string]schema
			Responses map[string]apiResponse
		}
	}
	apiOperation struct {
		OperationID, Summary string
		Description          prose
		Security             *[]any
		Parameters           []apiParameter
		RequestBody          struct {
			Required bool
			Content  map[string]media
		}
		Responses ordered[apiResponse]
	}
	apiParameter struct {
		Name, In    string
		Description prose
		Required    bool
		Schema      schema
	}
	apiResponse struct {
		Ref         string `json:"$ref"`
		Description prose
		Content     map[string]media
	}
	media struct {
		Schema  schema
		Example json.RawMessage
	}
	schema struct {
		Ref         string `json:"$ref"`
		Type        any    // a string, or a list of strings
		Description prose
		Format      string
		Enum        []any
		Default     any
		Minimum     *int
		Maximum     *int
		Required    []string
		Properties  ordered[schema]
		Items       *schema
		OneOf       []schema
	}
)

// ordered is a JSON object whose order is kept.
type ordered[T any] []pair[T]

type pair[T any] struct {
	Name  string
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordered[T]) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return errors.Join(err, errors.New("want an object"))
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		p := pair[T]{Name: fmt.Sprint(name)}
		if err := dec.Decode(&p.Value); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		*o = append(*o, p)
	}
	return nil
}

// newReference makes the page's content out of an OpenAPI document.
func newReference(contract []byte) (reference, error) {
	var d document
	if err := json.Unmarshal(contract, &d); err != nil {
		return reference{}, fmt.Errorf("read openapi.json: %w", err)
	}
	out := reference{About: d.Info.Description}
	for _, path := range d.Paths {
		for _, o := range path.Value {
			out.Operations = append(out.Operations, d.operation(strings.ToUpper(o.Name), path.Name, o.Value))
		}
	}
	return out, nil
}

func (d *document) operation(method, path string, o apiOperation) operationView {
	view := operationView{ID: o.OperationID, Method: method, Path: path, Summary: o.Summary,
		Description: o.Description, Open: o.Security != nil && len(*o.Security) == 0}
	for _, p := range o.Parameters {
		view.Parameters = append(view.Parameters, rowView{Name: p.Name, Type: typeOf(p.Schema) + ", " + p.In,
			Description: p.Description, Required: p.Required, Values: words(p.Schema.Enum)})
	}
	if body, ok := o.RequestBody.Content["application/json"]; ok {
		view.Body = d.members("", body.Schema)
		view.BodyOptional = !o.RequestBody.Required
		view.Example = indent(body.Example)
	}
	for _, r := range o.Responses {
		view.Answers = append(view.Answers, d.answer(r.Name, r.Value))
	}
	return view
}

func (d *document) answer(status string, r apiResponse) answerView {
	if name, ok := strings.CutPrefix(r.Ref, "#/components/responses/"); ok {
		r = d.Components.Responses[name]
	}
	view := answerView{Status: status, Description: r.Description}
	if body, ok := r.Content["application/json"]; ok {
		view.Members = d.members("", body.Schema)
	}
	return view
}

// members lists the members of an object, those of inner objects with their paths.
func (d *document) members(prefix string, s schema) (rows []rowView) {
	s = d.resolve(s)
	for _, p := range s.Properties {
		inner := d.resolve(p.Value)
		description := p.Value.Description
		if description == "" {
			description = inner.Description
		}
		row := rowView{Name: prefix + p.Name, Type: typeOf(inner), Description: description, Values: words(inner.Enum)}
		for _, name := range s.Required {
			row.Required = row.Required || name == p.Name
		}
		rows = append(rows, row)
		if inner.Items != nil {
			rows = append(rows, d.members(row.Name+"[].", *inner.Items)...)
		}
		rows = append(rows, d.members(row.Name+".", inner)...)
	}
	return rows
}

// resolve follows a reference, and takes the first of several forms.
func (d *document) resolve(s schema) schema {
	if len(s.OneOf) > 0 {
		s.Ref = s.OneOf[0].Ref
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.Components.Schemas[name]
	}
	return s
}

func typeOf(s schema) string {
	out := ""
	switch t := s.Type.(type) {
	case string:
		out = t
	case []any:
		out = strings.Join(words(t), " or ")
	}
	if s.Format != "" {
		out += " (" + s.Format + ")"
	}
	if s.Minimum != nil && s.Maximum != nil {
		out += fmt.Sprintf(", %d to %d", *s.Minimum, *s.Maximum)
	}
	if s.Default != nil {
		out += fmt.Sprintf(", default %v", s.Default)
	}
	return out
}

func words(values []any) (out []string) {
	for _, v := range values {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

func indent(example json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, example, "", "  ") != nil {
		return ""
	}
	return b.String()
}
