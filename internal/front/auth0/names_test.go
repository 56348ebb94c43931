package auth0

import (
	"testing"

	"github.com/otpost/otpost/internal/provider"
)

// TestEveryNameHasItsKind holds the table against the kinds: each exists, sends mail, has the settings that the table
// names, and asks for nothing that Auth0 has no name for.
func TestEveryNameHasItsKind(t *testing.T) {
	for theirs, v := range vendors() {
		kind, err := provider.Find(v.kind)
		if err != nil {
			t.Errorf("%s: %v", theirs, err)
			continue
		}
		fields := map[string]provider.Field{}
		for _, f := range kind.Fields() {
			fields[f.Name] = f
		}
		named := map[string]bool{"from": true}
		for _, c := range v.credentials {
			f, ok := fields[c.setting]
			if !ok {
				t.Errorf("%s: %s has no setting %s", theirs, v.kind, c.setting)
			}
			if f.Secret && c.shown {
				t.Errorf("%s: %s would be shown", theirs, c.name)
			}
			if (f.Type == "number") != (c.form == number) {
				t.Errorf("%s: %s is a %s", theirs, c.name, f.Type)
			}
			named[c.setting] = true
		}
		for member, setting := range v.settings {
			if _, ok := fields[setting]; !ok {
				t.Errorf("%s: settings.%s: %s has no setting %s", theirs, member, v.kind, setting)
			}
		}
		for _, f := range fields {
			if f.Required && !named[f.Name] && theirs != customName {
				t.Errorf("%s: %s demands %s, for which there is no name", theirs, v.kind, f.Name)
			}
		}
	}
}
