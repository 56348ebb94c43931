// Package registry holds the settings that change while otpost runs: providers, routes, policies, templates,
// applications and the like, as named documents that are checked together and changed together.
//
// A change is made against the whole: what would result is compiled first, and only a whole that can run is stored, in
// one transaction. Other nodes follow the store's revision.
package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/otpost/otpost/internal/provider"
)

// Document is one named setting as it is stored.
type Document struct {
	Kind Kind
	Name string
	// Body is a JSON object in the form of the kind's struct, such as Provider. It can hold credentials: the store seals
	// it, and nobody is shown it but as Shown returns it.
	Body json.RawMessage
	// Version is the revision that the document was last changed in: it only grows, also where a document was deleted and
	// made again.
	Version   int64
	UpdatedAt time.Time
}

// Change asks for one document to be as Body says, or to be gone when Body is nil.
type Change struct {
	Kind Kind
	Name string
	Body json.RawMessage
	// IfVersion, when not nil, refuses the change unless the document has this version; 0 means that it does not exist.
	IfVersion *int64
}

// Set is changes that are made together, all or none.
type Set struct {
	Changes []Change
	// Prune names kinds of which every document goes that Changes does not name.
	Prune []Kind
}

// Store keeps documents. Each method is one transaction.
type Store interface {
	// Documents reads all documents of a tenant and the revision they are of.
	Documents(ctx context.Context, tenant string) (documents []Document, revision int64, err error)
	// ChangeDocuments writes and deletes documents if the revision is still base, raises the revision by one, and keeps
	// what was there in the history with the name of who changed it. It returns ErrChanged when the revision is another.
	ChangeDocuments(ctx context.Context, tenant string, base int64, write []Document, remove []Document, by string, now time.Time) error
	// Revision reads the revision, 0 before the first change.
	Revision(ctx context.Context, tenant string) (int64, error)
	// History reads earlier forms of a document and who replaced them, newest first, at most n.
	History(ctx context.Context, tenant string, kind Kind, name string, n int) ([]Past, error)
	// Conversion counts the passcodes sent as text messages between two times, by the first digits of their numbers with
	// the plus sign.
	Conversion(ctx context.Context, tenant string, digits int, from, until time.Time) (map[string]Converted, error)
}

// Past is a document as it was until it was replaced or deleted.
type Past struct {
	Document
	ReplacedAt time.Time
	ReplacedBy string
}

// Errors of the registry. What is wrong with a document is *Invalid.
var (
	// ErrChanged: somebody else has changed the documents meanwhile.
	ErrChanged = errors.New("registry: the settings were changed meanwhile")
	// ErrVersion: the document has not the version that the change was made for.
	ErrVersion = errors.New("registry: the document has another version")
	// ErrNoDocument: there is none of this name.
	ErrNoDocument = errors.New("registry: no such document")
)

// Settings are what New takes.
type Settings struct {
	Store  Store
	Tenant string
	// Rules are what documents are compiled with.
	Rules Rules
	// Environment is what senders are opened with.
	Environment provider.Environment
	// Breakers reads until when each provider is left alone, as outbox.BreakerStore has it. Without it none is.
	Breakers func(ctx context.Context) (map[string]time.Time, error)
	// Poll is how often the revision is asked for, 2 s when 0.
	Poll time.Duration
	Now  func() time.Time
	Log  *slog.Logger
	// Replaced is told of a provider whose settings have changed, on each node. It may be nil.
	Replaced func(name string)
}

// Registry is the settings in force and the way to change them. It is safe for use by many goroutines.
type Registry struct {
	Settings
	current atomic.Pointer[Snapshot]
	// install guards the opened senders; only one snapshot is installed at a time.
	install sync.Mutex
	senders senders
	// converted is what LearnConversion counted last, nil before.
	converted atomic.Pointer[map[string]Converted]
}

