package passcode

import (
	"crypto/rand"
	"strings"
	"testing"
)

// FuzzAlphabet takes whatever somebody writes as an alphabet. What is taken can be drawn from, and each code that is
// drawn is, as it stands, in the form that codes are compared in: otherwise nobody could ever verify it.
func FuzzAlphabet(f *testing.F) {
	for _, seed := range []string{"0-9", "A-HJ-NP-Z2-9", "a-zA-Z0-9", "!-~", "-0-9", `\d`, `\w`, "^0-9", "[:alpha:]0-9", `\x30-\x39`, `\pN`, "0-9&&[3]", ".-/0-9", "+--0-9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, class string) {
		set, err := Characters(class)
		if err != nil {
			return
		}
		for i := range len(set) {
			if set[i] <= ' ' || set[i] > '~' || i > 0 && set[i] <= set[i-1] {
				t.Fatalf("%q stands for %q, which is not distinct printable ASCII in order", class, set)
			}
		}
		policy := DefaultPolicy()
		policy.Alphabet, policy.Length = class, 12
		if policy.Validate() != nil {
			return
		}
		code, err := draw(rand.Reader, set, 12)
		if err != nil || len(code) != 12 || strings.Trim(code, set) != "" {
			t.Fatalf("from %q %q was drawn, %v", class, code, err)
		}
		if got := normalise(code, set); got != code {
			t.Errorf("from %q %q was drawn, and it is compared as %q", class, code, got)
		}
		if read, err := ParsePolicy(policy.String()); err != nil || read != policy {
			t.Errorf("the policy %q was read as %+v, %v", policy, read, err)
		}
	})
}

// FuzzParsePolicy reads what stands in a row of the database. What is taken is written again as it was read.
func FuzzParsePolicy(f *testing.F) {
	for _, seed := range []string{DefaultPolicy().String(), "", "6", "6 600000 5 3 30000 0 300000 ", "-1 -1 -1 -1 -1 -1 -1 0-9",
		"9223372036854775808 0 0 0 0 0 0 x", "6 9223372036854775807 5 3 30000 2 300000 0-9", "+6 0x10 5 3 30000 0 300000 0 9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy(text)
		if err != nil {
			return
		}
		if again, err := ParsePolicy(p.String()); p.Validate() == nil && (err != nil || again != p) {
			t.Errorf("%q was read as %+v, written as %q and read as %+v, %v", text, p, p.String(), again, err)
		}
	})
}
