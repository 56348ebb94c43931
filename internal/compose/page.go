package compose

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// pageProblem compares two renderings of a page, one with an honest name and one with a hostile: values may stand in
// text and in the values of most attributes, and change nothing else. It returns what is wrong, empty for nothing.
func pageProblem(honest, hostile string) string {
	if problem := misplaced(hostile); problem != "" {
		return problem
	}
	if outline(honest) != outline(hostile) {
		return "a value changes the page: somewhere it stands in a tag, or in an attribute without quotation marks"
	}
	return ""
}

// outline is the elements of a page and the names of their attributes.
func outline(page string) string {
	var b strings.Builder
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			t := z.Token()
			b.WriteString("\n" + t.Type.String() + " " + t.Data)
			for _, a := range t.Attr {
				b.WriteString(" " + a.Key)
			}
		case html.CommentToken, html.DoctypeToken:
			b.WriteString("\n!")
		}
	}
}

// misplaced finds the hostile word where escaping for HTML does not make it harmless: in scripts and styles, and at
// the beginning of an address.
func misplaced(page string) string {
	var within atom.Atom
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.TextToken:
			if within == atom.Style && strings.Contains(string(z.Raw()), hostileWord) {
				return "a value stands in a style, where it could change the page"
			}
		case html.EndTagToken:
			within = 0
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			within = t.DataAtom
			if t.DataAtom == atom.Script {
				return "a mail cannot have a script: mail programs drop it, or the mail"
			}
			for _, a := range t.Attr {
				if problem := misplacedIn(a); problem != "" {
					return problem
				}
			}
		}
	}
}

// addresses are attributes that hold one.
var addresses = map[string]bool{"href": true, "src": true, "action": true, "background": true, "formaction": true, "srcset": true, "cite": true}

func misplacedIn(a html.Attribute) string {
	switch {
	case strings.HasPrefix(a.Key, "on"):
		return "the attribute " + a.Key + " is a script: mail programs drop it, or the mail"
	case !strings.Contains(a.Val, hostileWord):
		return ""
	case a.Key == "style":
		return "a value stands in a style, where it could change the page"
	case addresses[a.Key] && !strings.HasPrefix(a.Val, "mailto:"):
		return "whoever chose the name would choose where " + a.Key + " leads: a name or address can stand in it after mailto: alone"
	}
	return ""
}
