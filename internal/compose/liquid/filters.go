package liquid

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/osteele/liquid/values"
)

// lines is a text whose line ends show as such in HTML. For every filter after it, it is the text again.
type lines string

// String is the text.
func (l lines) String() string { return string(l) }

// noFilter are filters that will never be there, and why.
var noFilter = map[string]string{
	"raw":     "every value is escaped where it is written, and nothing can undo it",
	"json":    "it would show a value in a form for programs",
	"inspect": "it would show everything that is known to whoever gets the message",
	"type":    "it would show what the program is made of",
}

// filterNames are the filters there are, sorted.
var filterNames = slices.Sorted(maps.Keys((&rendering{}).filters()))

// Filters lists the filters there are, sorted.
func Filters() []string { return slices.Clone(filterNames) }

// markup finds what strip_html takes out.
var markup = regexp.MustCompile(`<[^>]*>`)

var errZero = errors.New("division by zero")

// filters are all filters. They are closures over the rendering that they spend on. A parameter that is a function is
// one that may be left out; it answers with the given default.
func (r *rendering) filters() map[string]any {
	one := func(f func(string) string) any { return func(s string) string { return r.bounded(f(r.read(s))) } }
	same := one(func(s string) string { return s })
	return map[string]any{
		"t":       r.translate,
		"default": otherwise,
		"size":    size,
		"date":    r.date,

		// Every value is escaped where it is written, so these two, which Auth0's templates use, have nothing to do.
		"escape": same, "escape_once": same, "h": same,

		"newline_to_br":  func(s string) lines { return lines(r.read(s)) },
		"strip_html":     one(func(s string) string { return markup.ReplaceAllString(s, "") }),
		"strip_newlines": one(func(s string) string { return strings.NewReplacer("\r", "", "\n", "").Replace(s) }),
		"strip":          one(strings.TrimSpace),
		"lstrip":         one(func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) }),
		"rstrip":         one(func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }),
		"upcase":         one(strings.ToUpper),
		"downcase":       one(strings.ToLower),
		"capitalize":     one(capitalize),
		"url_encode":     one(url.QueryEscape),
		"url_decode":     one(decode),

		"append":        func(s, end string) string { return r.bounded(r.read(s) + r.read(end)) },
		"prepend":       func(s, start string) string { return r.bounded(r.read(start) + r.read(s)) },
		"remove":        func(s, old string) string { return r.replace(s, old, "", -1) },
		"remove_first":  func(s, old string) string { return r.replace(s, old, "", 1) },
		"replace":       func(s, old, by string) string { return r.replace(s, old, by, -1) },
		"replace_first": func(s, old, by string) string { return r.replace(s, old, by, 1) },
		"slice":         r.slice,
		"truncate":      r.truncate,
		"truncatewords": r.truncateWords,

		"split":   r.split,
		"join":    r.join,
		"first":   func(v any) any { return pick(v, 0) },
		"last":    func(v any) any { return pick(v, -1) },
		"reverse": func(v any) []any { items := slices.Clone(list(v)); slices.Reverse(items); return items },
		"sort":    func(v any) []any { items := slices.Clone(list(v)); values.Sort(items); return items },
		"uniq":    uniq,
		"compact": func(v any) []any {
			return slices.DeleteFunc(slices.Clone(list(v)), func(item any) bool { return item == nil })
		},
		"concat": func(a, b any) []any { return list(append(slices.Clone(list(a)), list(b)...)) },

		"abs":        math.Abs,
		"ceil":       func(a float64) int { return whole(math.Ceil(a)) },
		"floor":      func(a float64) int { return whole(math.Floor(a)) },
		"round":      round,
		"plus":       func(a, b any) (any, error) { return calculate(a, b, '+') },
		"minus":      func(a, b any) (any, error) { return calculate(a, b, '-') },
		"times":      func(a, b any) (any, error) { return calculate(a, b, '*') },
		"divided_by": func(a, b any) (any, error) { return calculate(a, b, '/') },
		"modulo":     func(a, b any) (any, error) { return calculate(a, b, '%') },
		"at_least":   math.Max,
		"at_most":    math.Min,
	}
}

