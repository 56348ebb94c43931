package access_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/access"
)

// FuzzAuthenticate presents any text as a key: only the key itself opens, and the store is asked only for what has the
// form of one.
func FuzzAuthenticate(f *testing.F) {
	k, s, _ := newKeys(f, 0)
	key := create(f, k)
	for _, seed := range []string{"", "otp_", key, key + "=", " " + key, key[:len(key)-1] + "\x00", strings.ToUpper(key), strings.Repeat("otp_", 12)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
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
