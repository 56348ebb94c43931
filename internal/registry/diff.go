package registry

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// Action is what is done with a document.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Diff is what changes, by kind and name.
type Diff []Difference

// Difference is what changes in one document.
type Difference struct {
	Kind   Kind    `json:"kind"`
	Name   string  `json:"name"`
	Action Action  `json:"action"`
	Fields []Field `json:"fields"`
	// Warnings are what whoever changes it should know; it works nevertheless.
	Warnings []string `json:"warnings,omitempty"`
}

// Field is one value that changes. Old and New are JSON, empty where there is none; a secret is shown as changed without
// its value.
type Field struct {
	Path string `json:"path"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

func (d Diff) sort() {
	order := map[Kind]int{}
	for i, k := range Kinds() {
		order[k] = i
	}
	slices.SortFunc(d, func(a, b Difference) int {
		return cmp.Or(order[a.Kind]-order[b.Kind], cmp.Compare(a.Name, b.Name))
	})
}

// warn adds what templates warn of.
func (d Diff) warn(s *Snapshot) {
	for i := range d {
		if d[i].Kind != TemplateKind {
			continue
		}
		for _, t := range s.templates {
			if t.Document.Name != d[i].Name {
				continue
			}
			for _, w := range t.Warnings {
				d[i].Warnings = append(d[i].Warnings, w.String())
			}
		}
	}
}

// hidden stands for a secret in a Diff.
const hidden = "(secret)"

// fieldsOf lists the values in which two documents differ.
func fieldsOf(old, made Document) []Field {
	fields := []Field{}
	a, b := leaves(old), leaves(made)
	shownA, shownB := shownLeaves(old), shownLeaves(made)
	paths := slices.Collect(maps.Keys(a))
	for p := range b {
		if _, ok := a[p]; !ok {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	for _, p := range paths {
		if a[p] != b[p] {
			fields = append(fields, Field{Path: p, Old: mask(a, shownA, p), New: mask(b, shownB, p)})
		}
	}
	return fields
}

// mask is the value at a path as it may be shown.
func mask(all, shown map[string]string, path string) string {
	value, ok := all[path]
	if !ok || shown[path] == value {
		return value
	}
	return hidden
}

func leaves(d Document) map[string]string { return leavesOf(d.Body) }

func shownLeaves(d Document) map[string]string {
	body, err := d.Shown()
	if err != nil {
		return nil
	}
	return leavesOf(body)
}

// leavesOf maps the path of each value that is not an object or a list to its JSON.
func leavesOf(body json.RawMessage) map[string]string {
	out := map[string]string{}
	var v any
	if json.Unmarshal(body, &v) == nil {
		collect(out, "", v)
	}
	return out
}

func collect(out map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			collect(out, join(path, name), member)
		}
	case []any:
		for i, item := range v {
			collect(out, path+"["+strconv.Itoa(i)+"]", item)
		}
	default:
		if text, err := json.Marshal(v); err == nil && path != "" {
			out[path] = string(text)
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
