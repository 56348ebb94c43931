package inbox_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front/inbox"
)

// FuzzQuery asks the inbox anything, over its API and its page. What gets through to the messages is a line of text
// and a number within the bounds, and what does not is refused.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "to=ada@example.com", "to=%2B12025550143&limit=1", "limit=0", "limit=201", "limit=1e2", "limit=%31", "limit=-1",
		"to=%00", "to=%ff", "to=a%0d%0ab", "to=" + strings.Repeat("a", 321), "to=a&to=b", "live=off&to=<script>", "limit=99999999999999999999", ";", "%", "to=%E2%80%AE"} {
		f.Add(seed)
	}
	messages := two()
	door := newDoor(f, &inbox.Handler{Messages: messages})
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/v1/inbox", "/inbox"} {
			messages.to, messages.limit = "", -1
			r := httptest.NewRequest("GET", path, nil)
			r.URL.RawQuery = query
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			switch {
			case w.Code != 200 && w.Code != 400:
				t.Errorf("%s?%s: %d", path, query, w.Code)
			case (w.Code == 200) != (messages.limit != -1):
				t.Errorf("%s?%s: %d, and the messages were asked for %d", path, query, w.Code, messages.limit)
			case w.Code == 400:
			case messages.limit < 1 || messages.limit > 200 || utf8.RuneCountInString(messages.to) > 320 ||
				!utf8.ValidString(messages.to) || strings.ContainsFunc(messages.to, unicode.IsControl):
				t.Errorf("%s?%s: asked for %d messages to %q", path, query, messages.limit, messages.to)
			}
			if strings.Contains(w.Body.String(), "<script>") {
				t.Errorf("%s?%s: %s", path, query, w.Body)
			}
		}
	})
}
