// Package suggest finds the name that somebody meant when they wrote one that there is not.
package suggest

import (
	"math"
	"slices"
	"strings"
)

// For ends an error about an unknown name: the nearest known name if one is near, whatever their case, else all of them.
func For(name string, known []string) string { return Few(name, known, math.MaxInt) }

// Few is For where the known names may be too many for an error: more than most are not listed, and with 0 none are.
func Few(name string, known []string, most int) string {
	near := Near(name, known, max(2, len(name)/3))
	switch {
	case near != "":
		return "; did you mean " + near + "?"
	case most == 0 || len(known) > most:
		return ""
	case len(known) == 0:
		return "; there are none yet"
	}
	return "; known are " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// Sure is the nearest known name where it alone is to be told, "" if none is as near as a slip of the hand makes it.
func Sure(name string, known []string) string { return Near(name, known, max(2, len(name)/4)) }

// Near is the nearest known name, in its own spelling and whatever its case, "" if none is within a distance.
func Near(name string, known []string, within int) string {
	best, distance := "", within+1
	lower := strings.ToLower(name) // once: a stranger's name can be as long as a URL, and the known ones thousands
	for _, k := range known {
		if d := Distance(lower, strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// Distance counts the insertions, deletions, replacements and swaps of neighbours that turn a into b.
func Distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	var before, above, row [65]int
	for j := range len(b) + 1 {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
