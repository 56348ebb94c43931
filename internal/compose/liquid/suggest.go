package liquid

import (
	"fmt"
	"strings"
)

// suggest ends an error about an unknown name with the known one that is nearest, if one is near.
func suggest(name string, known []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, candidate := range known {
		if d := distance(name, candidate, least); d < least {
			best, least = candidate, d
		}
	}
	if best == "" {
		for _, candidate := range known {
			if strings.HasSuffix(candidate, "."+name) {
				best = candidate
				break
			}
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance counts the letters to change, add or leave out, up to limit.
func distance(a, b string, limit int) int {
	if len(a) > 100 || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
