package rest

import (
	"fmt"
	"strings"
)

// suggest ends the sentence on an unknown member: with the member that was probably meant, or with all there are.
func suggest[T any](name string, members []member[T]) string {
	if len(members) == 0 {
		return ""
	}
	best, least := "", 3
	for _, m := range members {
		if d := distance(plainName(name), plainName(m.name)); d < least && d < len(m.name) {
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

// distance is how many bytes have to be put in, taken out or changed to make b of a (Levenshtein 1966), 99 for names
// too long to be a slip of the hand.
func distance(a, b string) int {
	if len(a) > 32 || len(b) > 32 {
		return 99
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
