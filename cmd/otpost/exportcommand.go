package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

type exportCommand struct {
	targetFlags
}

// Help is the detail under --help.
func (*exportCommand) Help() string {
	return `Prints all settings as a file that otpost apply takes. Secrets are printed as the reference they were taken from, or as (kept), which leaves them as they are on this server and is refused by another.

` + targetHelp + `

Example:

	otpost export > settings.yaml`
}

// exported are all documents.
type exported struct {
	raw  json.RawMessage
	yaml []byte
}

// MarshalJSON is the export as the API answers it.
func (e *exported) MarshalJSON() ([]byte, error) { return e.raw, nil }

// WriteText writes YAML.
func (e *exported) WriteText(w io.Writer) { w.Write(e.yaml) } // what cannot be written, print reports

// Run prints the settings.
func (c *exportCommand) Run(ctx context.Context, p *Program) error {
	target, err := c.target(p)
	if err != nil {
		return err
	}
	e := &exported{}
	if e.raw, err = target.export(ctx); err != nil {
		return err
	}
	if e.yaml, err = asYAML(e.raw); err != nil {
		return fmt.Errorf("write settings as YAML: %w", err)
	}
	return p.print(e)
}

// asYAML writes JSON as YAML, in its order. A reference to a secret becomes its text.
func asYAML(text json.RawMessage) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	node, err := yamlOf(decoder)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return nil, err
	}
	return b.Bytes(), encoder.Close()
}

func yamlOf(d *json.Decoder) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		return yamlOfMany(d, v)
	case string:
		node := &yaml.Node{}
		node.SetString(v)
		return node, nil
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: v.String()}, nil
	}
	node := &yaml.Node{}
	return node, node.Encode(token) // true, false, null
}

func yamlOfMany(d *json.Decoder, open json.Delim) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.SequenceNode}
	if open == '{' {
		node.Kind = yaml.MappingNode
	}
	for d.More() {
		item, err := yamlOf(d)
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, item)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if len(node.Content) == 0 {
		node.Style = yaml.FlowStyle
	}
	if node.Kind == yaml.MappingNode && len(node.Content) == 2 && referenceOf(node) != "" {
		return node.Content[1], nil
	}
	return node, nil
}
