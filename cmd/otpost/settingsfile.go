package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/internal/suggest"
)

// settingsFile is a file of documents: a list for each kind, under its plural name.
type settingsFile struct {
	// path is how messages name the file, folder is where its file: references begin.
	path, folder string
	getenv       func(string) string
	// only is the one kind that is read, empty for all: what is not read needs no secrets.
	only registry.Kind

	// kinds are those that have a list; set is what the server takes.
	kinds []string
	set   json.RawMessage
	// warnings are about what works and should not be so.
	warnings []string

	items    map[string]*yaml.Node
	problems []string
}

// read takes the text of the file apart, and follows its references to secrets. The error names everything that is wrong.
func (f *settingsFile) read(text []byte) error {
	f.items = map[string]*yaml.Node{}
	root, err := onlyDocument(text)
	if err != nil {
		return usageErrorf("%s: %w", f.path, err)
	}
	set := jsonObject{}
	f.eachPair(root, "", func(key, value *yaml.Node) {
		kind, err := registry.KindOf(key.Value)
		if err != nil {
			f.wrong(key, "%s: %v", key.Value, err)
			return
		}
		if f.only != "" && kind != f.only {
			return
		}
		f.kinds = append(f.kinds, key.Value)
		set = append(set, jsonMember{key.Value, f.list(kind, value)})
	})
	if len(f.problems) > 0 {
		return &exitError{exitUsage, severalWrong(f.problems)}
	}
	f.set, err = json.Marshal(set)
	return err
}

// severalWrong is one error for everything that is wrong.
func severalWrong(problems []string) error {
	if len(problems) == 1 {
		return fmt.Errorf("%s; nothing was changed", problems[0])
	}
	return fmt.Errorf("%d things are wrong, and nothing was changed:\n  %s", len(problems), strings.Join(problems, "\n  "))
}

// onlyDocument is the mapping that a file holds; an empty file holds an empty one.
func onlyDocument(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return &yaml.Node{Kind: yaml.MappingNode}, nil
	case err != nil:
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second YAML document follows; keep one")
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: want lists under the names of kinds, such as \"providers:\" and below it its items", root.Line)
	}
	return root, nil
}

func (f *settingsFile) wrong(at *yaml.Node, format string, args ...any) {
	f.problems = append(f.problems, fmt.Sprintf("%s:%d: %s", f.path, at.Line, fmt.Sprintf(format, args...)))
}

// eachPair calls each for every member of a mapping that is there once.
func (f *settingsFile) eachPair(node *yaml.Node, place string, each func(key, value *yaml.Node)) {
	lines := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		line, twice := lines[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			f.wrong(key, "%s: want the name of a member", place)
		case twice:
			f.wrong(key, "%s: it is already set in line %d", joined(place, key.Value), line)
		default:
			lines[key.Value] = key.Line
			each(key, value)
		}
	}
}

func joined(place, name string) string {
	if place == "" {
		return name
	}
	return place + "." + name
}

// list reads the documents of one kind.
func (f *settingsFile) list(kind registry.Kind, node *yaml.Node) []any {
	documents := []any{}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return documents
	}
	if node.Kind != yaml.SequenceNode {
		f.wrong(node, "%s: want a list", kind.Plural())
		return nil
	}
	for _, item := range node.Content {
		name := memberText(item, "name")
		about := string(kind) + " " + name
		earlier := f.items[about]
		switch {
		case item.Kind != yaml.MappingNode:
			f.wrong(item, "%s: want a %s with its name and members", kind.Plural(), kind)
		case name == "":
			f.wrong(item, "%s: this %s has no name", kind.Plural(), kind)
		case earlier != nil:
			f.wrong(item, "%s: it is already in line %d", about, earlier.Line)
		default:
			f.items[about] = item
			if schema := f.schemaOf(kind, about, item); schema != nil {
				documents = append(documents, f.convert(item, schema, about, ""))
			}
		}
	}
	return documents
}

