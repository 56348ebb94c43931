package otp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/otp"
)

// weigh is the heaviest of problems with a text in their reason, 0 if there is none.
func weigh(problems []trustframework.Problem, text string) (weight trustframework.Weight) {
	for _, p := range problems {
		if strings.Contains(p.Reason, text) {
			weight = max(weight, p.Weight)
		}
	}
	return weight
}

func check(t testing.TB, policy *trustframework.Policy, id string) []trustframework.Problem {
	t.Helper()
	profile, ok := policy.TechnicalProfile(id)
	if !ok {
		t.Fatalf("no technical profile %s", id)
	}
	if profile.Protocol.HandlerType() == otp.SSPRHandler {
		return (&otp.SSPR{}).Check(policy, profile)
	}
	return (&otp.OneTimePassword{}).Check(policy, profile)
}

func TestEachSetting(t *testing.T) {
	usual := passcode.Policy{Alphabet: "0-9", Length: 6, Lifetime: 10 * time.Minute, Tries: 5, Resends: 9, FreshCode: true, Lockout: 10 * time.Minute}
	with := func(change func(*passcode.Policy)) passcode.Policy {
		p := usual
		change(&p)
		return p
	}
	for _, c := range []struct {
		metadata string
		want     passcode.Policy
	}{
		{"CodeExpirationInSeconds=60", with(func(p *passcode.Policy) { p.Lifetime, p.Lockout = time.Minute, time.Minute })},
		{"CodeExpirationInSeconds= 1200 ", with(func(p *passcode.Policy) { p.Lifetime, p.Lockout = 20*time.Minute, 20*time.Minute })},
		{"codeexpirationinseconds=61", with(func(p *passcode.Policy) { p.Lifetime, p.Lockout = 61*time.Second, 61*time.Second })},
		{"CodeLength=4", with(func(p *passcode.Policy) { p.Length = 4 })},
		{"CodeLength=12", with(func(p *passcode.Policy) { p.Length = 12 })},
		{"CharacterSet=a-z0-9A-Z", with(func(p *passcode.Policy) { p.Alphabet = "a-z0-9A-Z" })},
		{"NumRetryAttempts=1", with(func(p *passcode.Policy) { p.Tries = 1 })},
		{"NumRetryAttempts=20", with(func(p *passcode.Policy) { p.Tries = 20 })},
		{"NumCodeGenerationAttempts=1", with(func(p *passcode.Policy) { p.Resends = 0 })},
		{"NumCodeGenerationAttempts=1000", with(func(p *passcode.Policy) { p.Resends = 999 })},
		{"ReuseSameCode=true", with(func(p *passcode.Policy) { p.FreshCode = false })},
		{"ReuseSameCode=True", with(func(p *passcode.Policy) { p.FreshCode = false })},
		{"ReuseSameCode=false", usual},
		{"MaxNumAttempts=2", with(func(p *passcode.Policy) { p.Tries = 2 })},
		{"MaxNumAttempts=2\nNumRetryAttempts=3", with(func(p *passcode.Policy) { p.Tries = 3 })},
		{"MaxNumAttempts=nonsense\nNumRetryAttempts=3", with(func(p *passcode.Policy) { p.Tries = 3 })},
	} {
		policy := parts{profiles: generateCode(strings.Split(c.metadata, "\n")...)}.load(t)
		s := &stub{}
		if err := s.run(t, call(t, policy, "Generate", "identifier", "x")); err != nil {
			t.Errorf("%s: %v", c.metadata, err)
		} else if s.generation.Policy != c.want {
			t.Errorf("%s: %v, want %v", c.metadata, s.generation.Policy, c.want)
		}
		if found := check(t, policy, "Generate"); weigh(found, "") >= trustframework.Broken {
			t.Errorf("%s: %v", c.metadata, found)
		}
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	for _, metadata := range []string{
		"CodeExpirationInSeconds=59", "CodeExpirationInSeconds=1201", "CodeExpirationInSeconds=ten", "CodeExpirationInSeconds=", "CodeExpirationInSeconds=60.5",
		"CodeExpirationInSeconds=-60", "CodeExpirationInSeconds=99999999999999999999",
		"CodeLength=3", "CodeLength=13", "CodeLength=six", "CodeLength=",
		"CharacterSet=0-8", "CharacterSet=9-0", "CharacterSet=", "CharacterSet=[0-9]", "CharacterSet=^a", "CharacterSet=0123456780",
		"NumRetryAttempts=0", "NumRetryAttempts=21", "NumRetryAttempts=x", "MaxNumAttempts=0",
		"NumCodeGenerationAttempts=0", "NumCodeGenerationAttempts=1001", "NumCodeGenerationAttempts=",
		"ReuseSameCode=yes", "ReuseSameCode=", "ReuseSameCode=1",
	} {
		key, value, _ := strings.Cut(metadata, "=")
		policy := parts{profiles: generateCode(metadata)}.load(t)
		s := &stub{}
		m := misuse(t, s.run(t, call(t, policy, "Generate", "identifier", "x")))
		item, _ := call(t, policy, "Generate").Profile.Metadata.Get(key)
		if s.calls != 0 || m.At != item.At || !strings.Contains(m.Reason, key) {
			t.Errorf("%s: %v after %d calls", metadata, m, s.calls)
		}
		if len(value) > 2 && strings.Contains(m.Error(), value) {
			t.Errorf("%s: its error repeats the value: %v", metadata, m)
		}
		if found := check(t, policy, "Generate"); weigh(found, key) != trustframework.Broken {
			t.Errorf("%s: %v", metadata, found)
		}
	}
}

// TestCharacterSets has the parsing rules that B2C's documentation gives by its examples; escapes are not among them.
func TestCharacterSets(t *testing.T) {
	for set, size := range map[string]int{"a-z0-9A-Z": 62, "0-9": 10, "-0-9": 11, "0-9-": 11, "0-90-9": 10, "0-95-9a": 11, "0123456789": 10} {
		policy := parts{profiles: generateCode("CharacterSet=" + set)}.load(t)
		s := &stub{}
		if err := s.run(t, call(t, policy, "Generate", "identifier", "x")); err != nil {
			t.Errorf("%s: %v", set, err)
			continue
		}
		if all, err := passcode.Characters(s.generation.Policy.Alphabet); err != nil || len(all) != size {
			t.Errorf("%s: %d characters, %v; want %d", set, len(all), err, size)
		}
	}
}
