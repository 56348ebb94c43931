package access_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/access"
)

// FuzzAuthenticate presents any text as a key: only the key itself opens, and the store is asked only for what has the
// form of one. The key is another one in each process, so the fuzzer is shown a word in its place.
func FuzzAuthenticate(f *testing.F) {
	k, s, _ := newKeys(f, 0)
	key := create(f, k)
	for _, seed := range []string{"", "otp_", "KEY", "KEY=", " KEY", "KEY\x00", "otp_KEY", "OTP_" + strings.Repeat("A", 43), strings.Repeat("otp_", 12)[:47]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		token = strings.ReplaceAll(token, "KEY", key)
		s.asked = 0
		caller, err := k.Authenticate(t.Context(), token)
		if (err == nil) != (token == key) || err != nil && err != access.ErrNoAccess {
			t.Errorf("%q opens %+v, %v", token, caller, err)
		}
		if hasForm := len(token) == len(key) && strings.HasPrefix(token, "otp_"); s.asked > 0 != hasForm {
			t.Errorf("%q: the store was asked %d times", token, s.asked)
		}
	})
}
