package auth0

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/internal/suggest"
)

// members are the names of a vendor's credentials.
func (v vendor) members() (all []string) {
	for _, c := range v.credentials {
		all = append(all, c.name)
	}
	return all
}

// takeCredentials sets those that are given; null takes one away. The kind says which it cannot do without.
func (s *setup) takeCredentials(v vendor, given map[string]json.RawMessage) error {
	for _, member := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(v.members(), member) {
			return badBody(fmt.Sprintf("credentials: %s has no %q%s", s.name, member, suggest.For(member, v.members())))
		}
	}
	before := maps.Clone(s.provider.Settings)
	for _, c := range v.credentials {
		raw, ok := given[c.name]
		if !ok {
			continue
		}
		value, err := c.value(raw)
		if err != nil {
			return badBody("credentials." + c.name + ": " + err.Error())
		}
		if value == nil {
			delete(s.provider.Settings, c.setting)
		} else {
			s.provider.Settings[c.setting] = value
		}
	}
	if s.name == "smtp" {
		return s.takeServer(before, given)
	}
	return nil
}

// value is a credential as the kind has it, nil for none.
func (c credential) value(raw json.RawMessage) (json.RawMessage, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	if c.form == number {
		var n int
		if json.Unmarshal(raw, &n) != nil {
			return nil, fmt.Errorf("want a whole number")
		}
		return raw, nil
	}
	written := unquoted(raw)
	if written == nil {
		return nil, fmt.Errorf("want a string")
	}
	if *written == registry.Kept { // a word between otpost's own clients and the registry, which would keep the old value
		return nil, fmt.Errorf("give the value itself, or leave it out")
	}
	if c.values == nil {
		return quoted(*written), nil
	}
	meant, ok := c.values[*written]
	if !ok {
		return nil, fmt.Errorf("want %s or null", list(slices.Sorted(maps.Keys(c.values))))
	}
	return quoted(meant), nil
}

// takeServer settles what belongs to a mail server: the password is for one user of one server, so another host, port or
// user wants it again (as Auth0 has it), and the port tells how TLS begins.
func (s *setup) takeServer(before, given map[string]json.RawMessage) error {
	changed := func(setting string) bool { return !bytes.Equal(before[setting], s.provider.Settings[setting]) }
	if _, again := given["smtp_pass"]; !again && len(before["password"]) > 0 {
		for _, c := range vendors()["smtp"].credentials {
			if c.shown && changed(c.setting) {
				return badBody("credentials.smtp_pass: give the password again, because " + c.name + " changes whom it is shown to")
			}
		}
	}
	if changed("port") {
		delete(s.provider.Settings, "tls")
		if string(s.provider.Settings["port"]) == "465" {
			s.provider.Settings["tls"] = quoted("implicit")
		}
	}
	return nil
}

// takeSettings sets what stands under settings. Absent they stay, null takes all away.
func (s *setup) takeSettings(v vendor, asked *wanted) error {
	if !asked.settingsGiven {
		return nil
	}
	for _, setting := range v.settings {
		delete(s.provider.Settings, setting)
	}
	for _, member := range slices.Sorted(maps.Keys(asked.settings)) {
		value := asked.settings[member]
		setting, ok := v.settings[member]
		only, fixed := v.always[member]
		switch {
		case fixed && string(value) == only:
		case fixed:
			return badBody(fmt.Sprintf("settings.%s: otpost has it %s, since messages hold codes", member, only))
		case !ok && len(v.settings) == 0:
			return badBody(fmt.Sprintf("settings.%s: otpost has no settings for %s", member, s.name))
		case !ok:
			return badBody(fmt.Sprintf("settings: unknown %q%s", member, suggest.For(member, slices.Sorted(maps.Keys(v.settings)))))
		case string(value) == "null":
		case unquoted(value) == nil:
			return badBody("settings." + member + ": want a string")
		default:
			s.provider.Settings[setting] = value
		}
	}
	return nil
}

// shown is the email provider without its secrets.
func (s *setup) shown() shownProvider {
	out := shownProvider{Name: &s.name, Enabled: &s.enabled, Credentials: map[string]any{}, Settings: map[string]any{}}
	if from := unquoted(s.provider.Settings["from"]); len(s.provider.Settings["from"]) > 0 && from != nil {
		out.From = from
	}
	v := vendors()[s.name]
	for _, c := range v.credentials {
		if value, ok := s.provider.Settings[c.setting]; ok && c.shown {
			if shown := c.theirs(value); shown != nil {
				out.Credentials[c.name] = shown
			}
		}
	}
	for dotted, setting := range v.settings {
		if value, ok := s.provider.Settings[setting]; ok {
			object, member, _ := strings.Cut(dotted, ".")
			out.Settings[object] = map[string]any{member: value}
		}
	}
	return out
}

// theirs is a setting as Auth0 has it, nil when Auth0 has no word for it.
func (c credential) theirs(value json.RawMessage) any {
	if string(value) == `"`+registry.Kept+`"` {
		return nil // a secret is never shown, whatever the table says
	}
	if c.values == nil {
		return value
	}
	for theirs, ours := range c.values {
		if string(quoted(ours)) == string(value) {
			return theirs
		}
	}
	return nil
}
