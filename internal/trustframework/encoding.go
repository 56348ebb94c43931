package trustframework

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// declared finds the encoding in an XML declaration (XML 1.0, section 2.8).
var declared = regexp.MustCompile(`^<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']`)

// charsets are the encodings of one byte a character that policies were seen in, by the names that declarations use.
var charsets = map[string]encoding.Encoding{
	"windows-1252": charmap.Windows1252,
	"cp1252":       charmap.Windows1252,
	"iso-8859-1":   charmap.ISO8859_1,
	"latin1":       charmap.ISO8859_1,
}

// text gives a file as UTF-8 without a byte order mark. A byte order mark outranks the declaration (XML 1.0, appendix
// F). A file that declares UTF-16 and is UTF-8 is read as UTF-8: editors that save again often leave the declaration.
func text(data []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return checked(data[3:])
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("<\x00")):
		return wide(data, unicode.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")), bytes.HasPrefix(data, []byte("\x00<")):
		return wide(data, unicode.BigEndian)
	}
	name := "utf-8"
	if m := declared.FindSubmatch(data[:min(len(data), 256)]); m != nil {
		name = strings.ToLower(string(m[1]))
	}
	if charset, known := charsets[name]; known {
		return decoded(charset, data)
	}
	if name != "utf-8" && name != "us-ascii" && !strings.HasPrefix(name, "utf-16") {
		return nil, &misread{1, 1, fmt.Sprintf("the encoding %q is not read; save the file as UTF-8", name)}
	}
	return checked(data)
}

// wide decodes UTF-16.
func wide(data []byte, order unicode.Endianness) ([]byte, error) {
	if len(data)%2 != 0 {
		return nil, &misread{0, 0, "the file is UTF-16 and ends within a character; it was cut off"}
	}
	return decoded(unicode.UTF16(order, unicode.UseBOM), withMark(data, order))
}

func decoded(from encoding.Encoding, data []byte) ([]byte, error) {
	made, err := from.NewDecoder().Bytes(data)
	if err != nil {
		return nil, err
	}
	return checked(made)
}

// withMark puts a byte order mark before text that has none.
func withMark(data []byte, order unicode.Endianness) []byte {
	switch {
	case order == unicode.LittleEndian && data[0] == '<':
		return append([]byte("\xff\xfe"), data...)
	case order == unicode.BigEndian && data[0] == 0:
		return append([]byte("\xfe\xff"), data...)
	}
	return data
}

// checked refuses bytes that are no UTF-8, and control characters, which XML does not have (XML 1.0, section 2.2). It
// says where the first of them is; the decoder would only notice at the end of a text.
func checked(data []byte) ([]byte, error) {
	line, start := 1, 0
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return nil, &misread{line, i - start + 1, fmt.Sprintf(
				"the byte 0x%02x is no UTF-8; save the file as UTF-8, or declare the encoding that it is in, such as windows-1252", data[i])}
		case r < ' ' && r != '\t' && r != '\n' && r != '\r':
			return nil, &misread{line, i - start + 1, fmt.Sprintf("not well-formed XML: there is the control character %U", r)}
		}
		if i += size; r == '\n' {
			line, start = line+1, i
		}
	}
	return data, nil
}

// misread is why a file could not be read, and where.
type misread struct {
	line, column int
	reason       string
}

func (m *misread) Error() string { return m.reason }
