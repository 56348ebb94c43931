package rest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// The bounds of members; openapi.json repeats them.
const (
	maxTo       = 320 // RFC 5321 §4.5.3.1: 64 + 1 + 255
	maxCode     = 64
	maxLocale   = 256
	maxPolicy   = 64
	maxWait     = 10_000 // ms
	maxPairs    = 16
	maxPairName = 64  // bytes
	maxPairText = 256 // bytes
)

type issueRequest struct {
	To       string
	Channel  outbox.Channel
	Purpose  passcode.Purpose
	Locale   string
	Policy   string
	IP       string
	Wait     time.Duration
	Metadata map[string]string
}

var issueMembers = []member[issueRequest]{
	{"to", true, func(q *issueRequest, s *scanner) { q.To = s.text(maxTo) }},
	{"channel", false, func(q *issueRequest, s *scanner) { q.Channel = s.channel() }},
	{"purpose", false, func(q *issueRequest, s *scanner) { q.Purpose = s.purpose() }},
	{"locale", false, func(q *issueRequest, s *scanner) { q.Locale = s.text(maxLocale) }},
	{"policy", false, func(q *issueRequest, s *scanner) { q.Policy = s.text(maxPolicy) }},
	{"ip", false, func(q *issueRequest, s *scanner) { q.IP = s.address() }},
	{"wait_ms", false, func(q *issueRequest, s *scanner) { q.Wait = s.wait() }},
	{"metadata", false, func(q *issueRequest, s *scanner) { q.Metadata = s.pairs() }},
}

type verifyRequest struct{ Code string }

var verifyMembers = []member[verifyRequest]{
	{"code", true, func(q *verifyRequest, s *scanner) { q.Code = s.text(maxCode) }},
}

type verifyToRequest struct {
	To      string
	Code    string
	Purpose passcode.Purpose
}

var verifyToMembers = []member[verifyToRequest]{
	{"to", true, func(q *verifyToRequest, s *scanner) { q.To = s.text(maxTo) }},
	{"code", true, func(q *verifyToRequest, s *scanner) { q.Code = s.text(maxCode) }},
	{"purpose", false, func(q *verifyToRequest, s *scanner) { q.Purpose = s.purpose() }},
}

type resendRequest struct {
	Channel outbox.Channel
	IP      string
	Wait    time.Duration
}

var resendMembers = []member[resendRequest]{
	{"channel", false, func(q *resendRequest, s *scanner) { q.Channel = s.channel() }},
	{"ip", false, func(q *resendRequest, s *scanner) { q.IP = s.address() }},
	{"wait_ms", false, func(q *resendRequest, s *scanner) { q.Wait = s.wait() }},
}

func (s *scanner) channel() outbox.Channel { return oneOf(s, outbox.Email, outbox.SMS) }

func (s *scanner) purpose() passcode.Purpose { return oneOf(s, passcode.Purposes()...) }

// oneOf reads a word out of a closed list.
func oneOf[T ~string](s *scanner, words ...T) T {
	if !s.wants("a string") {
		return ""
	}
	v := T(s.quoted())
	if s.syntax != "" || slices.Contains(words, v) {
		return v
	}
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	s.fault("must be one of %s", strings.Join(names, ", "))
	return ""
}

func (s *scanner) wait() time.Duration {
	return time.Duration(s.integer(0, maxWait)) * time.Millisecond
}

// address reads the address of an end user's device, and returns it in its one canonical form.
func (s *scanner) address() string {
	v := s.text(64)
	if v == "" {
		return ""
	}
	a, err := netip.ParseAddr(v)
	if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
		s.fault("must be the IPv4 or IPv6 address of the end user's device, without a port or a zone")
		return ""
	}
	return a.Unmap().String()
}

// pairs reads the caller's own metadata.
func (s *scanner) pairs() map[string]string {
	if !s.wants("an object") {
		return nil
	}
	field, out, count := s.field, map[string]string{}, 0
	s.object(func(name string) {
		count++
		s.field = field
		_, twice := out[name]
		switch {
		case name == "" || len(name) > maxPairName || hasControl(name):
			s.fault("has a name that is empty, longer than %d bytes or not printable", maxPairName)
			s.skip(0)
			return
		case count > maxPairs:
			if count == maxPairs+1 {
				s.fault("must have at most %d pairs", maxPairs)
			}
			s.skip(0)
			return
		}
		s.field = field + "." + name
		if twice {
			s.fault("is given twice")
		}
		out[name] = s.pairText()
	})
	s.field = field
	return out
}

// pairText reads a value, which unlike other text may be empty.
func (s *scanner) pairText() string {
	if !s.wants("a string") {
		return ""
	}
	v := s.quoted()
	if len(v) > maxPairText {
		s.fault("must have at most %d bytes", maxPairText)
	} else if hasControl(v) {
		s.fault("must not hold control characters")
	}
	return v
}

// canonical is what two requests under one idempotency key have in common when they ask for the same: every member
// but wait_ms, which says how long to wait and not what to do. The form is length-prefixed, so no two differ in
// meaning and agree in bytes.
func (q *issueRequest) canonical() []byte {
	var b []byte
	add := func(v string) { b = fmt.Appendf(b, "%d:%s,", len(v), v) }
	for _, v := range []string{"POST /v1/passcodes", q.To, string(q.Channel), string(q.Purpose), q.Locale, q.Policy, q.IP} {
		add(v)
	}
	names := make([]string, 0, len(q.Metadata))
	for name := range q.Metadata {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		add(name)
		add(q.Metadata[name])
	}
	return b
}
