package predicate

import (
	"errors"
	"strings"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// Mask puts text in place of all that an expression of .NET's dialect matches in value, as a Mask of the type Regex does
// (claimsschema.md, "Mask"): (?<=.).(?=.*@) leaves of an address the first character and what follows the at sign. Its
// errors repeat neither. What is shown of a value must not be more than was asked, so the caller of one that failed shows
// nothing of it.
func Mask(expression, text, value string) (string, error) {
	if strings.Contains(text, "$") {
		return "", errors.New("its text refers to groups, which is not supported here")
	}
	if _, err := Compile(expression); err != nil {
		return "", err
	}
	// Each place is tried by itself, since a search overlooks some; see Compile.
	here, err := regexp2.Compile(`\G(?:` + expression + ")")
	if err != nil { // it ends in a comment
		here, err = regexp2.Compile(`\G(?:` + expression + "\n)")
	}
	if err != nil {
		return "", errors.New("is not an expression that can be looked for at one place" + cause(err))
	}
	var masked strings.Builder
	began, runes := time.Now(), []rune(value)
	for at := 0; at <= len(runes); {
		here.MatchTimeout = patience - time.Since(began)
		if here.MatchTimeout <= 0 {
			return "", errPatience
		}
		match, err := here.FindRunesMatchStartingAt(runes, at)
		if err != nil {
			return "", errPatience
		}
		if match != nil {
			masked.WriteString(text)
		}
		if match != nil && match.RuneLength > 0 {
			at += match.RuneLength
			continue
		}
		if at < len(runes) {
			masked.WriteRune(runes[at])
		}
		at++
	}
	return masked.String(), nil
}
