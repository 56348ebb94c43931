package liquid

import (
	"strings"

	"github.com/otpost/otpost/internal/suggest"
)

// maxListed is how many names are listed where none is near.
const maxListed = 25

// meant ends an error about an unknown name: the nearest known name if one is near, else all of them if they are few.
func meant(name string, known []string) string {
	end := suggest.For(name, known)
	if len(known) > maxListed && !strings.HasPrefix(end, "; did you mean") {
		return ""
	}
	return end
}
