package predicate

import (
	"slices"
	"strings"
)

// mixed finds brackets in which \D, \W, \S or \P stands beside another class, such as [\W\d]. In them regexp2 takes a
// character that is not of the one for one that is not of the other either (syntax/charclass.go, CharIn). Two that leave
// nothing out, as in [\s\S], are read as any character.
func mixed(text string) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '[':
			classes, length := bracket(text[i:])
			i += length
			slices.Sort(classes)
			classes = slices.Compact(classes)
			negated := slices.ContainsFunc(classes, func(c string) bool { return strings.Contains("DWSP", c[:1]) })
			pair := len(classes) == 2 && strings.EqualFold(classes[0], classes[1])
			if negated && len(classes) > 1 && !pair {
				return true
			}
		}
	}
	return false
}

// bracket reads the classes between brackets, as what is after their backslashes, and how far the brackets reach. What is
// subtracted counts as if it were among them.
func bracket(text string) (classes []string, length int) {
	begin := 1 + len(text[1:]) - len(strings.TrimPrefix(text[1:], "^"))
	for i := begin; i < len(text); i++ {
		switch {
		case text[i] == ']' && i > begin:
			return classes, i
		case text[i] == '[' && text[i-1] == '-':
			inner, n := bracket(text[i:])
			classes, i = append(classes, inner...), i+n
		case text[i] == '\\' && i+1 < len(text):
			i++
			name := text[i : i+1]
			if strings.EqualFold(name, "p") {
				name, _, _ = strings.Cut(text[i:], "}")
			}
			if strings.Contains("dDwWsSpP", name[:1]) {
				classes = append(classes, name)
			}
		}
	}
	return classes, len(text)
}
