package registry

import (
	"encoding/json"
	"errors"
	"fmt"

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

// parseSecret reads both forms.
func parseSecret(raw json.RawMessage) (Secret, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return Secret{Value: raw}, nil
	}
	var s Secret
	if err := decode(raw, &s); err != nil {
		return s, err
	}
	if len(s.Value) == 0 {
		return s, errors.New("the value is missing; a reference alone is resolved by otpost apply, not by the server")
	}
	return s, nil
}

// kept reports whether the stored value is meant.
func (s Secret) kept() bool { return string(s.Value) == `"`+Kept+`"` }

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
	for _, f := range kind.Fields() {
		raw, ok := p.Settings[f.Name]
		if !f.Secret || !ok {
			continue
		}
		s, err := parseSecret(raw)
		if err != nil {
			return fmt.Errorf("settings.%s: %w", f.Name, err)
		}
		if s.kept() {
			stored, ok := before.Settings[f.Name]
			if !ok || before.Kind != p.Kind {
				return fmt.Errorf("settings.%s: nothing is stored that could be kept; give the value", f.Name)
			}
			if moved := p.moved(&before, kind); moved != "" {
				return fmt.Errorf("settings.%s: give the value again, because %s changes where it is sent", f.Name, moved)
			}
			p.Settings[f.Name] = stored
			continue
		}
		if p.Settings[f.Name], err = json.Marshal(s); err != nil {
			return err
		}
	}
	return nil
}

// moved names a setting whose change would send stored credentials somewhere else.
func (p *Provider) moved(before *Provider, kind provider.Kind) string {
	for _, f := range kind.Fields() {
		if f.Place && string(p.Settings[f.Name]) != string(before.Settings[f.Name]) {
			return "settings." + f.Name
		}
	}
	return ""
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