// Open reads the documents and brings them into force. Documents that no longer compile, after an update of otpost, do
// not keep the server down: they are left out and named in the log.
func Open(ctx context.Context, s Settings) (*Registry, error) {
	if s.Poll == 0 {
		s.Poll = 2 * time.Second
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.Rules.templates = &templates{}
	r := &Registry{Settings: s, senders: senders{byName: map[string]*openSender{}}}
	documents, revision, err := s.Store.Documents(ctx, s.Tenant)
	if err != nil {
		return nil, err
	}
	return r, r.bring(documents, revision)
}

// Current is the snapshot in force. It does not change; ask again for each piece of work.
func (r *Registry) Current() *Snapshot { return r.current.Load() }

// bring puts documents in force, without those that do not compile or cannot be opened on this node.
func (r *Registry) bring(documents []Document, revision int64) error {
	broken := map[string]bool{}
	for {
		s, err := compile(r.Rules, documents, revision, broken)
		if err == nil {
			err = r.senders.try(s, r.Environment)
		}
		var invalid *Invalid
		switch {
		case err == nil:
			return r.put(s)
		case !errors.As(err, &invalid):
			return err
		}
		bad := invalid.Problems[0]
		r.Log.Error("a stored setting cannot be used and is left out", "kind", string(bad.Kind), "name", bad.Name, "problem", bad.text())
		left := slices.DeleteFunc(slices.Clone(documents), func(d Document) bool { return d.Kind == bad.Kind && d.Name == bad.Name })
		if len(left) == len(documents) {
			return err
		}
		documents = left
		if bad.Kind == ProviderKind {
			broken[bad.Name] = true // routes go on with the others
		}
	}
}

// put opens what the snapshot needs and makes it the current one.
func (r *Registry) put(s *Snapshot) error {
	r.install.Lock()
	defer r.install.Unlock()
	if before := r.current.Load(); before != nil && before.Revision > s.Revision {
		return nil // a follower that read before a change of ours
	}
	replaced, err := r.senders.open(s, r.Environment)
	if err != nil {
		return err
	}
	r.current.Store(s)
	if r.Replaced != nil {
		for _, name := range replaced {
			r.Replaced(name)
		}
	}
	return nil
}

// Apply makes changes, all or none, and returns what they came to. by is who asks for them, as the history shows it. A
// change that changes nothing is no error; when nothing changes, nothing is written.
func (r *Registry) Apply(ctx context.Context, by string, changes []Change) (Diff, error) {
	return r.ApplySet(ctx, by, Set{Changes: changes})
}

// ApplySet does what Apply does, and prunes.
func (r *Registry) ApplySet(ctx context.Context, by string, set Set) (Diff, error) {
	for tries := 1; ; tries++ {
		diff, err := r.apply(ctx, by, set)
		if !errors.Is(err, ErrChanged) || tries == 5 {
			return diff, err
		}
	}
}

// Plan says what ApplySet would do, without doing it.
func (r *Registry) Plan(ctx context.Context, set Set) (Diff, error) {
	p, err := r.plan(ctx, set)
	if err != nil {
		return nil, err
	}
	return p.diff, nil
}

// planned is a set of changes worked out against the documents of a revision.
type planned struct {
	base          int64
	write, remove []Document
	diff          Diff
	snapshot      *Snapshot
}

func (r *Registry) apply(ctx context.Context, by string, set Set) (Diff, error) {
	p, err := r.plan(ctx, set)
	if err != nil || len(p.diff) == 0 {
		return nil, err
	}
	if err := r.Store.ChangeDocuments(ctx, r.Tenant, p.base, p.write, p.remove, by, r.Now()); err != nil {
		return nil, err
	}
	return p.diff, r.put(p.snapshot)
}

func (r *Registry) plan(ctx context.Context, set Set) (p planned, err error) {
	before, revision, err := r.Store.Documents(ctx, r.Tenant)
	if err != nil {
		return p, err
	}
	p.base = revision
	after := slices.Clone(before)
	now := r.Now()
	problems := &Invalid{}
	changes := slices.Concat(set.Changes, set.pruned(before))
	for i, c := range changes {
		if slices.ContainsFunc(changes[:i], func(o Change) bool { return o.Kind == c.Kind && o.Name == c.Name }) {
			problems.add(c.Kind, c.Name, errors.New("the same document is changed twice at once"))
			continue
		}
		if after, err = p.change(after, c, now, problems); err != nil {
			return p, err
		}
	}
	if err := problems.orNil(); err != nil {
		return p, err
	}
	if len(p.diff) == 0 {
		return p, nil
	}
	if p.snapshot, err = compile(r.Rules, after, revision+1, nil); err != nil {
		return p, err
	}
	p.diff.warn(p.snapshot)
	p.diff.sort()
	return p, r.senders.try(p.snapshot, r.Environment)
}

// pruned are the deletions of what a set does not name.
func (s Set) pruned(before []Document) (changes []Change) {
	for _, d := range before {
		if slices.Contains(s.Prune, d.Kind) &&
			!slices.ContainsFunc(s.Changes, func(c Change) bool { return c.Kind == d.Kind && c.Name == d.Name }) {
			changes = append(changes, Change{Kind: d.Kind, Name: d.Name})
		}
	}
	return changes
}

// change works one change into the documents.
func (p *planned) change(documents []Document, c Change, now time.Time, problems *Invalid) ([]Document, error) {
	i := slices.IndexFunc(documents, func(d Document) bool { return d.Kind == c.Kind && d.Name == c.Name })
	old := Document{Kind: c.Kind, Name: c.Name}
	if i >= 0 {
		old = documents[i]
	}
	if c.IfVersion != nil && *c.IfVersion != old.Version {
		return documents, fmt.Errorf("%w: %s %s has version %d", ErrVersion, c.Kind, c.Name, old.Version)
	}
	if c.Body == nil {
		if i < 0 {
			return documents, fmt.Errorf("%w: %s %s", ErrNoDocument, c.Kind, c.Name)
		}
		p.remove = append(p.remove, old)
		p.diff = append(p.diff, Difference{Kind: c.Kind, Name: c.Name, Action: Delete, Fields: fieldsOf(old, Document{})})
		return slices.Delete(documents, i, i+1), nil
	}
	body, err := normalise(c.Kind, c.Name, c.Body, old.Body)
	if err != nil {
		problems.add(c.Kind, c.Name, err)
		return documents, nil
	}
	made := Document{Kind: c.Kind, Name: c.Name, Body: body, Version: p.base + 1, UpdatedAt: now}
	fields := fieldsOf(old, made)
	switch {
	case i >= 0 && len(fields) == 0:
		return documents, nil
	case i >= 0:
		p.diff = append(p.diff, Difference{Kind: c.Kind, Name: c.Name, Action: Update, Fields: fields})
		documents[i] = made
	default:
		p.diff = append(p.diff, Difference{Kind: c.Kind, Name: c.Name, Action: Create, Fields: fields})
		documents = append(documents, made)
	}
	p.write = append(p.write, made)
	return documents, nil
}

// conversionPolls is how many polls of the revision come between two counts of what converts.
const conversionPolls = 15

// Follow brings into force what other nodes change, until ctx ends.
func (r *Registry) Follow(ctx context.Context) {
	for n := 0; ; n++ {
		if n%conversionPolls == 0 {
			if err := r.LearnConversion(ctx); err != nil && ctx.Err() == nil {
				r.Log.ErrorContext(ctx, "count verified passcodes", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(r.Poll):
		}
		if err := r.Refresh(ctx); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "follow settings", "error", err)
		}
	}
}

// Refresh brings the stored documents into force if they are newer.
func (r *Registry) Refresh(ctx context.Context) error {
	revision, err := r.Store.Revision(ctx, r.Tenant)
	if err != nil || revision <= r.Current().Revision {
		return err
	}
	documents, revision, err := r.Store.Documents(ctx, r.Tenant)
	if err != nil {
		return err
	}
	return r.bring(documents, revision)
}

// Close closes the senders; nothing may be sending any more.
func (r *Registry) Close() error { return r.senders.close() }
