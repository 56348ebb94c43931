package compose

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// plainText reads a page as somebody without HTML would: blocks are paragraphs, items of lists have a hyphen, a link
// is followed by its address, and what a page does not show is left out. An element that holds the code and nothing
// else stands on a line of its own; if no line is the code alone, it is put before the text on one, so that people and
// programs find it.
func plainText(page, code string) string {
	if page == "" {
		return ""
	}
	w := plainWriter{code: code}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return w.text()
		case html.TextToken:
			if w.hidden == 0 {
				w.words(html.UnescapeString(string(z.Raw())))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			w.start(z.Token())
		case html.EndTagToken:
			w.end(z.Token().DataAtom)
		}
	}
}

// plainWriter collects the text.
type plainWriter struct {
	code string
	b    strings.Builder
	// breaks is how many line ends are due before the next word, space whether white space is.
	breaks int
	space  bool
	// hidden is the element that hides what is in it, depth how many of its kind are open.
	hidden atom.Atom
	depth  int
	// after is set once the code was given a line of its own: the full stop that ended its sentence is left out.
	after  bool
	link   string
	linkAt int // where the link's own words begin
}

func (w *plainWriter) text() string {
	text := tidyLines(w.b.String())
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) == w.code {
			return text
		}
	}
	if !shows(text, w.code) {
		return text
	}
	return w.code + "\n\n" + text
}

// words writes text with its white space as a page shows it. The code alone gets lines of its own.
func (w *plainWriter) words(s string) {
	if w.after {
		s = strings.TrimLeft(s, ".,:;!")
	}
	fields := strings.FieldsFunc(s, isPageSpace)
	if len(fields) == 0 {
		w.space = w.space || s != ""
		return
	}
	w.after = w.code != "" && len(fields) == 1 && fields[0] == w.code
	if w.after {
		w.breaks = 2
	}
	w.space = w.space || isPageSpace(rune(s[0]))
	w.flush()
	w.b.WriteString(strings.Join(fields, " "))
	w.space = isPageSpace(rune(s[len(s)-1]))
	if w.after {
		w.breaks = 2
	}
}

// isPageSpace holds for the white space that HTML folds (HTML Standard, ASCII whitespace). A no-break space is not.
func isPageSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\f' || r == '\r' }

// flush writes the line ends or the space that are due.
func (w *plainWriter) flush() {
	switch {
	case w.b.Len() == 0:
	case w.breaks > 0:
		w.b.WriteString(strings.Repeat("\n", w.breaks))
	case w.space:
		w.b.WriteByte(' ')
	}
	w.breaks, w.space = 0, false
}

func (w *plainWriter) start(t html.Token) {
	if w.hides(t) {
		return
	}
	switch t.DataAtom {
	case atom.Br:
		w.breaks = min(w.breaks+1, 2)
	case atom.Tr, atom.Div, atom.Section, atom.Header, atom.Footer:
		w.breaks = max(w.breaks, 1)
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Ul, atom.Ol, atom.Blockquote, atom.Hr:
		w.breaks = 2
	case atom.Td, atom.Th:
		w.space = true
	case atom.Li:
		w.breaks = max(w.breaks, 1)
		w.flush()
		w.b.WriteString("- ")
	case atom.Img:
		w.words(attribute(t, "alt"))
	case atom.A:
		w.link, w.linkAt = attribute(t, "href"), w.b.Len()
	}
}

// hides reports whether a page does not show the element, or what it is within. An element without content hides
// nothing but itself.
func (w *plainWriter) hides(t html.Token) bool {
	void := t.Type == html.SelfClosingTagToken || t.DataAtom == atom.Img || t.DataAtom == atom.Br || t.DataAtom == atom.Hr
	switch {
	case w.hidden == atom.Head && t.DataAtom == atom.Body:
		w.hidden = 0
		return false
	case w.hidden != 0:
		if t.DataAtom == w.hidden && !void {
			w.depth++
		}
		return true
	}
	switch t.DataAtom {
	case atom.Head, atom.Style, atom.Script, atom.Title, atom.Template, atom.Textarea:
	default:
		style := strings.ReplaceAll(strings.ToLower(attribute(t, "style")), " ", "")
		if t.DataAtom == 0 || !strings.Contains(style, "display:none") {
			return false
		}
	}
	if !void {
		w.hidden, w.depth = t.DataAtom, 1
	}
	return true
}

func (w *plainWriter) end(element atom.Atom) {
	if w.hidden != 0 {
		if element == w.hidden {
			if w.depth--; w.depth == 0 {
				w.hidden = 0
			}
		}
		return
	}
	switch element {
	case atom.Tr, atom.Div, atom.Section, atom.Header, atom.Footer, atom.Li:
		w.breaks = max(w.breaks, 1)
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Ul, atom.Ol, atom.Blockquote:
		w.breaks = 2
	case atom.A:
		w.address()
	}
}

// address follows a link with where it leads, unless its words say that already.
func (w *plainWriter) address() {
	link := w.link
	w.link = ""
	shown := w.b.String()[min(w.linkAt, w.b.Len()):]
	bare := strings.TrimPrefix(strings.TrimPrefix(link, "mailto:"), "tel:")
	if bare == "" || strings.HasPrefix(link, "#") || strings.Contains(shown, bare) {
		return
	}
	if strings.TrimSpace(shown) == "" {
		w.words(bare)
		return
	}
	w.b.WriteString(" (" + oneLine(bare) + ")")
}

func attribute(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
