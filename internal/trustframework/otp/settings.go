package otp

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
)

// The metadata of GenerateCode (one-time-password-technical-profile.md, "Metadata").
const (
	codeExpiration     = "CodeExpirationInSeconds"
	codeLength         = "CodeLength"
	characterSet       = "CharacterSet"
	retryAttempts      = "NumRetryAttempts"
	generationAttempts = "NumCodeGenerationAttempts"
	reuseSameCode      = "ReuseSameCode"
	// maxNumAttempts is what the documentation of 2019 had for NumRetryAttempts. Whether B2C ever read it is UNCONFIRMED.
	maxNumAttempts = "MaxNumAttempts"
)

// generation is how the codes of a GenerateCode profile are made, and what is wrong with how it is written. A value out of
// range is refused and not brought into range: which of the two B2C does is UNCONFIRMED. The range of the expiration and
// the least size of the character set are documented; the other ranges are the engine's.
func generation(t *trustframework.TechnicalProfile) (passcode.Policy, []trustframework.Problem) {
	r := reading{t: t}
	seconds := time.Duration(r.number(codeExpiration, 600, 60, 1200, "as B2C documents it")) * time.Second
	tries := retryAttempts
	if _, there := t.Metadata.Get(retryAttempts); !there {
		if old, there := t.Metadata.Get(maxNumAttempts); there {
			tries = maxNumAttempts
			r.say(old.At, trustframework.Odd, "has "+maxNumAttempts+", which B2C's documentation has given up; it is taken for "+retryAttempts+": write that")
		}
	}
	p := passcode.Policy{
		Alphabet: r.characters(),
		Length:   r.number(codeLength, 6, 4, 12, "here; B2C documents no range"),
		Lifetime: seconds,
		Tries:    r.number(tries, 5, 1, 20, "here; B2C documents no range"),
		// The first code is a generation too.
		Resends:   r.number(generationAttempts, 10, 1, 1000, "here; B2C documents no range") - 1,
		FreshCode: !r.flag(reuseSameCode),
		// "The same number of seconds" locks out after the last try.
		Lockout: seconds,
	}
	return p, r.found
}

// reading gathers what is wrong with settings.
type reading struct {
	t     *trustframework.TechnicalProfile
	found []trustframework.Problem
}

func (r *reading) say(at trustframework.Origin, weight trustframework.Weight, format string, args ...any) {
	r.found = append(r.found, trustframework.Problem{At: at, Weight: weight, Reason: fmt.Sprintf(format, args...)})
}

// number reads a whole number.
func (r *reading) number(key string, fallback, low, high int, whose string) int {
	item, there := r.t.Metadata.Get(key)
	if !there {
		return fallback
	}
	n, err := strconv.Atoi(strings.TrimSpace(item.Value))
	switch {
	case err != nil:
		r.say(item.At, trustframework.Broken, "has a %s that is not a whole number; write one from %d to %d", key, low, high)
	case n < low || n > high:
		r.say(item.At, trustframework.Broken, "has a %s that is out of range; it is %d to %d %s", key, low, high, whose)
	}
	return n
}

func (r *reading) flag(key string) bool {
	item, there := r.t.Metadata.Get(key)
	written := strings.TrimSpace(item.Value)
	if there && !strings.EqualFold(written, "true") && !strings.EqualFold(written, "false") {
		r.say(item.At, trustframework.Broken, "has a %s that is neither true nor false; write one of them", key)
	}
	return strings.EqualFold(written, "true")
}

// characters reads a CharacterSet. Escapes are those of Go's regular expressions: that B2C has any is UNCONFIRMED.
func (r *reading) characters() string {
	item, there := r.t.Metadata.Get(characterSet)
	if !there {
		return "0-9"
	}
	written := strings.TrimSpace(item.Value)
	set, err := passcode.Characters(written)
	switch {
	case err != nil:
		r.say(item.At, trustframework.Broken, "has a %s that is not the inside of a regular expression's character class of printable ASCII characters; write such as 0-9 or a-z0-9A-Z", characterSet)
	case len(set) < 10:
		r.say(item.At, trustframework.Broken, "has a %s of %d distinct characters; B2C documents that it must have 10 or more", characterSet, len(set))
	}
	return written
}
