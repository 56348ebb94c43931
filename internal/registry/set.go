package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/otpost/otpost/internal/suggest"
)

// ParseSet reads many documents from one JSON object: under the plural name of each kind a list of documents, each with
// its name as the member "name" beside the members of its kind. named are the kinds that have a list, also an empty one.
// What is wrong is *Invalid; of the bodies only the form of the object that they are in is looked at.
func ParseSet(body []byte) (set Set, named []Kind, err error) {
	problems := &Invalid{}
	if err := onceEach(body); err != nil {
		problems.add("", "", err)
		return set, nil, problems
	}
	err = eachMember(body, "", func(plural string, list json.RawMessage) error {
		kind, err := KindOf(plural)
		if err != nil {
			problems.add("", "", fmt.Errorf("%s: %w", plural, err))
			return nil
		}
		named = append(named, kind)
		set.Changes = append(set.Changes, parseList(kind, list, problems)...)
		return nil
	})
	if err != nil {
		problems.add("", "", err)
	}
	return set, named, problems.orNil()
}

func parseList(kind Kind, list json.RawMessage, problems *Invalid) (changes []Change) {
	var items []json.RawMessage
	if json.Unmarshal(list, &items) != nil {
		problems.add(kind, "", wanted(kind.Plural(), "list"))
		return nil
	}
	seen := map[string]bool{}
	for i, item := range items {
		name, body, err := CutName(item)
		if err == nil && name == "" {
			err = errors.New("the name is missing")
		}
		switch {
		case err != nil:
			problems.add(kind, name, fmt.Errorf("%s[%d]: %w", kind.Plural(), i, err))
		case seen[name]:
			problems.add(kind, name, fmt.Errorf("%s[%d].name: there is another %s of this name", kind.Plural(), i, kind))
		default:
			seen[name] = true
			changes = append(changes, Change{Kind: kind, Name: name, Body: body})
		}
	}
	return changes
}

// CutName divides a document with its name among the members into the two. The name is empty where it is missing.
func CutName(document json.RawMessage) (name string, body json.RawMessage, err error) {
	if err := onceEach(document); err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	err = eachMember(document, "", func(member string, value json.RawMessage) error {
		if member == "name" {
			if json.Unmarshal(value, &name) != nil {
				return errors.New("name: want a string")
			}
			return nil
		}
		key, err := json.Marshal(member)
		fmt.Fprintf(&b, `,%s:%s`, key, value)
		return err
	})
	if err != nil {
		return "", nil, err
	}
	return name, slices.Concat([]byte("{"), bytes.TrimPrefix(b.Bytes(), []byte(",")), []byte("}")), nil
}

// Named is the document as Shown returns it, with its name as the first member.
func (d Document) Named() (json.RawMessage, error) {
	shown, err := d.Shown()
	if err != nil {
		return nil, err
	}
	head := fmt.Appendf(nil, `{"name":%q`, d.Name) // a name holds nothing that JSON would escape
	if rest := shown[1:]; len(rest) > 0 && rest[0] != '}' {
		head = append(head, ',')
	}
	return append(head, shown[1:]...), nil
}

// KindOf finds the kind that has a plural name, or an error that suggests one.
func KindOf(plural string) (Kind, error) {
	var plurals []string
	for _, k := range Kinds() {
		if k.Plural() == plural {
			return k, nil
		}
		plurals = append(plurals, k.Plural())
	}
	return "", errors.New("unknown kind" + suggest.For(plural, plurals))
}

// Export writes documents as ParseSet reads them, without secrets: every kind has its list, in the order of Kinds.
func Export(documents []Document) (json.RawMessage, error) {
	sorted := slices.Clone(documents)
	sortDocuments(sorted)
	out := []byte("{")
	for i, kind := range Kinds() {
		if i > 0 {
			out = append(out, ',')
		}
		list := []json.RawMessage{}
		for _, d := range sorted {
			if d.Kind != kind {
				continue
			}
			named, err := d.Named()
			if err != nil {
				return nil, fmt.Errorf("show %s %s: %w", d.Kind, d.Name, err)
			}
			list = append(list, named)
		}
		text, err := json.Marshal(list)
		if err != nil {
			return nil, err
		}
		out = append(fmt.Appendf(out, "%q:", kind.Plural()), text...)
	}
	return append(out, '}'), nil
}

// Documents reads what is stored, which may be newer than what is in force and hold what cannot be used.
func (r *Registry) Documents(ctx context.Context) ([]Document, error) {
	documents, _, err := r.Store.Documents(ctx, r.Tenant)
	sortDocuments(documents)
	return documents, err
}

// Document reads one stored document; ErrNoDocument when there is none.
func (r *Registry) Document(ctx context.Context, kind Kind, name string) (Document, error) {
	documents, _, err := r.Store.Documents(ctx, r.Tenant)
	if err != nil {
		return Document{}, err
	}
	for _, d := range documents {
		if d.Kind == kind && d.Name == name {
			return d, nil
		}
	}
	return Document{}, fmt.Errorf("%w: %s %s", ErrNoDocument, kind, name)
}

// KeptPast is how many earlier forms of a document the store keeps.
const KeptPast = 50

// Past reads the earlier forms of a document, newest first. A document that was deleted still has them.
func (r *Registry) Past(ctx context.Context, kind Kind, name string) ([]Past, error) {
	return r.Store.History(ctx, r.Tenant, kind, name, KeptPast)
}

// Restore makes a document what it was at a version, with the secrets that it had.
func (r *Registry) Restore(ctx context.Context, by string, kind Kind, name string, version int64) (Diff, error) {
	past, err := r.Past(ctx, kind, name)
	if err != nil {
		return nil, err
	}
	for _, p := range past {
		if p.Version == version {
			return r.Apply(ctx, by, []Change{{Kind: kind, Name: name, Body: p.Body}})
		}
	}
	return nil, fmt.Errorf("%w: %s %s has no version %d in its history", ErrNoDocument, kind, name, version)
}
