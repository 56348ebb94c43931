package silence_test

import (
	"bytes"
	"regexp"
	"testing"
)

// individual is what no two answers have in common, whoever they are about: ids, times, and how many seconds are left.
var individual = regexp.MustCompile(`\b(?:pc|dl)_[0-9a-z]{26}\b` +
	`|(?:X-Request-Id: |/requests/|Request <code>)[0-9a-z]{26}\b` +
	`|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z` +
	`|Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT` +
	`|Retry-After: \d+`)

// mask puts a # for each byte of what is individual, so an answer that is longer by one byte stays so.
func mask(answer []byte, own []string) []byte {
	hide := func(b []byte) []byte { return bytes.Repeat([]byte("#"), len(b)) }
	masked := individual.ReplaceAllFunc(answer, hide)
	for _, text := range own {
		masked = bytes.ReplaceAll(masked, []byte(text), hide([]byte(text)))
	}
	return masked
}

func TestTheMaskHidesNoMoreThanItMust(t *testing.T) {
	const answer = "HTTP/1.1 429 Too Many Requests\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nRetry-After: 30\r\n" +
		"X-Request-Id: 0123456789abcdefghjkmnpqrs\r\n\r\n" +
		`{"to":"a@b.org","at":"2026-11-21T12:00:00.123Z","id":"pc_0123456789abcdefghjkmnpqrs","left":4}`
	const want = "HTTP/1.1 429 Too Many Requests\r\n###################################\r\n###############\r\n" +
		"########################################\r\n\r\n" +
		`{"to":"#######","at":"########################","id":"#############################","left":4}`
	if got := mask([]byte(answer), []string{"a@b.org"}); string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, kept := range []string{"X-Request-Id: 0123", "at 2026-11-21T12:00:00Z", "pc_1", `"attempts_left":4`, "Age: 30"} {
		if got := mask([]byte(kept), nil); string(got) != kept {
			t.Errorf("%s became %s", kept, got)
		}
	}
	if short, long := mask([]byte("Retry-After: 9"), nil), mask([]byte("Retry-After: 10"), nil); len(short) == len(long) {
		t.Error("the mask hides a difference in length")
	}
}
