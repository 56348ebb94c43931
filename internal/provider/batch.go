package provider

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// readBatch reads a JSON array of a vendor's events, each by tell, which reports whether a passcode cares for it. An
// event that cannot be read is passed over: the vendor would only post the whole batch again, and the mail of an
// account is not all ours.
func readBatch[E any](body []byte, tell func(e *E) (outbox.Receipt, bool)) (Told, error) {
	var events []json.RawMessage
	if json.Unmarshal(body, &events) != nil || events == nil {
		return Told{}, fmt.Errorf("%w: want an array of events", ErrMalformed)
	}
	var told Told
	seen := make(map[string]bool, len(events))
	for _, raw := range events {
		var e E
		if json.Unmarshal(raw, &e) != nil {
			continue
		}
		r, ok := tell(&e)
		if !ok || r.Ref == "" && r.Delivery == "" || r.Event == "" || seen[r.Event] {
			continue
		}
		seen[r.Event] = true
		told.Receipts = append(told.Receipts, r)
	}
	return told, nil
}

// wordOf is a word of a vendor's own vocabulary, fit to be a receipt's code. Anything that could hold an address or a
// passcode is not.
func wordOf(s string) string {
	if strings.ContainsAny(s, "@0123456789") {
		return ""
	}
	return cut(oneLine(s), 60)
}

// smtpStatus is a status of SMTP, such as 550 or 5.1.1 (RFC 5321 §4.2, RFC 3463 §2).
var smtpStatus = regexp.MustCompile(`^([245][0-9]{2}|[245]\.[0-9]{1,3}\.[0-9]{1,3})$`)

// statusOf is a recipient's server's status, fit to be a receipt's code; empty for anything else, which that server may
// have written.
func statusOf(s string) string {
	if smtpStatus.MatchString(s) {
		return s
	}
	return ""
}

// loose is a value that a vendor writes as a string or as a number.
type loose string

// UnmarshalJSON takes both; anything else is empty.
func (l *loose) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*l = loose(text)
		return nil
	}
	var n json.Number
	if json.Unmarshal(data, &n) == nil {
		*l = loose(n)
	}
	return nil
}

// time reads seconds since 1970, or RFC 3339; zero for neither.
func (l loose) time() time.Time {
	if seconds, err := strconv.ParseFloat(string(l), 64); err == nil {
		return unixTime(seconds)
	}
	t, err := time.Parse(time.RFC3339Nano, string(l))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// unixTime is the moment of a vendor's seconds since 1970, zero for none.
func unixTime(seconds float64) time.Time {
	if seconds <= 0 || seconds > 1e11 {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}
