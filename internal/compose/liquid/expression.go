package liquid

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/osteele/liquid/expressions"
)

// expression is something that has a value.
type expression struct {
	at      int // offset in the source
	eval    expressions.Expression
	negated bool // the value of a condition is turned round
}

// words of expressions.
type wordKind int

const (
	identifier wordKind = iota
	property            // .name
	keyword             // name:
	number              // 1, -1.5
	quoted              // 'text' or "text"
	sign                // everything else
)

type word struct {
	kind wordKind
	at   int // offset in the source
	text string
}

// wordsPerStep is how many words of an expression count as one step more.
const wordsPerStep = 4

// reserved words are signs, though they look like names.
var reserved = []string{"true", "false", "nil", "and", "or", "contains", "in"}

// expression reads the arguments of a token as one expression.
func (p *parser) expression(t token) (expression, error) {
	words, err := p.lex(t)
	if err != nil {
		return expression{}, err
	}
	if len(words) == 0 {
		return expression{}, p.errorf(t.at, "%s needs a condition", t.name)
	}
	if err := p.check(words, false); err != nil {
		return expression{}, err
	}
	eval, err := parseExpression(t.text)
	if err != nil {
		return expression{}, p.errorf(t.textAt, "%q cannot be read as an expression", brief(t.text))
	}
	return expression{at: t.textAt, eval: eval}, nil
}

// values reads the values of a when, divided by commas or by "or".
func (p *parser) values(t token) ([]expression, error) {
	words, err := p.lex(t)
	if err != nil {
		return nil, err
	}
	if err := p.check(words, false); err != nil {
		return nil, err
	}
	args := []byte(t.text)
	for _, w := range words {
		if w.kind == sign && w.text == "or" {
			copy(args[w.at-t.textAt:], ", ")
		}
	}
	statement, err := p.statement(expressions.WhenStatementSelector, token{name: t.name, at: t.at, text: string(args), textAt: t.textAt})
	if err != nil {
		return nil, err
	}
	var values []expression
	for _, e := range statement.When.Exprs {
		values = append(values, expression{at: t.textAt, eval: e})
	}
	return values, nil
}

func (p *parser) statement(selector string, t token) (s *expressions.Statement, err error) {
	defer func() {
		if recover() != nil {
			err = p.errorf(t.textAt, "%q cannot be read as the arguments of %s", brief(t.text), t.name)
		}
	}()
	if s, err = expressions.ParseStatement(selector, t.text); err != nil {
		return nil, p.errorf(t.textAt, "%q cannot be read as the arguments of %s", brief(t.text), t.name)
	}
	return s, nil
}

func parseExpression(text string) (e expressions.Expression, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return expressions.Parse(text)
}

func brief(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "..."
	}
	return text
}

// lex cuts an expression into words, by the rules of the library's scanner.
func (p *parser) lex(t token) ([]word, error) {
	var words []word
	s := t.text
	for i := 0; i < len(s); {
		start := i
		w := word{kind: sign, at: t.textAt + i}
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
			continue
		case c == '\'' || c == '"':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return nil, p.errorf(w.at, "the quotation mark is not closed")
			}
			w.kind, w.text = quoted, s[i+1:i+1+end]
			i += end + 2
		case isLetter(c) || c == '.' && i+1 < len(s) && isLetter(s[i+1]):
			for i++; i < len(s) && (isLetter(s[i]) || isDigit(s[i]) || s[i] == '-'); i++ {
			}
			if i < len(s) && s[i] == '?' {
				i++
			}
			w.kind, w.text = identifier, s[start:i]
			switch {
			case c == '.':
				w.kind, w.text = property, s[start+1:i]
			case i < len(s) && s[i] == ':':
				w.kind = keyword
				i++
			case slices.Contains(reserved, w.text):
				w.kind = sign
			}
		case isDigit(c) || c == '-' && i+1 < len(s) && isDigit(s[i+1]):
			for i++; i < len(s) && isDigit(s[i]); i++ {
			}
			if i+1 < len(s) && s[i] == '.' && isDigit(s[i+1]) {
				for i++; i < len(s) && isDigit(s[i]); i++ {
				}
			}
			if i-start > 15 {
				return nil, p.errorf(w.at, "the number has more than 15 digits")
			}
			w.kind, w.text = number, s[start:i]
		case strings.HasPrefix(s[i:], ".."):
			w.text = ".."
			i += 2
		case c == ';' || c == '%' || c == '{' || c == '}':
			return nil, p.errorf(w.at, "%q has no place in an expression", c)
		default:
			i++
			w.text = s[start:i]
		}
		words = append(words, w)
	}
	return words, nil
}

