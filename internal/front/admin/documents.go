package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/registry"
)

// documents answers for one kind.
type documents struct {
	*Handler
	kind registry.Kind
}

// list answers GET /v1/{kind}.
func (d *documents) list(w http.ResponseWriter, r *http.Request, _ access.Caller) error {
	all, err := d.Registry.Documents(r.Context())
	if err != nil {
		return err
	}
	list := []json.RawMessage{}
	for _, document := range all {
		if document.Kind != d.kind {
			continue
		}
		named, err := document.Named()
		if err != nil {
			return err
		}
		list = append(list, named)
	}
	return reply(w, http.StatusOK, map[string]any{d.kind.Plural(): list})
}

// get answers GET /v1/{kind}/{name}.
func (d *documents) get(w http.ResponseWriter, r *http.Request, _ access.Caller) error {
	document, err := d.Registry.Document(r.Context(), d.kind, r.PathValue("name"))
	if err != nil {
		return err
	}
	named, err := document.Named()
	if err != nil {
		return err
	}
	w.Header().Set("Etag", tagOf(document.Version))
	if r.Header.Get("If-None-Match") != "" && matches(r.Header, "If-None-Match", document.Version) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return reply(w, http.StatusOK, named)
}

// written answers a change of one document.
type written struct {
	Changed  bool            `json:"changed"`
	Document json.RawMessage `json:"document"`
}

// put answers PUT /v1/{kind}/{name}.
func (d *documents) put(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	name, body, err := d.read(w, r)
	if err != nil {
		return err
	}
	version, err := d.condition(r, name)
	if err != nil {
		return err
	}
	return d.change(w, r, c, func() (registry.Diff, error) {
		return d.Registry.Apply(r.Context(), by(c), []registry.Change{{Kind: d.kind, Name: name, Body: body, IfVersion: version}})
	})
}

// read reads a document whose name may stand in the path, in the body, or in both.
func (d *documents) read(w http.ResponseWriter, r *http.Request) (name string, body json.RawMessage, err error) {
	name = r.PathValue("name")
	if body, err = readBody(w, r); err != nil {
		return name, nil, err
	}
	inside, body, err := registry.CutName(body)
	if err != nil {
		return name, nil, refused(d.kind, name, "", err.Error())
	}
	if inside != "" && inside != name {
		return name, nil, refused(d.kind, name, "name", "it is "+strconv.Quote(inside)+" in the body and "+strconv.Quote(name)+" in the path")
	}
	return name, body, nil
}

// change makes a change and answers with the document as it is then.
func (d *documents) change(w http.ResponseWriter, r *http.Request, c access.Caller, change func() (registry.Diff, error)) error {
	diff, err := change()
	if err != nil {
		return err
	}
	d.note(r, c, diff)
	document, err := d.Registry.Document(r.Context(), d.kind, r.PathValue("name"))
	if err != nil {
		return err
	}
	named, err := document.Named()
	if err != nil {
		return err
	}
	w.Header().Set("Etag", tagOf(document.Version))
	status := http.StatusOK
	if len(diff) == 1 && diff[0].Action == registry.Create {
		status = http.StatusCreated
		w.Header().Set("Location", "/v1/"+d.kind.Plural()+"/"+document.Name)
	}
	return reply(w, status, written{len(diff) > 0, named})
}

// remove answers DELETE /v1/{kind}/{name}.
func (d *documents) remove(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	name := r.PathValue("name")
	version, err := d.condition(r, name)
	if err != nil {
		return err
	}
	diff, err := d.Registry.Apply(r.Context(), by(c), []registry.Change{{Kind: d.kind, Name: name, IfVersion: version}})
	if err != nil {
		return err
	}
	d.note(r, c, diff)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// past is an earlier form of a document.
type past struct {
	Version    int64           `json:"version"`
	UpdatedAt  instant         `json:"updated_at"`
	ReplacedAt instant         `json:"replaced_at"`
	ReplacedBy string          `json:"replaced_by"`
	Document   json.RawMessage `json:"document"`
}

// history answers GET /v1/{kind}/{name}/history. A document that was deleted has one still.
func (d *documents) history(w http.ResponseWriter, r *http.Request, _ access.Caller) error {
	forms, err := d.Registry.Past(r.Context(), d.kind, r.PathValue("name"))
	if err != nil {
		return err
	}
	if len(forms) == 0 {
		if _, err := d.Registry.Document(r.Context(), d.kind, r.PathValue("name")); err != nil {
			return err
		}
	}
	list := []past{}
	for _, p := range forms {
		named, err := p.Named()
		if err != nil {
			return err
		}
		list = append(list, past{p.Version, instant(p.UpdatedAt), instant(p.ReplacedAt), p.ReplacedBy, named})
	}
	return reply(w, http.StatusOK, map[string]any{"history": list})
}

// restore answers POST /v1/{kind}/{name}/restore?version=N.
func (d *documents) restore(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	version, err := strconv.ParseInt(r.URL.Query().Get("version"), 10, 64)
	if err != nil || version < 1 {
		return invalidQuery("version: want the number of a version that the history lists.")
	}
	return d.change(w, r, c, func() (registry.Diff, error) {
		return d.Registry.Restore(r.Context(), by(c), d.kind, r.PathValue("name"), version)
	})
}

// condition is the version that a change is made for, nil for any (RFC 9110 §13.1.1 and §13.1.2).
func (d *documents) condition(r *http.Request, name string) (*int64, error) {
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	if match == "" && none == "" {
		return nil, nil
	}
	document, err := d.Registry.Document(r.Context(), d.kind, name)
	if err != nil && !errors.Is(err, registry.ErrNoDocument) {
		return nil, err
	}
	if match != "" && !matches(r.Header, "If-Match", document.Version) || none != "" && matches(r.Header, "If-None-Match", document.Version) {
		return nil, otherVersion(d.kind, name, document.Version)
	}
	return &document.Version, nil
}
