package predicate

import "errors"

// characters are those of a CharacterSet, as ranges.
type characters [][2]rune

func (c characters) has(r rune) bool {
	for _, span := range c {
		if span[0] <= r && r <= span[1] {
			return true
		}
	}
	return false
}

// readSet reads a set as what stands between the brackets of a regular expression: a-z is a range, and a backslash takes
// its meaning from the character after it. Brackets and a ^ at the beginning are themselves, since the set of
// predicates.md has both brackets bare.
func readSet(text string) (characters, error) {
	var set characters
	open := false // whether the next character ends a range
	last := false // whether a range may begin with the character before
	for runes := []rune(text); len(runes) > 0; runes = runes[1:] {
		r, escaped := runes[0], false
		if r == '\\' && len(runes) > 1 {
			runes, r, escaped = runes[1:], runes[1], true
		}
		switch {
		case r == '-' && !escaped && last && len(runes) > 1:
			open, last = true, false
		case open:
			span := &set[len(set)-1]
			if r < span[0] {
				return nil, errors.New("has a range that ends before it begins; write the lower character first, or \\- for a dash")
			}
			span[1], open = r, false
		default:
			set, last = append(set, [2]rune{r, r}), true
		}
	}
	return set, nil
}
