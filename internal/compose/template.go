package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/compose/liquid"
	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/outbox"
)

const (
	// maxSubject and maxFromName bound rendered headers, in characters.
	maxSubject  = 200
	maxFromName = 150
)

// Template is a document that was checked and can be rendered. It never changes and may be used from many goroutines.
type Template struct {
	Document TemplateDocument
	// Warnings are what its author should know; the template works nevertheless.
	Warnings Problems

	language string // canonical, empty for any
	fields   fields
}

// fields are the parsed parts of a document, nil where the document has none.
type fields struct{ subject, fromName, text, html *liquid.Template }

// namedField is a field that the document has.
type namedField struct {
	name     string
	template *liquid.Template
}

// all are the fields that the document has.
func (f fields) all() []namedField {
	all := []namedField{{"from_name", f.fromName}, {"subject", f.subject}, {"text", f.text}, {"html", f.html}}
	return slices.DeleteFunc(all, func(n namedField) bool { return n.template == nil })
}

// speak sets the message's language to the template's own, and the catalogue's to the closest.
func (t *Template) speak(c *Composer, m outbox.Message, l locale.Language) (outbox.Message, locale.Language) {
	if t.language == "" {
		return m, l
	}
	m.Language = t.language
	return m, c.Catalogues.Match(t.language, l.Tag())
}

// errNoCode is what a rendered message without its code ends with. It is checked each time: what a template leaves
// out under a condition may be the code.
var errNoCode = errors.New("the code is not in it; write {{ code }} where every reader sees it")

// parse reads the fields of a document.
func (d *TemplateDocument) parse(dialect *liquid.Dialect) (*Template, Problems) {
	found := d.check()
	t := &Template{Document: *d, language: canonical(d.Language)}
	for _, field := range []struct {
		name, source string
		parsed       **liquid.Template
	}{{"from_name", d.FromName, &t.fields.fromName}, {"subject", d.Subject, &t.fields.subject}, {"text", d.Text, &t.fields.text},
		{"html", d.HTML, &t.fields.html}} {
		if strings.TrimSpace(field.source) == "" {
			continue
		}
		parsed, err := dialect.Parse(field.source)
		if err != nil {
			found = append(found, problemOf(field.name, "", err))
		}
		*field.parsed = parsed
	}
	return t, found
}

// fieldError is a field that could not be rendered.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// problemOf puts an error into a document.
func problemOf(field, tried string, err error) Problem {
	var inField *fieldError
	if errors.As(err, &inField) {
		field = inField.field
	}
	var placed *liquid.Error
	if errors.As(err, &placed) {
		return Problem{Field: field, Line: placed.Line, Column: placed.Column, Case: tried, Problem: placed.Problem}
	}
	if inField != nil {
		err = inField.err
	}
	return Problem{Field: field, Case: tried, Problem: err.Error()}
}

// render fills in the message, whose Language, Code, Application and Purpose are set. l is the language of the
// catalogue's texts. No error holds the code or any other value.
func (t *Template) render(ctx context.Context, c *Composer, m *outbox.Message, l locale.Language, content *Content) error {
	scope := c.scope(m, l, content)
	part := func(name string, field *liquid.Template) (string, error) {
		if field == nil {
			return "", nil
		}
		scope.HTML = name == "html"
		s, err := field.Render(ctx, scope)
		if err != nil {
			return "", &fieldError{name, err}
		}
		return s, nil
	}
	var text string
	var err error
	if m.Subject, err = part("subject", t.fields.subject); err != nil {
		return err
	}
	if m.FromName, err = part("from_name", t.fields.fromName); err != nil {
		return err
	}
	if m.HTML, err = part("html", t.fields.html); err != nil {
		return err
	}
	if text, err = part("text", t.fields.text); err != nil {
		return err
	}
	m.From, m.Subject, m.FromName = t.Document.From, oneLine(m.Subject), oneLine(m.FromName)
	if t.fields.text == nil {
		text = plainText(m.HTML, m.Code)
	}
	m.HTML, m.Text = strings.TrimSpace(m.HTML), tidyLines(text)
	if err := t.judge(m); err != nil {
		return err
	}
	if content.Domain != "" {
		var b strings.Builder
		b.WriteString(m.Text)
		writeBound(&b, "\n\n", *content)
		m.Text = b.String()
	}
	return nil
}

// judge refuses a rendered message that nobody should get.
func (t *Template) judge(m *outbox.Message) error {
	field := "text"
	if t.fields.text == nil {
		field = "html"
	}
	switch {
	case m.Channel == outbox.Email && m.Subject == "":
		return &fieldError{"subject", errors.New("it is empty")}
	case utf8.RuneCountInString(m.Subject) > maxSubject:
		return &fieldError{"subject", fmt.Errorf("it becomes longer than %d characters", maxSubject)}
	case utf8.RuneCountInString(m.FromName) > maxFromName:
		return &fieldError{"from_name", fmt.Errorf("it becomes longer than %d characters", maxFromName)}
	case !shows(m.Text, m.Code):
		return &fieldError{field, errNoCode}
	case m.HTML != "" && !strings.Contains(m.HTML, m.Code) && !shows(plainText(m.HTML, m.Code), m.Code):
		return &fieldError{"html", errNoCode}
	}
	return nil
}

// shows reports whether a text has the code, be it in groups: "482 913" and "482-913" are 482913.
func shows(text, code string) bool {
	if strings.Contains(text, code) {
		return true
	}
	ungrouped := func(r rune) rune {
		switch r {
		case ' ', '-', '\u00a0', '\u2009', '\u202f', '\n', '\t':
			return -1
		}
		return r
	}
	return strings.Contains(strings.Map(ungrouped, text), strings.Map(ungrouped, code))
}

// tidyLines ends lines in "\n" alone, takes white space off their ends, leaves one empty line where there are more, and
// turns other control characters into spaces.
func tidyLines(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	var b strings.Builder
	empty := 0
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
				return ' '
			}
			return r
		}, line), " \t")
		if line == "" {
			empty++
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n\n"[:min(empty+1, 2)])
		}
		empty = 0
		b.WriteString(line)
	}
	return b.String()
}
