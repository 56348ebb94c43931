package passcode

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestCharacters(t *testing.T) {
	for class, want := range map[string]string{
		"0-9":        "0123456789",
		"9876543210": "0123456789",
		"A-C0-2":     "012ABC",
		`\d`:         "0123456789",
		"a-ca-b":     "abc",
		"-0-9":       "-0123456789",
	} {
		if got, err := Characters(class); err != nil || got != want {
			t.Errorf("%q: %q %v, want %q", class, got, err, want)
		}
	}
	for _, class := range []string{"", "z-a", "0-9]|[a", "]", "^0-9", "à-é", `\s0-9`, "0-9\n", `\`, "a](b"} {
		if got, err := Characters(class); err == nil {
			t.Errorf("%q: %q, want an error", class, got)
		}
	}
}

func TestPolicyValidate(t *testing.T) {
	if err := DefaultPolicy().Validate(); err != nil {
		t.Errorf("the default policy: %v", err)
	}
	for want, change := range map[string]func(*Policy){
		"alphabet":         func(p *Policy) { p.Alphabet = "0-8" },
		"length":           func(p *Policy) { p.Length = 3 },
		"length: 13":       func(p *Policy) { p.Length = 13 },
		"lifetime":         func(p *Policy) { p.Lifetime = 0 },
		"tries":            func(p *Policy) { p.Tries = 0 },
		"resends":          func(p *Policy) { p.Resends = -1 },
		"resend_interval":  func(p *Policy) { p.ResendInterval = -1 },
		"lockout: 25h0m0s": func(p *Policy) { p.Lockout = 25 * 3600e9 },
	} {
		p := DefaultPolicy()
		change(&p)
		if err := p.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want it to begin with %q", err, want)
		}
	}
}

func TestPolicyTravelsWhole(t *testing.T) {
	p := Policy{Alphabet: "-A-Z2-9", Length: 12, Lifetime: time.Hour, Tries: 7, Resends: 0, ResendInterval: 1500 * time.Millisecond,
		FreshCode: true, Lockout: 24 * time.Hour}
	for _, p := range []Policy{p, DefaultPolicy()} {
		if got, err := ParsePolicy(p.String()); err != nil || got != p {
			t.Errorf("%q was read as %+v, %v", p.String(), got, err)
		}
	}
	for _, text := range []string{"", "6", "6 600000 5 3 30000 0", "6 600000 5 x 30000 0 1 0-9"} {
		if got, err := ParsePolicy(text); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

func TestNormalise(t *testing.T) {
	digits, letters, both := "0123456789", "ABCDEFGHJK23456789", "abcABC0123456789"
	for _, c := range []struct{ typed, set, want string }{
		{"482913", digits, "482913"}, {" 482 913\n", digits, "482913"}, {"482-913", digits, "482913"},
		{"482–913", digits, "482913"}, {"４８２９１３", digits, "482913"}, {"٤٨٢٩١٣", digits, "482913"},
		{"۴۸۲۹۱۳", digits, "482913"}, {"४८२९१३", digits, "482913"}, {"𝟒𝟖𝟐𝟗𝟏𝟑", digits, "482913"},
		{"4\u200b82913", digits, "482913"}, {"ab2c", letters, "AB2C"}, {"aB2", both, "aB2"}, {"a-b", "ab-", "a-b"},
		{strings.Repeat("1", 65), digits, ""},
	} {
		if got := normalise(c.typed, c.set); got != c.want {
			t.Errorf("%q: %q, want %q", c.typed, got, c.want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, seed := range []string{"482913", "４８２", " 4-8 ", "ab2c", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		for _, set := range []string{"0123456789", "ABCDEFGHJK23456789", "abc-0123456789"} {
			once := normalise(typed, set)
			if twice := normalise(once, set); utf8.ValidString(typed) && len(once) <= maxTyped && twice != once {
				t.Errorf("%q: %q, and again %q", typed, once, twice)
			}
		}
	})
}
