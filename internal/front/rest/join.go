package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Join makes one contract of this door's and those of other doors: their paths, and what their components have that this
// one's have not. All of them are OpenAPI 3.1 documents.
func Join(others ...[]byte) ([]byte, error) {
	joined := OpenAPI()
	for _, other := range others {
		var err error
		if joined, err = joinTwo(joined, other); err != nil {
			return nil, fmt.Errorf("join contracts: %w", err)
		}
	}
	return joined, nil
}

func joinTwo(ours, theirs []byte) ([]byte, error) {
	var a, b struct {
		all        ordered[json.RawMessage]
		Tags       []json.RawMessage
		Paths      ordered[json.RawMessage]
		Components ordered[ordered[json.RawMessage]]
	}
	for _, err := range []error{json.Unmarshal(ours, &a), json.Unmarshal(ours, &a.all), json.Unmarshal(theirs, &b)} {
		if err != nil {
			return nil, err
		}
	}
	a.Tags = append(a.Tags, b.Tags...)
	a.Paths = append(a.Paths, b.Paths...)
	for _, section := range b.Components {
		mine := a.Components.find(section.Name)
		if mine == nil {
			a.Components = append(a.Components, section)
			continue
		}
		for _, p := range section.Value {
			if mine.find(p.Name) == nil {
				*mine = append(*mine, p)
			}
		}
	}
	for name, part := range map[string]any{"tags": a.Tags, "paths": a.Paths, "components": a.Components} {
		text, err := json.Marshal(part)
		if err != nil {
			return nil, err
		}
		*a.all.find(name) = text // a document of ours has all three
	}
	text, err := json.Marshal(a.all)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, text, "", " ")
	out.WriteByte('\n')
	return out.Bytes(), err
}

func (o ordered[T]) find(name string) *T {
	for i := range o {
		if o[i].Name == name {
			return &o[i].Value
		}
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (o ordered[T]) MarshalJSON() ([]byte, error) {
	out := []byte("{")
	for i, p := range o {
		name, err := json.Marshal(p.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(p.Value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}
