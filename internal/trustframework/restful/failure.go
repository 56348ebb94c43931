package restful

import (
	"slices"
	"strconv"
	"strings"
	"time"

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
// which is nothing that people at a page should see and can hold a key. That of unreachable is ours: B2C's is {0} and the
// URL, and what it puts in for {0} is UNCONFIRMED.
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
