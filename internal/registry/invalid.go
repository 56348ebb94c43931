package registry

import (
	"errors"
	"fmt"
	"strings"

	"github.com/otpost/otpost/internal/compose"
)

// Problem is one thing that is wrong with a document.
type Problem struct {
	Kind Kind
	Name string
	// Place is where in the document, such as "providers[1].weight"; empty for the document as a whole.
	Place string
	// Message says what is wrong and what to do. It quotes no secret.
	Message string
}

// text is the problem without its document.
func (p Problem) text() string {
	if p.Place == "" {
		return p.Message
	}
	return p.Place + ": " + p.Message
}

// Invalid says what is wrong with documents, all of it.
type Invalid struct{ Problems []Problem }

func (i *Invalid) Error() string {
	lines := make([]string, len(i.Problems))
	for n, p := range i.Problems {
		lines[n] = p.text()
		if about := strings.TrimSpace(fmt.Sprintf("%s %s", p.Kind, p.Name)); about != "" {
			lines[n] = about + ": " + lines[n]
		}
	}
	return strings.Join(lines, "; ")
}

// add takes an error for a problem, or for several where it names several.
func (i *Invalid) add(kind Kind, name string, err error) {
	var several compose.Problems
	if errors.As(err, &several) {
		for _, p := range several {
			i.Problems = append(i.Problems, Problem{kind, name, p.Field, p.Detail()})
		}
		return
	}
	place, message := cutPlace(err.Error())
	i.Problems = append(i.Problems, Problem{kind, name, place, message})
}

func (i *Invalid) orNil() error {
	if len(i.Problems) == 0 {
		return nil
	}
	return i
}
