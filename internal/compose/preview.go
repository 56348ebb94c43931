package compose

import (
	"context"
	"time"

	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/outbox"
)

// Rendering is what a template says in one language.
type Rendering struct {
	// Language is the tag, Name what the language calls itself, Direction the way it is written.
	Language  string           `json:"language"`
	Name      string           `json:"name"`
	Direction locale.Direction `json:"direction"`
	// Message has subject, text and HTML as they would be sent; text alone for SMS. It is empty where there is a problem.
	Message outbox.Message `json:"message"`
	// Segments is how many parts an SMS takes, 0 for a mail and where the rules do not count them.
	Segments int `json:"segments,omitempty"`
	// Problem is why the message could not be rendered, nil if it could.
	Problem *Problem `json:"problem,omitempty"`
}

// Sample is content to preview a template with. Its code is nobody's.
func Sample(channel outbox.Channel) Content {
	c := Content{Channel: channel, To: "ana@example.org", Code: "482913", Application: "Contoso", ApplicationID: "contoso",
		Domain: "login.example.org", Purpose: signIn.String(), Lifetime: 10 * time.Minute}
	if channel == outbox.SMS {
		c.To = "+4930123456"
	}
	return c
}

// Preview renders sample content in every language that a document can be chosen for, without keeping anything. It
// takes drafts: a document whose fields cannot be read is an error of type Problems with every place, and one that
// fails in some language says so there. Whether a document may be kept is for Compile to say.
func Preview(document TemplateDocument, rules Rules, sample Content) ([]Rendering, error) {
	t, found := document.parse(dialectOf(rules.Composer.Catalogues))
	if len(found) > 0 {
		return nil, found
	}
	timeout := rules.timeout()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if document.Purpose != "" {
		sample.Purpose = document.Purpose
	}
	if document.Application != "" {
		sample.ApplicationID = document.Application
	}
	trial := trial{template: t, rules: rules, ctx: ctx}
	var all []Rendering
	for _, l := range trial.languages() {
		all = append(all, trial.show(sample, l))
	}
	return all, nil
}

// show renders the sample in one language.
func (r *trial) show(sample Content, l locale.Language) Rendering {
	sample.Locale = l.Tag()
	shown := Rendering{Language: l.Tag(), Name: l.Name(), Direction: l.Direction()}
	if tag := r.template.language; tag != "" && tag != l.Tag() {
		shown.Language, shown.Name, shown.Direction = tag, tag, locale.DirectionOf(tag)
	}
	m, err := r.template.example(r.ctx, r.rules.Composer, sample, l)
	if err != nil {
		problem := problemOf("text", "", err)
		shown.Problem = &problem
		return shown
	}
	shown.Message = m
	if m.Channel == outbox.SMS && r.rules.Segments != nil {
		shown.Segments = r.rules.Segments(m.Text)
	}
	return shown
}
