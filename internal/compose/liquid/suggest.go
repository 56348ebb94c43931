package liquid

import "github.com/otpost/otpost/internal/suggest"

// maxListed is how many names are listed where none is near.
const maxListed = 25

// meant ends an error about an unknown name: the nearest known name if one is near, else all of them if they are few.
func meant(name string, known []string) string {
	return suggest.Few(name, known, maxListed)
}
