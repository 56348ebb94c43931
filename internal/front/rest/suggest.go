package rest

import (
	"fmt"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
)

// meant ends the sentence on an unknown member: with the member that was probably meant, or with all there are.
func meant[T any](name string, members []member[T]) string {
	if len(members) == 0 {
		return ""
	}
	best, least := "", 3
	for _, m := range members {
		if d := suggest.Distance(plainName(name), plainName(m.name)); d < least && d < len(m.name) {
			best, least = m.name, d
		}
	}
	if best != "" {
		return fmt.Sprintf(" (did you mean %s?)", best)
	}
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.name
	}
	return " (its members: " + strings.Join(names, ", ") + ")"
}

// plainName makes waitMs, wait-ms and WAIT_MS one name.
func plainName(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
}
