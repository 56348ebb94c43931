package compose

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/otpost/otpost/internal/locale"
)

//go:embed mail.html
var mailHTML string

// mailTemplate is executed once for each wording. html/template escapes what the catalogues say; the slots are marks
// at that time, stand in text only, and are filled with text escaped by html.EscapeString.
var mailTemplate = template.Must(template.New("mail.html").Parse(trimLines(mailHTML)))

// mailPage is what mail.html shows.
type mailPage struct {
	Tag       string
	Direction locale.Direction
	// Title is the heading in one piece, Heading the same with the application's name apart, to be isolated from the
	// direction of the text around it.
	Title   string
	Heading []headingPart
	Lead    string
	Code    string
	Keep    []string
	Unasked string
}

type headingPart struct{ Text, Name string }

func newMailScript(l locale.Language, p purpose, named, lasting bool) (*mailScript, error) {
	subject, title, expires := l.Pattern("mail.subject"), l.Pattern("mail."+p.String()+".title"), l.Pattern("mail.expires")
	if !named {
		subject, title = l.Pattern("mail.subject.unnamed"), l.Pattern("mail.title.unnamed")
	}
	if !lasting {
		expires = l.Pattern("mail.once")
	}
	page := mailPage{
		Tag:       l.Tag(),
		Direction: l.Direction(),
		Title:     marked(title),
		Heading:   heading(title),
		Lead:      l.Text("mail." + p.String() + ".lead"),
		Code:      marks[codeSlot],
		Keep:      []string{marked(expires), l.Text("mail.secret")},
		Unasked:   l.Text("mail." + p.String() + ".unasked"),
	}
	var b strings.Builder
	if err := mailTemplate.Execute(&b, page); err != nil {
		return nil, fmt.Errorf("compose mail in %s: %w", l, err)
	}
	return &mailScript{subject: cut(marked(subject)), text: cut(page.text()), html: cut(b.String())}, nil
}

// text is the page for readers without HTML. The code stands alone on its line.
func (p mailPage) text() string {
	return strings.Join([]string{p.Title, p.Lead, p.Code, strings.Join(p.Keep, "\n"), p.Unasked}, "\n\n")
}

func heading(title locale.Pattern) []headingPart {
	var parts []headingPart
	for _, part := range title {
		parts = append(parts, headingPart{Text: part.Text, Name: marks[slotNames[part.Slot]]})
	}
	return parts
}

// trimLines takes the indentation off: the HTML is stored with every passcode.
func trimLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimLeft(line, "\t "))
	}
	return strings.TrimSpace(b.String())
}
