package locale

import (
	"strconv"
	"time"

	"golang.org/x/text/feature/plural"
)

// Keys of the catalogues that durations are made of.
const (
	keySeconds = "seconds"
	keyMinutes = "minutes"
	keyHours   = "hours"
	keyJoined  = "duration.joined"
)

// Duration says a length of time in words, such as "10 minutes" or "30 秒". See AppendDuration.
func (l Language) Duration(d time.Duration) string { return string(l.AppendDuration(nil, d)) }

// AppendDuration appends a length of time in words. It never says more than there is: what does not fit the words is
// left off.
//
//	under 2 minutes   seconds, whole minutes as minutes   90 seconds, 1 minute
//	under 2 hours     minutes, one hour as an hour        90 minutes, 1 hour
//	from there on     hours, with minutes if any          24 hours, 2 hours 30 minutes
//
// In a language with cases the words are in the form that the catalogue's own texts need.
func (l Language) AppendDuration(b []byte, d time.Duration) []byte {
	d = max(d, 0)
	seconds, minutes := int(d/time.Second), int(d/time.Minute)
	hours, rest := minutes/60, minutes%60
	switch {
	case minutes < 1 || minutes < 2 && seconds%60 != 0:
		return l.AppendPlural(b, keySeconds, seconds)
	case hours < 1 || hours < 2 && rest != 0:
		return l.AppendPlural(b, keyMinutes, minutes)
	case rest == 0:
		return l.AppendPlural(b, keyHours, hours)
	}
	for _, part := range l.c.texts[keyJoined] {
		switch part.Slot {
		case keyHours:
			b = l.AppendPlural(b, keyHours, hours)
		case keyMinutes:
			b = l.AppendPlural(b, keyMinutes, rest)
		default:
			b = append(b, part.Text...)
		}
	}
	return b
}

// AppendPlural appends the text of a plural for n, which is not negative, in Western digits. A key that no catalogue
// has appends nothing but the number.
func (l Language) AppendPlural(b []byte, key string, n int) []byte {
	f, ok := l.c.plurals[key]
	if !ok {
		return strconv.AppendInt(b, int64(n), 10)
	}
	pattern := f[plural.Cardinal.MatchPlural(l.c.tag, n%10_000_000, 0, 0, 0, 0)]
	if pattern == nil {
		pattern = f[plural.Other]
	}
	for _, part := range pattern {
		if part.Slot != "" {
			b = strconv.AppendInt(b, int64(n), 10)
		} else {
			b = append(b, part.Text...)
		}
	}
	return b
}