// read spends what a filter reads.
func (r *rendering) read(s string) string {
	r.spend(len(s))
	return s
}

// bounded spends what a filter wrote, and refuses what is too long.
func (r *rendering) bounded(s string) string {
	if len(s) > maxValue {
		r.stop(errValue)
	}
	r.spend(len(s))
	return s
}

func (r *rendering) spend(n int) {
	if r.bytes += n; r.bytes > maxBytes {
		r.stop(errBytes)
	}
}

// stop ends the rendering: evaluate recovers, and reports what is in stopped.
func (r *rendering) stop(err error) {
	r.stopped = err
	panic(err)
}

func (r *rendering) translate(key string) (string, error) {
	s, ok := r.scope.Translate(key)
	if !ok {
		r.stop(errors.New("the filter t does not know this text; write the key in one piece, and it is checked when the template is saved"))
	}
	return r.bounded(s), nil
}

func otherwise(v, by any) any {
	if v == nil || v == false || v == "" || reflect.ValueOf(v).Kind() == reflect.Slice && len(list(v)) == 0 {
		return by
	}
	return v
}

func size(v any) int {
	if s, ok := v.(string); ok {
		return utf8.RuneCountInString(s)
	}
	return len(list(v))
}

func capitalize(s string) string {
	first, width := utf8.DecodeRuneInString(s)
	if width == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[width:]
}

// decode leaves what is not encoded as it is.
func decode(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// replace refuses beforehand what would become too long: replacing each letter could make a text of gigabytes.
func (r *rendering) replace(s, old, by string, n int) string {
	r.spend(len(s) + len(old) + len(by))
	if found := strings.Count(s, old); n < 0 && len(s)+found*len(by) > 2*maxValue {
		r.stop(errValue)
	}
	return r.bounded(strings.Replace(s, old, by, n))
}

// slice takes characters from start on, which counts from the end when it is negative.
func (r *rendering) slice(s string, start int, length func(int) int) string {
	runes := []rune(r.read(s))
	if start < 0 {
		start += len(runes)
	}
	n := length(1)
	if start < 0 || start > len(runes) || n < 0 {
		return ""
	}
	return r.bounded(string(runes[start:min(len(runes), start+min(n, len(runes)))]))
}

// truncate shortens to a number of characters, the ellipsis counted.
func (r *rendering) truncate(s string, length func(int) int, ellipsis func(string) string) string {
	runes, end, n := []rune(r.read(s)), r.read(ellipsis("...")), length(50)
	if len(runes) <= n {
		return s
	}
	return r.bounded(string(runes[:min(max(n-utf8.RuneCountInString(end), 0), len(runes))]) + end)
}

func (r *rendering) truncateWords(s string, length func(int) int, ellipsis func(string) string) string {
	words, end, n := strings.Fields(r.read(s)), r.read(ellipsis("...")), max(length(15), 1)
	if len(words) <= n {
		return s
	}
	return r.bounded(strings.Join(words[:n], " ") + end)
}

// split makes a list of at most maxTurns parts; what is beyond is left off.
func (r *rendering) split(s, separator string) []any {
	parts := strings.SplitN(r.read(s), separator, maxTurns+1)
	if separator == " " {
		parts = strings.Fields(s)
	}
	parts = parts[:min(len(parts), maxTurns)]
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	items := make([]any, len(parts))
	for i, part := range parts {
		items[i] = part
	}
	return items
}

func (r *rendering) join(v any, separator func(string) string) string {
	with := separator(" ")
	var b strings.Builder
	for i, item := range list(v) {
		if i > 0 {
			b.WriteString(r.bounded(with))
		}
		switch item := item.(type) {
		case string:
			b.WriteString(r.bounded(item))
		case int, float64, bool:
			fmt.Fprint(&b, item)
		}
	}
	return r.bounded(b.String())
}

func pick(v any, i int) any {
	items := list(v)
	if len(items) == 0 {
		return nil
	}
	return items[(i+len(items))%len(items)]
}

func uniq(v any) []any {
	var kept []any
	for _, item := range list(v) {
		if !slices.ContainsFunc(kept, func(other any) bool { return values.Equal(item, other) }) {
			kept = append(kept, item)
		}
	}
	return kept
}
