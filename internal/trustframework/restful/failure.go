package restful

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/otpost/otpost/internal/trustframework"
)

// The keys of messages (restful-technical-profile.md, "Error handling").
const (
	requestFailed = "DefaultUserMessageIfRequestFailed"
	// unreachable is for a service that cannot be reached.
	unreachable = "UserMessageIfCircuitOpen"
	noName      = "UserMessageIfDnsResolutionFailed"
	noAnswer    = "UserMessageIfRequestTimeout"
)

var messageKeys = []string{requestFailed, unreachable, noName, noAnswer}

// defaults are B2C's own (localization-string-ids.md, "Restful service error messages") without the URL of the service,
// which is nothing that people at a page should see and can hold a key.
var defaults = map[string]string{
	requestFailed: "Failed to establish connection to restful service end point.",
	unreachable:   "Unable to connect to the restful service end point.",
	noName:        "Failed to resolve the hostname of the restful service endpoint.",
	noAnswer:      "Failed to establish connection to restful service end point within timeout limit {0} seconds.",
}

// failure is what the person is told of a call that failed. A key that the policy has no text for gives way to
// DefaultUserMessageIfRequestFailed, if there is a text for that. The profile's own text is the default, so that one in
// the person's language counts before it. Where B2C puts the URL in, the host's name is put in.
func (s settings) failure(key string, cause error) *trustframework.Failure {
	if !s.said(key) && s.said(requestFailed) {
		key = requestFailed
	}
	f := &trustframework.Failure{Key: key, Default: defaults[key], Cause: cause, Arguments: []string{s.target.host}}
	if text, there := s.texts[key]; there {
		f.Default = text
	}
	if key == unreachable {
		f.Arguments = []string{strings.TrimSuffix(defaults[unreachable], "."), s.target.host}
	}
	return f
}

// late is the failure of a service that did not answer in time.
func (s settings) late(after time.Duration, cause error) *trustframework.Failure {
	f := s.failure(noAnswer, cause)
	if f.Key == noAnswer {
		f.Arguments = []string{strconv.FormatFloat(after.Seconds(), 'f', -1, 64), s.target.host}
	}
	return f
}

// said says that the profile has a text for a key, or the policy in some language.
func (s settings) said(key string) bool {
	if s.texts[key] != "" {
		return true
	}
	return s.policy != nil && slices.ContainsFunc(s.policy.Localization.Resources, func(r *trustframework.LocalizedResources) bool {
		_, there := r.String("ErrorMessage", "", key)
		return there
	})
}

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
	if json.Unmarshal(body, &r) != nil || plain(r.Version) == "" || plain(r.Status) != "409" || strings.TrimSpace(r.UserMessage) == "" {
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
