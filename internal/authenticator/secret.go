package authenticator

import (
	"encoding/base32"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The bounds of a secret, in bytes. RFC 4226 §4 R6 wants 16 and recommends the 20 that are drawn here; what is taken
// over may be shorter, since authenticators of 10 and even 5 bytes are in use.
const (
	drawnSecret = 20
	minSecret   = 5
	maxSecret   = 128
)

var unpadded = base32.StdEncoding.WithPadding(base32.NoPadding)

// parseSecret reads base32 (RFC 4648 §6) as people have it: in either case, with or without padding and spaces. Its
// errors do not repeat it.
func parseSecret(text string) ([]byte, error) {
	if len(text) > 4*maxSecret {
		return nil, tooLong()
	}
	text = strings.Map(plain, text)
	bare := strings.TrimRight(text, "=")
	switch padding := len(text) - len(bare); {
	case strings.Trim(bare, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "":
		return nil, errors.New("is not base32: only the letters A to Z and the digits 2 to 7 are")
	case padding > 0 && (len(text)%8 != 0 || padding > 6):
		return nil, errors.New("is not base32: leave the padding out, or fill up to eight characters")
	// One, three or six characters over end in the middle of a byte. The decoder would drop them without a word.
	case slices.Contains([]int{1, 3, 6}, len(bare)%8):
		return nil, errors.New("is not base32: a character is missing or too many at its end")
	}
	secret, err := unpadded.DecodeString(bare)
	switch {
	case err != nil:
		return nil, errors.New("is not base32")
	case len(secret) < minSecret:
		return nil, errors.New("is too short: at least " + strconv.Itoa(minSecret) + " bytes are needed, which are 8 characters of base32")
	case len(secret) > maxSecret:
		return nil, tooLong()
	}
	return secret, nil
}

// plain takes spaces out and lifts lower case. Of Unicode nothing else is folded.
func plain(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return -1
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	}
	return r
}

func tooLong() error {
	return errors.New("is too long: at most " + strconv.Itoa(maxSecret) + " bytes are taken, which are 205 characters of base32")
}

// sealedFor is what a sealed secret is bound to: a row that was moved to another person opens for nobody.
func sealedFor(d *Device) string {
	return "otpost authenticator 1 " + strconv.Quote(d.Tenant) + strconv.Quote(d.User) + strconv.Quote(d.ID)
}
