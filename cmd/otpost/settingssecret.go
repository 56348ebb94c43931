package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/otpost/otpost/internal/registry"
)

// secret reads a secret: a reference that is followed here, (kept), or the value itself, which is taken with a warning.
func (f *settingsFile) secret(node *yaml.Node, schema *registry.Schema, about, place string) any {
	ref := referenceOf(node)
	if node.Kind == yaml.SequenceNode && slices.ContainsFunc(node.Content, func(n *yaml.Node) bool { return referenceOf(n) != "" }) {
		if len(node.Content) > 1 {
			f.wrong(node, "%s: %s: want one reference in place of the list; what it names is divided by commas", about, place)
			return nil
		}
		ref = referenceOf(node.Content[0])
	}
	switch {
	case ref != "":
		value, err := f.follow(ref)
		if err != nil {
			f.wrong(node, "%s: %s: %v", about, place, err)
			return nil
		}
		return jsonObject{{"ref", ref}, {"value", inForm(value, schema)}}
	case node.Kind == yaml.ScalarNode && (node.ShortTag() == "!!null" || node.Value == registry.Kept):
		return f.scalar(node, &registry.Schema{Type: "string"}, about, place)
	case node.Kind == yaml.MappingNode:
		f.wrong(node, "%s: %s: want env:NAME or file:PATH", about, place)
		return nil
	}
	f.warnings = append(f.warnings, fmt.Sprintf("%s:%d: %s: %s: the secret stands in the file; write env:NAME or file:PATH instead",
		f.path, node.Line, about, place))
	return f.convert(node, schema.AnyOf[0], about, place)
}

// referenceOf is the reference that a value is, also in the form in which the API shows it; empty when it is none.
func referenceOf(node *yaml.Node) string {
	text := node.Value
	if node.Kind == yaml.MappingNode && len(node.Content) == 2 {
		text = memberText(node, "ref")
	}
	if strings.HasPrefix(text, "env:") || strings.HasPrefix(text, "file:") {
		return text
	}
	return ""
}

// maxSecret is the largest file that is taken for a secret, in bytes.
const maxSecret = 64 << 10

// follow reads what a reference names. A path begins where the settings file is.
func (f *settingsFile) follow(ref string) (string, error) {
	if name, ok := strings.CutPrefix(ref, "env:"); ok {
		value := f.getenv(name)
		if value == "" {
			return "", errors.New("the environment variable " + name + " is not set")
		}
		return value, nil
	}
	path := strings.TrimPrefix(ref, "file:")
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.folder, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Size() > maxSecret {
		return "", errors.New(path + " is too large for a secret")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	value := strings.TrimRight(string(text), "\r\n")
	if value == "" {
		return "", errors.New(path + " is empty")
	}
	return value, nil
}

// inForm is a value as the setting wants it: a list is divided by white space and commas.
func inForm(value string, schema *registry.Schema) any {
	if schema.AnyOf[0].Type != "array" {
		return value
	}
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
}
