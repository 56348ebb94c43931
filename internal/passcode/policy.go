package passcode

import (
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
)

// Policy is how long a code is, how long it lives and how often it may be tried and sent.
type Policy struct {
	// Alphabet is the body of a regular-expression character class, such as `0-9` or `A-HJ-NP-Z2-9`: at least 10
	// distinct printable ASCII characters.
	Alphabet string
	// Length is the number of characters, 4 to 12.
	Length int
	// Lifetime is from issue to expiry, 30 s to 24 h.
	Lifetime time.Duration
	// Tries is how many codes may be evaluated before the challenge locks, 1 to 20.
	Tries int
	// Resends is how many messages may follow the first, 0 to 20.
	Resends int
	// ResendInterval is the least time between two messages, 0 to 1 h.
	ResendInterval time.Duration
	// FreshCode makes a resend draw a new code; the default sends the same one again.
	FreshCode bool
	// Lockout is how long an identifier gets no new code after a challenge was locked, 0 to 24 h.
	Lockout time.Duration
}

// DefaultPolicy is six digits for ten minutes, five tries, three resends half a minute apart (NIST SP 800-63B-4
// §3.1.3: at least six digits, at most ten minutes), and five minutes of lock-out.
func DefaultPolicy() Policy {
	return Policy{Alphabet: "0-9", Length: 6, Lifetime: 10 * time.Minute, Tries: 5, Resends: 3,
		ResendInterval: 30 * time.Second, Lockout: 5 * time.Minute}
}

// Two bounds of Policy.Resends: of messages, and of codes that the caller hands over.
const (
	maxResends     = 20
	maxGenerations = 1000
)

// Validate says what is wrong with a policy, naming the member.
func (p Policy) Validate() error { return p.validate(maxResends) }

func (p Policy) validate(resends int64) error {
	set, err := Characters(p.Alphabet)
	if err != nil {
		return fmt.Errorf("alphabet: %w", err)
	}
	if len(set) < 10 {
		return fmt.Errorf("alphabet: %q has %d distinct characters, at least 10 are needed", p.Alphabet, len(set))
	}
	for _, bound := range []struct {
		name       string
		value      int64
		low, high  int64
		isDuration bool
	}{
		{"length", int64(p.Length), 4, 12, false},
		{"lifetime", int64(p.Lifetime), int64(30 * time.Second), int64(24 * time.Hour), true},
		{"tries", int64(p.Tries), 1, 20, false},
		{"resends", int64(p.Resends), 0, resends, false},
		{"resend_interval", int64(p.ResendInterval), 0, int64(time.Hour), true},
		{"lockout", int64(p.Lockout), 0, int64(24 * time.Hour), true},
	} {
		if bound.value >= bound.low && bound.value <= bound.high {
			continue
		}
		if bound.isDuration {
			return fmt.Errorf("%s: %v is outside %v to %v", bound.name, time.Duration(bound.value),
				time.Duration(bound.low), time.Duration(bound.high))
		}
		return fmt.Errorf("%s: %d is outside %d to %d", bound.name, bound.value, bound.low, bound.high)
	}
	return nil
}

// Characters expands a character class body into its distinct characters, sorted.
func Characters(class string) (string, error) {
	re, err := syntax.Parse("["+class+"]", syntax.Perl)
	if err != nil || strings.ContainsAny(class, "[]") {
		return "", fmt.Errorf("%q is not the body of a character class (example: 0-9 or A-HJ-NP-Z2-9)", class)
	}
	var ranges []rune
	switch re.Op {
	case syntax.OpCharClass:
		ranges = re.Rune
	case syntax.OpLiteral:
		if len(re.Rune) == 1 {
			ranges = []rune{re.Rune[0], re.Rune[0]}
		}
	}
	if ranges == nil {
		return "", fmt.Errorf("%q is not the body of one character class (example: 0-9 or A-HJ-NP-Z2-9)", class)
	}
	var set strings.Builder
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if r <= ' ' || r > '~' {
				return "", fmt.Errorf("%q holds a character that is not printable ASCII", class)
			}
			set.WriteRune(r)
		}
	}
	return set.String(), nil
}

// String is the form in which a copy of the policy travels with a challenge: its numbers with spaces between, durations
// in milliseconds, then the alphabet, which has no space in it. It is short, since every challenge carries one.
func (p Policy) String() string {
	b := make([]byte, 0, 48)
	for _, n := range p.numbers() {
		b = append(strconv.AppendInt(b, n, 10), ' ')
	}
	return string(append(b, p.Alphabet...))
}

func (p *Policy) numbers() [7]int64 {
	fresh := int64(0)
	if p.FreshCode {
		fresh = 1
	}
	return [7]int64{int64(p.Length), p.Lifetime.Milliseconds(), int64(p.Tries), int64(p.Resends),
		p.ResendInterval.Milliseconds(), fresh, p.Lockout.Milliseconds()}
}

// kept is the policy as String and ParsePolicy keep it, in whole milliseconds.
func (p Policy) kept() Policy {
	p.Lifetime = p.Lifetime.Truncate(time.Millisecond)
	p.ResendInterval = p.ResendInterval.Truncate(time.Millisecond)
	p.Lockout = p.Lockout.Truncate(time.Millisecond)
	return p
}

// ParsePolicy reads what String wrote.
func ParsePolicy(text string) (Policy, error) {
	var n [7]int64
	for i := range n {
		number, rest, found := strings.Cut(text, " ")
		value, err := strconv.ParseInt(number, 10, 64)
		if err != nil || !found {
			return Policy{}, fmt.Errorf("read policy: number %d of %d is missing", i+1, len(n))
		}
		n[i], text = value, rest
	}
	return Policy{Alphabet: text, Length: int(n[0]), Lifetime: time.Duration(n[1]) * time.Millisecond, Tries: int(n[2]),
		Resends: int(n[3]), ResendInterval: time.Duration(n[4]) * time.Millisecond, FreshCode: n[5] == 1,
		Lockout: time.Duration(n[6]) * time.Millisecond}, nil
}
