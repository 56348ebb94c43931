package compose

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxName is the longest name that is shown, in characters; a longer one ends in three dots.
	maxName = 48
	// maxMarks is how many combining marks one letter may carry. Living scripts need no more than three.
	maxMarks = 3
	// maxDigits is how many digits a name may show. More would read as a second code or be dialled as a number.
	maxDigits = 4
	// wordJoiner has no width and allows no line break (Unicode Standard §23.2). No host name may contain it
	// (RFC 5892 §2.6), so what looked like a link is none.
	wordJoiner = '\u2060'
)

// Inert makes a stranger's name safe to show to another person, in a header, a text or a page:
//
//   - one line: white space becomes single spaces; control characters, invisible and bidirectional ones, and code
//     points that mean nothing are dropped; at most 48 characters, and few combining marks on one letter;
//   - no link: a word joiner follows each dot or colon within a word. "evil.com" still reads as it was written, as the
//     name of an honest "booking.com" must, but no mail or phone app turns it into a link;
//   - no number: digits after the fourth are dropped, so that a name is neither dialled nor taken for the code.
//
// HTML is not its business: the name must still be escaped. A name of which nothing remains is empty.
func Inert(name string) string {
	if isPlain(name) {
		return name
	}
	var b strings.Builder
	b.Grow(min(len(name), 4*maxName) + 8)
	shown, marks, digits := 0, 0, 0
	space, joint := false, false
	for _, r := range name {
		switch {
		case unicode.IsSpace(r):
			space = shown > 0
			continue
		case !isShown(r):
			continue
		case unicode.IsDigit(r):
			if digits++; digits > maxDigits {
				continue
			}
		}
		if unicode.IsMark(r) {
			if marks++; marks > maxMarks || shown == 0 || space {
				continue
			}
		} else {
			marks = 0
		}
		if shown >= maxName {
			b.WriteString("...")
			break
		}
		switch {
		case space:
			b.WriteByte(' ')
			shown++
		case joint:
			b.WriteRune(wordJoiner)
		}
		b.WriteRune(r)
		shown++
		space, joint = false, isJoint(r)
	}
	return b.String()
}

// isPlain holds for most names: short, ASCII letters and single spaces, at most four digits. They are as they should be.
func isPlain(name string) bool {
	if len(name) > maxName || strings.HasSuffix(name, " ") {
		return false
	}
	space, digits := true, 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == ' ':
			if space {
				return false
			}
			space = true
			continue
		case '0' <= c && c <= '9':
			if digits++; digits > maxDigits {
				return false
			}
		case c <= ' ', c > '~', c == '.', c == ':':
			return false
		}
		space = false
	}
	return true
}

// isShown leaves letters, marks, numbers, punctuation and symbols that can be seen.
func isShown(r rune) bool {
	if r == utf8.RuneError || !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S) {
		return false
	}
	// Hangul fillers and their like are letters that show nothing, and so does the empty Braille cell.
	return !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != '\u2800'
}

// isJoint holds for what joins the parts of an address: the colon of a scheme and the dots that divide labels, in all
// their forms (Unicode Technical Standard 46 §2.3, and what its mapping turns into a full stop).
func isJoint(r rune) bool {
	switch r {
	case '.', ':', '\u2024', '\u3002', '\ufe52', '\uff0e', '\uff61', '\uff1a':
		return true
	}
	return false
}
