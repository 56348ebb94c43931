package config

import (
	"fmt"
	"strings"
)

// Pairs are values under names, which are told apart without case. Their text is NAME=VALUE,NAME=VALUE.
type Pairs []Pair

// Pair is one of Pairs.
type Pair struct{ Name, Value string }

// Map is the values by name.
func (p Pairs) Map() map[string]string {
	m := make(map[string]string, len(p))
	for _, pair := range p {
		m[pair.Name] = pair.Value
	}
	return m
}

func (p Pairs) String() string {
	parts := make([]string, len(p))
	for i, pair := range p {
		parts[i] = pair.Name + "=" + pair.Value
	}
	return strings.Join(parts, ",")
}

// MarshalText writes the text form.
func (p Pairs) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the text form. The first equals sign divides; a value has no comma.
func (p *Pairs) UnmarshalText(text []byte) error {
	var pairs Pairs
	seen := map[string]bool{}
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !found:
			return fmt.Errorf("%q has no equals sign between name and value", part)
		case name == "":
			return fmt.Errorf("%q has no name", part)
		case seen[strings.ToLower(name)]:
			return fmt.Errorf("%q is set twice", name)
		}
		seen[strings.ToLower(name)] = true
		pairs = append(pairs, Pair{name, value})
	}
	*p = pairs
	return nil
}
