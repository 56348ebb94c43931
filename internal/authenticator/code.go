package authenticator

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
	"strings"
	"time"
	"unicode"

	"github.com/otpost/otpost/internal/digit"
)

// hashes are the hash functions of the algorithms.
var hashes = map[Algorithm]func() hash.Hash{SHA1: sha1.New, SHA256: sha256.New, SHA512: sha512.New}

// hotp is the code of a counter (RFC 4226 §5.3): the low 31 bits of four bytes of the HMAC, from where its last half
// byte says, in decimal.
func hotp(secret []byte, counter int64, algorithm Algorithm, digits int) string {
	mac := hmac.New(hashes[algorithm], secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(counter)))
	sum := mac.Sum(nil)
	from := sum[len(sum)-1] & 0x0f
	number := binary.BigEndian.Uint32(sum[from:]) & 0x7fffffff
	modulus := uint32(1)
	for range digits {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", digits, number%modulus)
}

// stepAt is the time step of a moment: whole periods since 1970 (RFC 6238 §4.2, T0 = 0).
func stepAt(at time.Time, period time.Duration) int64 {
	return at.Unix() / int64(period/time.Second)
}

// matches are the steps of a window whose code this is, as a rule none or one. Every step is looked at, and each for
// the same time, whatever was found before.
func matches(d *Device, secret []byte, code string, w Window, now time.Time) (steps []int64) {
	at := stepAt(now, d.Period)
	for step := at - int64(w.Back); step <= at+int64(w.Forward); step++ {
		right := subtle.ConstantTimeCompare([]byte(hotp(secret, step, d.Algorithm, d.Digits)), []byte(code))
		if right == 1 && step > 0 {
			steps = append(steps, step)
		}
	}
	return steps
}

// maxTyped bounds what a person may have typed as a code.
const maxTyped = 64

// normalise turns what a person typed into digits: apps show codes in groups, so spaces and dashes go, and the digits
// of any script are digits.
func normalise(typed string) string {
	if len(typed) > maxTyped {
		return ""
	}
	var out strings.Builder
	for _, r := range typed {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Pd, r):
		case unicode.IsDigit(r):
			out.WriteByte(digit.ASCII(r))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}
