package authenticator_test

import (
	"bytes"
	"encoding/base32"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/authenticator"
)

func unpadded(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// azure-ad-b2c/samples issue 556: a secret of 26 characters failed, as only whole groups of eight were read.
func TestSecretsOfEveryLengthAndForm(t *testing.T) {
	for n := 5; n <= 128; n++ {
		secret := bytes.Repeat([]byte{0xa5, 0x17, 0xff}, 43)[:n]
		plain, padded := unpadded(secret), base32.StdEncoding.EncodeToString(secret)
		grouped := " " + strings.ToLower(plain[:4]) + " " + plain[4:] + "\n"
		for _, text := range []string{plain, strings.ToLower(plain), padded, strings.ToLower(padded), grouped} {
			got, err := authenticator.ParseSecret(text)
			if err != nil || !bytes.Equal(got, secret) {
				t.Errorf("%d bytes as %q: %x, %v", n, text, got, err)
			}
		}
	}
}

func TestSecretsThatAreNone(t *testing.T) {
	const good = "GEZDGNBVGY3TQOJQ"
	for name, text := range map[string]string{
		"nothing but padding": "========", "a digit of none": good[:15] + "1", "a letter in front": "!" + good, "inside": good[:8] + "-" + good[8:],
		"one over": good + "G", "three over": good + "GEZ", "six over": good + "GEZDGN", "too short": "GEZDGNA",
		"half the padding": good + "GE===", "padding inside": "GE======" + good, "a whole group of padding": good + "========",
		"too long": strings.Repeat("A", 207), "far too long": strings.Repeat("A", 100_000),
		"a letter that folds": good[:15] + "\u017f", "wrong padding": good + "GEZ=====",
	} {
		secret, err := authenticator.ParseSecret(text)
		if err == nil {
			t.Errorf("%s: read as %d bytes", name, len(secret))
			continue
		}
		if strings.Contains(err.Error(), good[:8]) {
			t.Errorf("%s: the error repeats the secret: %v", name, err)
		}
	}
}

func FuzzParseSecret(f *testing.F) {
	for _, text := range []string{"", "GEZDGNBVGY3TQOJQ", "ge zd gn bv", "GE======", "\u017f"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		secret, err := authenticator.ParseSecret(text)
		if err != nil {
			return
		}
		again, err := authenticator.ParseSecret(unpadded(secret))
		if err != nil || !bytes.Equal(again, secret) {
			t.Errorf("%q is read as %x, and what that is written as, as %x, %v", text, secret, again, err)
		}
	})
}
