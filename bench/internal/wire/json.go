package wire

import "bytes"

// Member finds the first member of a given name in a JSON text and returns its value as written: a string without its
// quotes, a number or a literal as it stands, and nil when there is none. name comes with its quotes, as `"id"`.
//
// It looks at bytes and not at structure, which is enough for answers whose values hold no quoted names; strings with
// escapes are cut at the first quote.
func Member(body []byte, name string) []byte {
	for {
		i := bytes.Index(body, []byte(name))
		if i < 0 {
			return nil
		}
		body = bytes.TrimLeft(body[i+len(name):], " \t\r\n")
		if len(body) > 0 && body[0] == ':' {
			return scalar(bytes.TrimLeft(body[1:], " \t\r\n"))
		}
	}
}

func scalar(b []byte) []byte {
	if len(b) > 0 && b[0] == '"' {
		b = b[1:]
		if end := bytes.IndexByte(b, '"'); end >= 0 {
			return b[:end]
		}
		return nil
	}
	if end := bytes.IndexAny(b, ",}] \t\r\n"); end >= 0 {
		return b[:end]
	}
	return nil
}
