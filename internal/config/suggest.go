package config

import "github.com/otpost/otpost/internal/suggest"

// closest returns the candidate that name was probably meant to be, empty when none is near.
func closest(name string, candidates []string) string {
	best, least := "", max(2, len(name)/4)+1
	for _, candidate := range candidates {
		if d := suggest.Distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}
