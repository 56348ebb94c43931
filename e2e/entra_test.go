package e2e_test

import (
	"fmt"
	"testing"

	"github.com/otpost/otpost/proof/rig"

	"github.com/google/uuid"

	"github.com/otpost/otpost/internal/extension"
)

func TestTokensThatOpenNothing(t *testing.T) {
	db, ours, foreign := rig.NewSQLite(t), rig.NewIssuer(t), rig.NewIssuer(t)
	set := db.Settings().With(ours.Settings(), rig.Settings{"inbox": "on"})
	p := rig.Start(t, set)
	before := db.Counts(t)
	tests := []struct{ name, token, challenge string }{
		{"no token", "", `Bearer realm="otpost"`},
		{"foreign issuer", foreign.Token(extension.Grant{}), ""},
		{"foreign audience", ours.Token(extension.Grant{Audience: uuid.NewString()}), ""},
		{"foreign party", ours.Token(extension.Grant{Party: uuid.NewString()}), ""},
		{"expired", ours.Expired(), ""},
		{"altered", ours.Token(extension.Grant{})[:400] + "AAAA", ""},
		{"no token at all", "hello", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.challenge == "" {
				test.challenge = `Bearer realm="otpost", error="invalid_token"`
			}
			got, err := p.Post(rig.Event(rig.Address(1), "55501234", "en-us"), test.token)
			if err != nil {
				t.Fatal(err)
			}
			got.Problem(t, 401)
			if challenge := got.Header.Get("WWW-Authenticate"); challenge != test.challenge {
				t.Errorf("got WWW-Authenticate %q, want %q", challenge, test.challenge)
			}
		})
	}
	if after := db.Counts(t); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("rows went from %v to %v", before, after)
	}
	p.Stop()
}