func isLetter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// check holds an expression to what there is: variables, filters, literal ranges. loop allows the words that may follow
// the list of a loop.
func (p *parser) check(words []word, loop bool) error {
	if len(words) > 0 {
		if err := p.count(words[0].at, 1+len(words)/wordsPerStep); err != nil {
			return err
		}
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		filter := i > 0 && words[i-1].text == "|" && words[i-1].kind == sign
		switch {
		case (w.kind == identifier || w.kind == keyword) && filter:
			if err := p.filter(words, i); err != nil {
				return err
			}
		case w.kind == identifier && loop && i > 0 && isValue(words[i-1]):
			if w.text != "reversed" {
				return p.errorf(w.at, "%q is not known after the list of a loop; reversed, limit:, offset: and cols: are", w.text)
			}
		case w.kind == keyword && !loop:
			return p.errorf(w.at, "%q is no filter: it does not follow a |", w.text)
		case w.kind == identifier:
			if err := p.variable(words, i); err != nil {
				return err
			}
		case w.kind == sign && w.text == "..":
			if err := p.literalRange(words, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func isValue(w word) bool {
	return w.kind != sign && w.kind != keyword || w.kind == sign && (w.text == ")" || w.text == "]")
}

// filter checks the name of a filter, and of t the key that it is given.
func (p *parser) filter(words []word, i int) error {
	w := words[i]
	if why, known := noFilter[w.text]; known {
		return p.errorf(w.at, "the filter %s is not available: %s", w.text, why)
	}
	if !slices.Contains(filterNames, w.text) {
		return p.errorf(w.at, "unknown filter %q%s", w.text, meant(w.text, filterNames))
	}
	if key := words[max(0, i-2)]; w.text == "t" && key.kind == quoted && !p.isAppended(words, i-2) &&
		!slices.Contains(p.dialect.Texts, key.text) {
		return p.errorf(key.at, "unknown text %q%s", key.text, meant(key.text, p.dialect.Texts))
	}
	return p.count(w.at, 1)
}

// isAppended reports whether the word is an argument of a filter, not the beginning of an expression.
func (p *parser) isAppended(words []word, i int) bool {
	return i > 0 && (words[i-1].kind == keyword || words[i-1].text == ",")
}

// variable checks a name with the properties that follow it.
func (p *parser) variable(words []word, i int) error {
	w := words[i]
	if p.locals[w.text] {
		return nil
	}
	path := w.text
	for i++; i < len(words); i++ {
		switch {
		case words[i].kind == property:
			path += "." + words[i].text
			continue
		case words[i].text == "[" && i+2 < len(words) && words[i+1].kind == quoted && words[i+2].text == "]":
			path += "." + words[i+1].text
			i += 2
			continue
		case words[i].text == "[" && words[i].kind == sign:
			return p.errorf(words[i].at, "only a name in quotation marks can stand between brackets here")
		}
		break
	}
	if p.dialect.has(path) {
		if len(p.uses) < maxUses && !slices.ContainsFunc(p.uses, func(u use) bool { return u.path == path }) {
			p.uses = append(p.uses, use{path, w.at})
		}
		return nil
	}
	return p.errorf(w.at, "unknown variable %q%s", path, meant(path, p.dialect.Variables))
}

// has reports whether a path is a variable, or holds some.
func (d *Dialect) has(path string) bool {
	path = strings.TrimSuffix(path, ".size")
	for _, known := range d.Variables {
		if open, ok := strings.CutSuffix(known, ".*"); ok && (path == open || strings.HasPrefix(path, open+".")) {
			return true
		}
		if path == known || strings.HasPrefix(known, path+".") {
			return true
		}
	}
	return false
}

// literalRange demands two whole numbers, not too far apart: the library would walk from one to the other.
func (p *parser) literalRange(words []word, i int) error {
	from, to, ok := bounds(words, i)
	switch {
	case !ok:
		return p.errorf(words[i].at, "the bounds of a range must be whole numbers, as in (1..5)")
	case to-from >= maxTurns:
		return p.errorf(words[i].at, "the range has more than %d numbers", maxTurns)
	case to < from:
		return p.errorf(words[i].at, "the range ends before it begins")
	}
	return nil
}

func bounds(words []word, i int) (from, to int, ok bool) {
	if i < 1 || i+1 >= len(words) {
		return 0, 0, false
	}
	from, err1 := strconv.Atoi(words[i-1].text)
	to, err2 := strconv.Atoi(words[i+1].text)
	return from, to, err1 == nil && err2 == nil && words[i-1].kind == number && words[i+1].kind == number
}

// turnsOf is how often a loop over a list turns at most.
func turnsOf(words []word) int {
	for i := range words {
		if from, to, ok := bounds(words, i); ok && words[i].text == ".." && i == 2 {
			return to - from + 1
		}
	}
	return maxTurns
}
