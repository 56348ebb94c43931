package provider

import "strings"

// How much one short message holds, and one part of a longer one, which gives six octets to the header that joins the
// parts (3GPP TS 23.040 §9.2.3.24.1): septets of the default alphabet, or code units of UCS-2.
const (
	septetsAlone, septetsInPart = 160, 153
	unitsAlone, unitsInPart     = 70, 67
)

// gsmBasic are the characters of the GSM 7 bit default alphabet, in the order of the table (3GPP TS 23.038 §6.2.1),
// without the escape at 0x1B. gsmExtension are those of the extension table (§6.2.1.1), which take two septets: form
// feed, brackets, caret, backslash, tilde, bar and the euro sign.
const (
	gsmBasic = "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5" +
		"\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e\u00c6\u00e6\u00df\u00c9" +
		" !\"#\u00a4%&'()*+,-./0123456789:;<=>?" +
		"\u00a1ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7" +
		"\u00bfabcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0"
	gsmExtension = "\f^{}\\[~]|\u20ac"
)

// Segments is how many short messages a text is sent as, and so how many are paid for; at least one. A text with only
// characters of the GSM 7 bit default alphabet and its extension is sent in that, any other in UCS-2. A vendor that
// replaces characters, or an operator with a national table, may need fewer.
func Segments(text string) int {
	if gsm(text) {
		return segments(text, septets, septetsAlone, septetsInPart)
	}
	return segments(text, units, unitsAlone, unitsInPart)
}

// gsm reports whether a text can be written in the GSM 7 bit default alphabet with its extension.
func gsm(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return septets(r) == 0 })
}

// septets is what a character takes in the default alphabet, zero when it is not in it.
func septets(r rune) int {
	switch {
	case strings.ContainsRune(gsmBasic, r):
		return 1
	case strings.ContainsRune(gsmExtension, r):
		return 2
	}
	return 0
}

// units is what a character takes in UCS-2: two beyond the basic plane, as a pair of surrogates.
func units(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// segments counts the parts of a text whose characters have the given sizes. A character is never divided between two
// parts.
func segments(text string, size func(rune) int, alone, inPart int) int {
	total, parts, room := 0, 1, inPart
	for _, r := range text {
		n := size(r)
		total += n
		if n > room {
			parts++
			room = inPart
		}
		room -= n
	}
	if total <= alone {
		return 1
	}
	return parts
}
