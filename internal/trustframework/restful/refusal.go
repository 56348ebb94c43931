package restful

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"

	"github.com/otpost/otpost/internal/trustframework"
)

// refusal is the body with which a service tells a person what is wrong (restful-technical-profile.md, "Returning
// validation error message").
type refusal struct {
	Version          any    `json:"version"`
	Status           any    `json:"status"`
	UserMessage      string `json:"userMessage"`
	Code             any    `json:"code"`
	RequestID        string `json:"requestId"`
	DeveloperMessage string `json:"developerMessage"`
	MoreInfo         string `json:"moreInfo"`
}

// readRefusal reads such a body. Version, status and userMessage must be there, and status must be 409, whatever the
// status of the answer is.
func readRefusal(body []byte) (refusal, bool) {
	var r refusal
	if json.Unmarshal(body, &r) != nil || plain(r.Version) == "" || plain(r.Status) != "409" || clean(r.UserMessage, maxMessage, nil) == "" {
		return r, false
	}
	return r, true
}

// plain is a JSON string or number as text.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

const (
	maxMessage = 1000
	maxDetail  = 300
)

// failure tells what the service said, its details with DebugMode alone.
func (r refusal) failure(s settings, cause error, secrets []string) *trustframework.Failure {
	f := &trustframework.Failure{Message: clean(r.UserMessage, maxMessage, secrets), Cause: cause}
	if s.debug {
		f.Code = clean(plain(r.Code), maxDetail, secrets)
		f.RequestID = clean(r.RequestID, maxDetail, secrets)
		f.Developer = clean(r.DeveloperMessage, maxMessage, secrets)
		f.MoreInfo = clean(r.MoreInfo, maxDetail, secrets)
	}
	return f
}

// clean makes a stranger's text fit to be shown: one line of at most most runes, without signs that turn text around, and
// without the secrets that the service was sent.
func clean(text string, most int, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) > 3 {
			text = strings.ReplaceAll(text, secret, "...")
		}
	}
	var b strings.Builder
	count := 0
	for _, word := range strings.FieldsFunc(strings.ToValidUTF8(text, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		if count > 0 {
			b.WriteByte(' ')
			count++
		}
		for _, r := range word {
			if unicode.Is(unicode.Bidi_Control, r) {
				continue
			}
			if count++; count > most {
				return strings.TrimSpace(b.String())
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}
