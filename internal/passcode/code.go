package passcode

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/otpost/otpost/internal/digit"
)

// draw makes a code: each character uniform over the set, independent of the others. random is crypto/rand.Reader
// outside of tests.
func draw(random io.Reader, set string, length int) (string, error) {
	// A byte below the largest multiple of the set's size is taken modulo the size; the others are thrown away, since
	// keeping them would make the first characters of the set likelier.
	limit := 256 - 256%len(set)
	code := make([]byte, 0, length)
	var pool [32]byte
	for len(code) < length {
		if _, err := io.ReadFull(random, pool[:]); err != nil {
			return "", fmt.Errorf("draw code: %w", err)
		}
		for _, b := range pool {
			if int(b) < limit && len(code) < length {
				code = append(code, set[int(b)%len(set)])
			}
		}
	}
	return string(code), nil
}

// Draw makes a code of the policy's form that belongs to no challenge, and so opens nothing.
func (p Policy) Draw(random io.Reader) (string, error) {
	set, err := Characters(p.Alphabet)
	if err != nil {
		return "", fmt.Errorf("draw code: %w", err)
	}
	return draw(random, set, p.Length)
}

// maxTyped bounds what a person may have typed as a code.
const maxTyped = 64

// normalise turns what a person typed into the form codes are hashed in: compatibility forms (full-width, Arabic-Indic
// and other digits) become ASCII, spaces go, a dash goes unless the alphabet has one, and letters are folded when the
// alphabet has only one case. One code has one form, so a replay in another form is the same code.
func normalise(typed, set string) string {
	if len(typed) > maxTyped {
		return ""
	}
	upper, lower := set != strings.ToLower(set), set != strings.ToUpper(set)
	dash := strings.ContainsRune(set, '-')
	var out strings.Builder
	for _, r := range norm.NFKC.String(typed) {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
		case !dash && unicode.Is(unicode.Pd, r):
		case unicode.IsDigit(r):
			out.WriteByte(digit.ASCII(r))
		case upper && !lower:
			out.WriteRune(unicode.ToUpper(r))
		case lower && !upper:
			out.WriteRune(unicode.ToLower(r))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// bound is what a code's hash is made of. Each part is preceded by its length, so no two different lists of parts
// give the same bytes.
func bound(label string, parts ...string) []byte {
	n := len(label) + 1
	for _, part := range parts {
		n += len(part) + binary.MaxVarintLen32
	}
	out := make([]byte, 0, n)
	out = append(append(out, label...), 0)
	for _, part := range parts {
		out = binary.AppendUvarint(out, uint64(len(part)))
		out = append(out, part...)
	}
	return out
}

// proof is what a code's keyed hash is made of: the code, bound to its challenge.
func proof(tenant, challenge, code string) []byte {
	return bound("otpost code 1", tenant, challenge, code)
}

// keyID is how many bytes of a keyed hash name its key; see Ring.
const keyID = 5

// bind makes CodeHash of a keyed hash: the key's id, and SHA-256 over the keyed hash, what the code is for and whose it
// is. A row whose purpose or identifier was changed matches no code. This half needs no key, so that a database can
// judge a code in the statement that counts the try (see Try), and a copy of the database still proves no guess: the
// keyed hash is not in it.
func bind(keyed []byte, purpose Purpose, identifier string) []byte {
	hash := sha256.New()
	hash.Write(keyed)
	io.WriteString(hash, string(purpose)+" "+identifier)
	return hash.Sum(append(make([]byte, 0, keyID+sha256.Size), keyed[:min(keyID, len(keyed))]...))
}

// matches reports in constant time whether a challenge's code is this one, under any key of the ring.
func (e *Engine) matches(c *Challenge, code string) bool {
	match := 0
	for _, keyed := range e.Ring.Hashes(proof(c.Tenant, c.ID, code)) {
		match |= subtle.ConstantTimeCompare(c.CodeHash, bind(keyed, c.Purpose, c.Identifier))
	}
	return match == 1
}
