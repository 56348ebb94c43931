package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Limit is at most Count events in each Window.
type Limit struct {
	Count  int
	Window time.Duration
}

// Limits hold together: each must allow an event. None at all means no limit.
//
// Their text is a list of count/window, such as 5/10m,25/24h, or the word off.
type Limits []Limit

// maxLimits keeps one event from costing many counters.
const maxLimits = 8

// UnmarshalText reads the text form.
func (l *Limits) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*l = nil
		return nil
	}
	var limits Limits
	for part := range strings.SplitSeq(string(text), ",") {
		limit, err := parseLimit(strings.TrimSpace(part))
		if err != nil {
			return err
		}
		for _, other := range limits {
			if other.Window == limit.Window {
				return fmt.Errorf("two limits have the same window %s", shortDuration(limit.Window))
			}
		}
		limits = append(limits, limit)
	}
	if len(limits) > maxLimits {
		return fmt.Errorf("%d limits are more than %d", len(limits), maxLimits)
	}
	*l = limits
	return nil
}

// MarshalText writes the text form.
func (l Limits) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

func (l Limits) String() string {
	if len(l) == 0 {
		return "off"
	}
	parts := make([]string, len(l))
	for i, limit := range l {
		parts[i] = strconv.Itoa(limit.Count) + "/" + shortDuration(limit.Window)
	}
	return strings.Join(parts, ",")
}

func parseLimit(text string) (Limit, error) {
	count, window, found := strings.Cut(text, "/")
	if !found {
		return Limit{}, fmt.Errorf("%q has no slash between count and window", text)
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return Limit{}, fmt.Errorf("%q is not a count", count)
	}
	if n < 1 {
		return Limit{}, errors.New("a count below 1 would refuse everything")
	}
	d, err := time.ParseDuration(window)
	if err != nil {
		return Limit{}, fmt.Errorf("%q is not a duration", window)
	}
	if d < time.Second || d > 30*24*time.Hour {
		return Limit{}, fmt.Errorf("window %s is outside 1s to 720h", shortDuration(d))
	}
	return Limit{Count: n, Window: d}, nil
}

// shortDuration is d without the zero parts that Duration.String leaves at the end: 10m rather than 10m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
