package liquid

import (
	"strings"
	"unicode"
)

// maxEndTag bounds the inside of {% endcomment %} and {% endraw %}, white space included.
const maxEndTag = 64

// kind is what a token is.
type kind int

const (
	textToken   kind = iota
	outputToken      // {{ … }}
	tagToken         // {% … %}
)

// token is a piece of a template.
type token struct {
	kind kind
	// at is the offset of the token in the source.
	at int
	// text is the text itself, or the expression of an output, or the arguments of a tag.
	text string
	// textAt is the offset of text in the source.
	textAt int
	// name is the tag's.
	name string
}

// scan cuts the source into tokens, without the comments and with the white space taken off that "-" asks for. What a
// raw block holds is text.
func (p *parser) scan() ([]token, error) {
	var tokens []token
	trim := false // what follows loses its leading white space
	text := func(from, to int) {
		if trim {
			from += len(p.source[from:to]) - len(strings.TrimLeftFunc(p.source[from:to], unicode.IsSpace))
		}
		if from < to {
			tokens = append(tokens, token{kind: textToken, at: from, text: p.source[from:to], textAt: from})
		}
		trim = false
	}
	for at := 0; ; {
		open := strings.Index(p.source[at:], "{")
		for open >= 0 && !isOpening(p.source[at+open:]) {
			next := strings.Index(p.source[at+open+1:], "{")
			if next < 0 {
				open = -1
				break
			}
			open += 1 + next
		}
		if open < 0 {
			text(at, len(p.source))
			return tokens, nil
		}
		start := at + open
		t, end, err := p.token(start)
		if err != nil {
			return nil, err
		}
		text(at, start)
		if p.source[start+2] == '-' {
			tokens = trimEnd(tokens)
		}
		trim = p.source[end-3] == '-'
		at = end
		switch {
		case t.kind == tagToken && (t.name == "comment" || t.name == "raw"):
			inner, after, err := p.closing(t, end)
			if err != nil {
				return nil, err
			}
			if t.name == "raw" {
				text(end, inner)
			}
			at = after
		default:
			tokens = append(tokens, t)
		}
	}
}

func isOpening(rest string) bool {
	return strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "{%")
}

// token reads the output or tag that begins at start, and says where it ends.
func (p *parser) token(start int) (token, int, error) {
	closing, what := "}}", "value"
	if p.source[start+1] == '%' {
		closing, what = "%}", "tag"
	}
	rest := p.source[start+2:]
	length := strings.Index(rest, closing)
	if length < 0 {
		return token{}, 0, p.errorf(start, "the %s that begins here is not closed by %s", what, closing)
	}
	end := start + 2 + length + 2
	from, to := start+2, start+2+length
	if from < to && p.source[from] == '-' {
		from++
	}
	if from < to && p.source[to-1] == '-' {
		to--
	}
	inner := p.source[from:to]
	from += len(inner) - len(strings.TrimLeftFunc(inner, unicode.IsSpace))
	inner = strings.TrimSpace(inner)
	if inner == "" {
		return token{}, 0, p.errorf(start, "the %s is empty", what)
	}
	if what == "value" {
		return token{kind: outputToken, at: start, text: inner, textAt: from}, end, nil
	}
	name := inner
	if space := strings.IndexFunc(inner, unicode.IsSpace); space >= 0 {
		name = inner[:space]
	}
	args := strings.TrimLeftFunc(inner[len(name):], unicode.IsSpace)
	return token{kind: tagToken, at: start, name: name, text: args, textAt: from + len(inner) - len(args)}, end, nil
}

// closing finds the end tag of a comment or raw block: where the inside ends, and where the tag does.
func (p *parser) closing(t token, from int) (inner, after int, err error) {
	for at := from; ; {
		open := strings.Index(p.source[at:], "{%")
		if open < 0 {
			return 0, 0, p.errorf(t.at, "the %s that begins here has no end%s", t.name, t.name)
		}
		start := at + open
		// An end tag is short. Looking no further keeps the search linear in the source.
		rest := p.source[start+2 : min(start+2+maxEndTag, len(p.source))]
		length := strings.Index(rest, "%}")
		if length >= 0 && strings.Trim(rest[:length], "- \t\r\n") == "end"+t.name {
			return start, start + 2 + length + 2, nil
		}
		at = start + 2
	}
}

// trimEnd takes the white space off the end of what was last, if it is text.
func trimEnd(tokens []token) []token {
	if n := len(tokens); n > 0 && tokens[n-1].kind == textToken {
		if tokens[n-1].text = strings.TrimRightFunc(tokens[n-1].text, unicode.IsSpace); tokens[n-1].text == "" {
			return tokens[:n-1]
		}
	}
	return tokens
}
