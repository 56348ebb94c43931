package predicate

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2/v2"
	"github.com/dlclark/regexp2/v2/syntax"
)

// patience bounds one match of an expression that needs backtracking.
const patience = 250 * time.Millisecond

// errPatience does not repeat the value, which may be a password.
var errPatience = errors.New("takes too long on this value; rewrite it so that there is one way to match a text, not many")

// Expression is a regular expression in .NET's dialect, as policies have them: B2C's own packs look ahead in passwords,
// and refer back. What Go's regexp reads too is matched by it, in linear time, as far as the two agree: on printable
// ASCII, where \d, \w, \s, \b and $ have one meaning. All else is matched by backtracking, within a bound of time.
type Expression struct {
	linear       *regexp.Regexp
	backtracking *regexp2.Regexp
}

// Compile reads an expression. Its errors do not repeat it.
func Compile(text string) (*Expression, error) {
	backtracking, err := regexp2.Compile(text)
	if err != nil {
		return nil, errors.New("is not a regular expression of .NET" + cause(err))
	}
	if mixed(text) {
		return nil, errors.New(`has brackets with \D, \W, \S or \P beside another such class, which are not matched rightly here; write such as (?:\W|[\d_]) for [\W\d_]`)
	}
	// regexp2 looks for where a match may begin, and overlooks some places: \D?\w is not found in 0. In an expression
	// that begins at the beginning it does not look. The line break is for one that ends in a comment.
	for _, end := range []string{")", "\n)"} {
		if anchored, err := regexp2.Compile(`\A(?s:.*?)(?:` + text + end); err == nil {
			backtracking = anchored
			break
		}
	}
	backtracking.MatchTimeout = patience
	return &Expression{linear: linear(text), backtracking: backtracking}, nil
}

// cause is what is wrong with an expression, without the expression.
func cause(err error) string {
	parse := (*syntax.Error)(nil)
	if !errors.As(err, &parse) || strings.Contains(string(parse.Code), "%") {
		return ""
	}
	return ": " + string(parse.Code)
}

// differently finds what both dialects read and do not read alike: subtraction and named classes within brackets, digits
// after a backslash, which may be a character or refer back, categories of Unicode, of which case is another matter in
// each, and counts with a zero before them.
var differently = regexp.MustCompile(`-\[|\[:|\\[0-9pP]|[{,]0[0-9]`)

func linear(text string) *regexp.Regexp {
	if !printable(text) || differently.MatchString(text) {
		return nil
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil
	}
	return compiled
}

func printable(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// Match says whether the expression matches anywhere in value, as Regex.IsMatch does.
func (e *Expression) Match(value string) (bool, error) {
	if e.linear != nil && printable(value) {
		return e.linear.MatchString(value), nil
	}
	matched, err := e.backtracking.MatchString(value)
	if err != nil {
		return false, errPatience
	}
	return matched, nil
}

// Groups says whether the expression matches, and what its named groups then hold.
func (e *Expression) Groups(value string) (map[string]string, bool, error) {
	if e.linear != nil && printable(value) {
		found := e.linear.FindStringSubmatch(value)
		groups := map[string]string{}
		for i, name := range e.linear.SubexpNames() {
			if found != nil && name != "" {
				groups[name] = found[i]
			}
		}
		return groups, found != nil, nil
	}
	match, err := e.backtracking.FindStringMatch(value)
	if err != nil {
		return nil, false, errPatience
	}
	groups := map[string]string{}
	for _, name := range e.GroupNames() {
		if match != nil {
			groups[name] = match.GroupByName(name).String()
		}
	}
	return groups, match != nil, nil
}

// GroupNames are the names that groups have; those that .NET only numbers are not among them.
func (e *Expression) GroupNames() []string {
	var names []string
	for _, name := range e.backtracking.GetGroupNames() {
		if name[0] < '0' || name[0] > '9' {
			names = append(names, name)
		}
	}
	return names
}
