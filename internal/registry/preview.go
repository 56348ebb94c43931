package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/locale"
)

// Rendering is what a template says in one language, as the API answers it.
type Rendering struct {
	// Language is a BCP 47 tag, Name what the language calls itself, Direction the way it is written.
	Language  string           `json:"language"`
	Name      string           `json:"name"`
	Direction locale.Direction `json:"direction"`
	// Subject and HTML are a mail's alone. All three are empty where there is a problem.
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text,omitempty"`
	HTML    string `json:"html,omitempty"`
	// Segments is how many parts an SMS takes, each of which is charged; 0 for a mail.
	Segments int `json:"segments,omitempty"`
	// Problem is why there is no message, nil if there is one.
	Problem *compose.Problem `json:"problem,omitempty"`
}

// NoRenderingError says that a template is not rendered in the language that was asked for.
type NoRenderingError struct {
	// Language is what was asked for, Has the tags that there are.
	Language string
	Has      []string
}

func (e *NoRenderingError) Error() string {
	return fmt.Sprintf("the template is not rendered in %q; it is in %s", e.Language, strings.Join(e.Has, ", "))
}

// PreviewTemplate renders sample content in every language that a template can be chosen for, or in the one that is
// named, without keeping anything. body is in the form of compose.TemplateDocument, and need not pass what a template
// that is saved must; nil stands for the stored template of this name. Its error is *Invalid for a body that cannot be
// read, ErrNoDocument, or *NoRenderingError.
func (r *Registry) PreviewTemplate(ctx context.Context, name string, body []byte, language string) ([]Rendering, error) {
	if body == nil {
		document, err := r.Document(ctx, TemplateKind, name)
		if err != nil {
			return nil, err
		}
		body = document.Body
	}
	if r.Rules.Composer == nil {
		return nil, errNoComposer
	}
	var d compose.TemplateDocument
	invalid := &Invalid{}
	if err := decode(body, &d); err != nil {
		invalid.add(TemplateKind, name, err)
		return nil, invalid
	}
	d.Name = name
	shown, err := compose.Preview(d, r.Rules.compose(), compose.Sample(d.Channel))
	if err != nil {
		invalid.add(TemplateKind, name, err)
		return nil, invalid
	}
	all := make([]Rendering, len(shown))
	for i, s := range shown {
		all[i] = Rendering{s.Language, s.Name, s.Direction, s.Message.Subject, s.Message.Text, s.Message.HTML, s.Segments, s.Problem}
	}
	return inLanguage(all, language)
}

// inLanguage narrows to one language; the empty tag means all.
func inLanguage(all []Rendering, tag string) ([]Rendering, error) {
	if tag == "" {
		return all, nil
	}
	has := make([]string, len(all))
	for i := range all {
		has[i] = all[i].Language
		if strings.EqualFold(has[i], tag) {
			return all[i : i+1], nil
		}
	}
	slices.Sort(has)
	return nil, &NoRenderingError{tag, has}
}
