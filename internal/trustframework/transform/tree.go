package transform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// deepest is how many segments a path may have.
const deepest = 64

// tree is a JSON document whose members stay in the order in which they were put in. The zero value is empty.
type tree struct {
	kind    treeKind
	names   []string
	members map[string]*tree
	items   []*tree
	value   claim.Value
}

type treeKind int

const (
	unset treeKind = iota
	object
	array
	leaf
	null
)

// put sets the value at a path of names and indices with dots between (json-transformations.md, GenerateJson): "After
// splitting by dots, any integers are interpreted as the index of a JSON array and non-integers are interpreted as the
// index of a JSON object." Arrays are filled from zero "without skipping any number". There is false for a claim without
// a value: what it is in is made, and it is not, unless it is an item. Errors go on from the path, and a path with one
// may have been made in part.
func (t *tree) put(path string, v claim.Value, there bool) error {
	segments := strings.Split(path, ".")
	if len(segments) > deepest {
		return fmt.Errorf("has more than %d segments", deepest)
	}
	for i, segment := range segments {
		last := i == len(segments)-1
		index, err := strconv.Atoi(segment)
		switch {
		case segment == "":
			return errors.New("has an empty segment; write names and numbers with one dot between")
		case err == nil && segment[0] >= '0' && segment[0] <= '9':
			if t, err = t.item(index); err == nil && last && !there {
				return t.be(null)
			}
		case last && !there:
			return t.be(object)
		default:
			t, err = t.member(segment)
		}
		if err != nil {
			return err
		}
	}
	if t.kind != unset {
		return errors.New("has a value already, or is the beginning of another path")
	}
	t.kind, t.value = leaf, v
	return nil
}

// be makes a tree an object or array, once.
func (t *tree) be(kind treeKind) error {
	if t.kind != unset && t.kind != kind {
		return errors.New("goes through what another path has as a value, or has a number where another has a name")
	}
	t.kind = kind
	return nil
}

func (t *tree) member(name string) (*tree, error) {
	if err := t.be(object); err != nil {
		return nil, err
	}
	if t.members[name] == nil {
		if t.members == nil {
			t.members = map[string]*tree{}
		}
		t.names = append(t.names, name)
		t.members[name] = &tree{}
	}
	return t.members[name], nil
}

func (t *tree) item(index int) (*tree, error) {
	if err := t.be(array); err != nil {
		return nil, err
	}
	if index > len(t.items) {
		return nil, fmt.Errorf("skips an item: the array has %d, so that the next is %d; claims come before parameters", len(t.items), len(t.items))
	}
	if index == len(t.items) {
		t.items = append(t.items, &tree{})
	}
	return t.items[index], nil
}

// String is the document, without blanks.
func (t *tree) String() string {
	var to bytes.Buffer
	t.write(&to)
	return to.String()
}

func (t *tree) write(to *bytes.Buffer) {
	switch t.kind {
	case array:
		to.WriteByte('[')
		for i, item := range t.items {
			if i > 0 {
				to.WriteByte(',')
			}
			item.write(to)
		}
		to.WriteByte(']')
	case null:
		to.WriteString("null")
	case leaf:
		writeValue(to, t.value)
	default:
		to.WriteByte('{')
		for i, name := range t.names {
			if i > 0 {
				to.WriteByte(',')
			}
			writeText(to, name)
			to.WriteByte(':')
			t.members[name].write(to)
		}
		to.WriteByte('}')
	}
}

func writeValue(to *bytes.Buffer, v claim.Value) {
	switch v.Type() {
	case claim.Boolean, claim.Int, claim.Long:
		to.WriteString(strings.ToLower(v.String()))
	case claim.StringCollection:
		to.WriteByte('[')
		for i, item := range v.Items() {
			if i > 0 {
				to.WriteByte(',')
			}
			writeText(to, item)
		}
		to.WriteByte(']')
	default:
		writeText(to, v.String())
	}
}

// writeText writes a JSON string that holds <, > and & as they are, which encoding/json would escape for HTML.
func writeText(to *bytes.Buffer, text string) {
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	if e.Encode(text) == nil {
		to.Truncate(to.Len() - 1)
	}
}
