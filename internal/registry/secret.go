package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/otpost/otpost/internal/provider"
)

// Secret is a credential in a document. It is written as a string, or as an object with the reference that whoever wrote
// it took it from. The server never follows a reference: whoever may change settings must not be able to read files and
// variables through it.
type Secret struct {
	// Ref is such as "env:SENDGRID_KEY" or "file:/run/secrets/sendgrid", empty when the value was written itself.
	Ref string `json:"ref,omitempty"`
	// Value is a string, or a list of strings where the setting is a list.
	Value json.RawMessage `json:"value"`
}

// Kept stands for a secret that is to stay as it is stored. It is what a secret without a reference is shown as.
const Kept = "(kept)"

// parseSecret reads both forms. A reference alone has no value.
func parseSecret(raw json.RawMessage) (Secret, error) {
	if firstByte(raw) != '{' {
		return Secret{Value: raw}, nil
	}
	var s Secret
	if err := decode(raw, &s); err != nil {
		return s, err
	}
	if s.Ref != "" && !refForm.MatchString(s.Ref) {
		return s, errors.New("ref: want env:NAME or file:PATH; it is shown to everybody who may see settings")
	}
	return s, nil
}

// refForm is what a reference looks like. Anything else could be the secret itself, by mistake.
var refForm = regexp.MustCompile(`^(env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\x00-\x1f\x7f]{1,512})$`)

// keeps reports whether the stored value is meant: by name, or by its reference alone, as a document shows it.
func (s Secret) keeps(stored json.RawMessage) bool {
	if len(s.Value) > 0 {
		return string(s.Value) == `"`+Kept+`"`
	}
	old, err := parseSecret(stored)
	return err == nil && s.Ref != "" && old.Ref == s.Ref
}

// normalise checks the form of a new body, and brings secrets into one form: those that are to be kept get the stored
// value. old is nil for a new document.
func normalise(kind Kind, name string, body, old json.RawMessage) (json.RawMessage, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	into := blank(kind)
	if into == nil {
		return nil, fmt.Errorf("unknown kind %q", kind)
	}
	if err := decode(body, into); err != nil {
		return nil, err
	}
	if p, ok := into.(*Provider); ok {
		if err := p.keepSecrets(old); err != nil {
			return nil, err
		}
	}
	return json.Marshal(into)
}

// keepSecrets puts stored secrets where the new settings say that they are kept. They are kept for the place they were
// given for: a new host gets no old password (as Auth0 has it for its SMTP provider).
func (p *Provider) keepSecrets(old json.RawMessage) error {
	kind, err := provider.Find(p.Kind)
	if err != nil {
		return fmt.Errorf("kind: %w", err)
	}
	var before Provider
	if old != nil {
		if err := json.Unmarshal(old, &before); err != nil {
			return err
		}
	}
	moved := p.moved(&before, kind)
	for _, f := range kind.Fields() {
		raw, ok := p.Settings[f.Name]
		if !f.Secret || !ok {
			continue
		}
		if p.Settings[f.Name], err = keepSecret(raw, before.Settings[f.Name], before.Kind == p.Kind, moved); err != nil {
			return fmt.Errorf("settings.%s: %w", f.Name, err)
		}
	}
	return nil
}

// keepSecret is a secret as it is to be stored.
func keepSecret(raw, stored json.RawMessage, sameKind bool, moved string) (json.RawMessage, error) {
	s, err := parseSecret(raw)
	if err != nil {
		return nil, err
	}
	switch {
	case s.keeps(stored):
		if len(stored) == 0 || !sameKind {
			return nil, errors.New("nothing is stored that could be kept; give the value")
		}
		if moved != "" {
			return nil, fmt.Errorf("give the value again, because %s changes where it is sent", moved)
		}
		return stored, nil
	case len(s.Value) == 0:
		return nil, errors.New("the value is missing; a reference alone is resolved by otpost apply, not by the server")
	}
	return json.Marshal(s)
}

// moved names a setting whose change would send stored credentials somewhere else.
func (p *Provider) moved(before *Provider, kind provider.Kind) string {
	for _, f := range kind.Fields() {
		now, then := p.Settings[f.Name], before.Settings[f.Name]
		if !f.Place || f.Secret && keptPlace(now, then) {
			continue
		}
		if f.Secret || !sameValue(now, then, f.Default) {
			return "settings." + f.Name
		}
	}
	return ""
}

// keptPlace reports whether a place that is secret itself, such as a connection string, stays what it was.
func keptPlace(now, then json.RawMessage) bool {
	a, err := parseSecret(now)
	b, err2 := parseSecret(then)
	return err == nil && err2 == nil && (a.keeps(then) || sameValue(a.Value, b.Value, ""))
}

// sameValue compares what two values mean, whatever way they are written.
func sameValue(a, b json.RawMessage, usual string) bool {
	return meaning(a, usual) == meaning(b, usual)
}

func meaning(raw json.RawMessage, usual string) string {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil || v == nil {
		return usual
	}
	if text, ok := v.(string); ok {
		return text
	}
	canonical, err := json.Marshal(v)
	if err != nil {
		return string(raw)
	}
	return string(canonical)
}

// plain are the settings as the kind reads them, secrets in the clear.
func (p *Provider) plain(kind provider.Kind) (json.RawMessage, error) {
	plain := make(map[string]json.RawMessage, len(p.Settings))
	for name, raw := range p.Settings {
		plain[name] = raw
	}
	for _, f := range kind.Fields() {
		if raw, ok := plain[f.Name]; ok && f.Secret {
			s, err := parseSecret(raw)
			if err != nil {
				return nil, fmt.Errorf("settings.%s: %w", f.Name, err)
			}
			plain[f.Name] = s.Value
		}
	}
	return json.Marshal(plain)
}

// Shown is a document's body without its secrets: each is its reference as {"ref": …}, or Kept.
func (d Document) Shown() (json.RawMessage, error) {
	if d.Kind != ProviderKind {
		return d.Body, nil
	}
	var p Provider
	if err := json.Unmarshal(d.Body, &p); err != nil {
		return nil, err
	}
	kind, err := provider.Find(p.Kind)
	if err != nil { // a kind of a later release: nobody knows what is secret
		return json.Marshal(Provider{Kind: p.Kind, Disabled: p.Disabled})
	}
	for _, f := range kind.Fields() {
		raw, ok := p.Settings[f.Name]
		if !f.Secret || !ok {
			continue
		}
		shown := any(Kept)
		if s, err := parseSecret(raw); err == nil && s.Ref != "" {
			shown = map[string]string{"ref": s.Ref}
		}
		if p.Settings[f.Name], err = json.Marshal(shown); err != nil {
			return nil, err
		}
	}
	return json.Marshal(p)
}