// schemaOf is the form of a document. Without it secrets could not be told from other settings, so a kind of provider
// that this program does not know is refused here, even if the server should know it.
func (f *settingsFile) schemaOf(kind registry.Kind, about string, item *yaml.Node) *registry.Schema {
	if kind != registry.ProviderKind {
		return registry.SchemaOf(kind)
	}
	found, err := provider.Find(memberText(item, "kind"))
	if err != nil {
		at := item
		if node := memberOf(item, "kind"); node != nil {
			at = node
		}
		f.wrong(at, "%s: kind: %v", about, err)
		return nil
	}
	return registry.ProviderSchema(found)
}

// convert makes JSON of YAML. Where text is wanted a scalar is taken as it is written, so that NO stays a country and 007
// a name.
func (f *settingsFile) convert(node *yaml.Node, schema *registry.Schema, about, place string) any {
	if schema == nil {
		schema = &registry.Schema{}
	}
	if schema.WriteOnly {
		return f.secret(node, schema, about, place)
	}
	switch node.Kind {
	case yaml.MappingNode:
		object := jsonObject{}
		f.eachPair(node, about+": "+place, func(key, value *yaml.Node) {
			member, inner := schema.Properties.Find(key.Value), joined(place, key.Value)
			if member == nil && schema.Closed {
				f.wrong(key, "%s: %s: unknown member%s", about, inner, suggest.For(key.Value, schema.Properties.Names()))
				return
			}
			object = append(object, jsonMember{key.Value, f.convert(value, member, about, inner)})
		})
		return object
	case yaml.SequenceNode:
		items := []any{}
		for i, item := range node.Content {
			items = append(items, f.convert(item, schema.Items, about, fmt.Sprintf("%s[%d]", place, i)))
		}
		return items
	case yaml.ScalarNode:
		return f.scalar(node, schema, about, place)
	}
	f.wrong(node, "%s: %s: aliases are not followed", about, place)
	return nil
}

func (f *settingsFile) scalar(node *yaml.Node, schema *registry.Schema, about, place string) any {
	var value any
	switch tag := node.ShortTag(); {
	case tag == "!!null":
		return nil
	case schema.Type == "string":
		return node.Value
	case tag == "!!int" || tag == "!!float" || tag == "!!bool":
		if err := node.Decode(&value); err != nil {
			f.wrong(node, "%s: %s: %v", about, place, err)
		}
		return value
	}
	return node.Value
}

// memberOf is a member of a mapping, nil when there is none.
func memberOf(node *yaml.Node, name string) *yaml.Node {
	if node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i+1]
		}
	}
	return nil
}

func memberText(node *yaml.Node, name string) string {
	if member := memberOf(node, name); member != nil && member.Kind == yaml.ScalarNode && member.ShortTag() != "!!null" {
		return member.Value
	}
	return ""
}

// step is one part of a place such as providers[1].weight.
var step = regexp.MustCompile(`[^.\[\]]+|\[[0-9]+\]`)

// where is the line of a place in a document of the file; ok is false for one that is not in it.
func (f *settingsFile) where(about, place string) (line int, ok bool) {
	node := f.items[about]
	if node == nil {
		return 0, false
	}
	line = node.Line
	for _, part := range step.FindAllString(place, -1) {
		var next *yaml.Node
		if index := 0; node.Kind == yaml.SequenceNode {
			if n, _ := fmt.Sscanf(part, "[%d]", &index); n == 1 && index < len(node.Content) {
				next = node.Content[index]
			}
		} else {
			next = memberOf(node, part)
		}
		if next == nil {
			break
		}
		node, line = next, next.Line
	}
	return line, true
}

// jsonObject is an object whose order is kept.
type jsonObject []jsonMember

type jsonMember struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o jsonObject) MarshalJSON() ([]byte, error) {
	members := make([][]byte, len(o))
	for i, m := range o {
		name, err := marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		members[i] = slices.Concat(name, []byte(":"), value)
	}
	return slices.Concat([]byte("{"), bytes.Join(members, []byte(",")), []byte("}")), nil
}
