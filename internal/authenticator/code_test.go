package authenticator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
)

// TestHOTP holds the codes to RFC 4226, appendix D.
func TestHOTP(t *testing.T) {
	for counter, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := authenticator.HOTP([]byte("12345678901234567890"), int64(counter), authenticator.SHA1, 6); got != want {
			t.Errorf("counter %d: %s, want %s", counter, got, want)
		}
	}
}

// keyOf is the key of the test vectors of RFC 6238: the digits, as long as the hash.
func keyOf(algorithm authenticator.Algorithm) []byte {
	size := map[authenticator.Algorithm]int{authenticator.SHA1: 20, authenticator.SHA256: 32, authenticator.SHA512: 64}[algorithm]
	return []byte(strings.Repeat("1234567890", 7)[:size])
}

// vectors are those of RFC 6238, appendix B.
var vectors = []struct {
	at    int64
	codes map[authenticator.Algorithm]string
}{
	{59, map[authenticator.Algorithm]string{"SHA1": "94287082", "SHA256": "46119246", "SHA512": "90693936"}},
	{1111111109, map[authenticator.Algorithm]string{"SHA1": "07081804", "SHA256": "68084774", "SHA512": "25091201"}},
	{1111111111, map[authenticator.Algorithm]string{"SHA1": "14050471", "SHA256": "67062674", "SHA512": "99943326"}},
	{1234567890, map[authenticator.Algorithm]string{"SHA1": "89005924", "SHA256": "91819424", "SHA512": "93441116"}},
	{2000000000, map[authenticator.Algorithm]string{"SHA1": "69279037", "SHA256": "90698825", "SHA512": "38618901"}},
	{20000000000, map[authenticator.Algorithm]string{"SHA1": "65353130", "SHA256": "77737706", "SHA512": "47863826"}},
}

func TestTOTP(t *testing.T) {
	for _, v := range vectors {
		for algorithm, want := range v.codes {
			if got := authenticator.HOTP(keyOf(algorithm), v.at/30, algorithm, 8); got != want {
				t.Errorf("%s at %d: %s, want %s", algorithm, v.at, got, want)
			}
			if got := authenticator.HOTP(keyOf(algorithm), v.at/30, algorithm, 6); got != want[2:] {
				t.Errorf("%s at %d with six digits: %s, want %s", algorithm, v.at, got, want[2:])
			}
		}
	}
}

// TestVectorsThroughTheEngine confirms a device by each code of RFC 6238 at its time.
func TestVectorsThroughTheEngine(t *testing.T) {
	for _, v := range vectors {
		for algorithm, code := range v.codes {
			e, clock := newEngine(t)
			clock.set(time.Unix(v.at, 0))
			e.Window = authenticator.Window{}
			made := enrolWith(t, e, authenticator.Request{Secret: unpadded(keyOf(algorithm)), Algorithm: algorithm, Digits: 8})
			clock.set(time.Unix(v.at/30*30-1, 0))
			wantReason(t, e, "confirm", made.Device.ID, code, authenticator.WrongCode)
			clock.set(time.Unix(v.at/30*30+30, 0))
			wantReason(t, e, "confirm", made.Device.ID, code, authenticator.WrongCode)
			clock.set(time.Unix(v.at, 0))
			wantReason(t, e, "confirm", made.Device.ID, code, "")
		}
	}
}
