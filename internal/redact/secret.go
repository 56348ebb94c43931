package redact

import "strings"

// userinfo masks the user and password of a URL whose authority begins at i.
func userinfo(s string, i int) (span, bool) {
	end := indexAny(s, i, "/?# \t\r\n\"'<>")
	at := strings.LastIndexByte(s[i:end], '@')
	if at < 0 && end < len(s) && strings.IndexByte("/?#", s[end]) >= 0 && !hostPort(s[i:end]) {
		// A password that was not percent-encoded: user:pa/ss@host.
		end = indexAny(s, i, " \t\r\n\"'<>")
		at = strings.LastIndexByte(s[i:end], '@')
	}
	if at < 1 {
		return span{}, false
	}
	return span{i, i + at, hidden}, true
}

// hostPort reports whether an authority is a host, alone or with a number as port.
func hostPort(authority string) bool {
	if strings.HasPrefix(authority, "[") {
		return true
	}
	_, port, found := strings.Cut(authority, ":")
	return !found || strings.Trim(port, "0123456789") == ""
}

// assignment masks the value after a secret name and the equals sign or colon at i: code=123456, "code":"123456",
// Authorization: Bearer x.
func assignment(s string, from, i int) (span, bool) {
	end := i
	if end > from && s[end-1] == '"' {
		end--
	}
	start := end
	for start > from && (alphanumeric(s[start-1]) || strings.IndexByte("_-", s[start-1]) >= 0) {
		start--
	}
	if !secretName(s, start, end) {
		return span{}, false
	}
	prose := s[i] == ':' && end == i && i+1 < len(s) && s[i+1] == ' '
	i = skip(s, i+1, " ")
	if i < len(s) && strings.IndexByte(`"'`, s[i]) >= 0 {
		return quoted(s, i+1, s[i])
	}
	stop := valueEnd(s, i)
	value := s[i:stop]
	if value == "" || value == hidden || (prose && !tellsItself(s[start:end]) && !codeLike(value)) {
		return span{}, false
	}
	if strings.EqualFold(value, "bearer") || strings.EqualFold(value, "basic") {
		stop = valueEnd(s, skip(s, stop, " "))
	}
	return span{i, stop, hidden}, true
}

// secretName reports whether s[start:end] names a secret, given the word before it.
func secretName(s string, start, end int) bool {
	name := s[start:end]
	if !secretKey(name) {
		return false
	}
	return !strings.EqualFold(name, "code") || !codeOfAnotherKind(wordBefore(s, start))
}

// tellsItself reports whether after this name any word is a secret, even in prose. After the others ("invalid token:
// signature is wrong") only a word that looks like a code or token is.
func tellsItself(name string) bool {
	for _, certain := range [...]string{"password", "secret", "authorization", "cookie"} {
		if len(name) >= len(certain) && strings.EqualFold(name[len(name)-len(certain):], certain) {
			return true
		}
	}
	return false
}

// quoted masks up to the closing quote, the end of the text when there is none.
func quoted(s string, i int, quote byte) (span, bool) {
	end := i
	for end < len(s) && s[end] != quote {
		if s[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(s))
	if s[i:end] == "" || s[i:end] == hidden {
		return span{}, false
	}
	return span{i, end, hidden}, true
}

// word masks what follows a telling word at i: a bearer token, a JWT, "code is 123456".
func word(s string, i int) (span, bool) {
	switch s[i] | 0x20 {
	case 'b':
		if hasFold(s[i:], "bearer ") || hasFold(s[i:], "basic ") {
			return credential(s, skip(s, i+len("basic"), "r "))
		}
	case 'e':
		if strings.HasPrefix(s[i:], "eyJ") {
			if end := valueEnd(s, i); end >= i+16 {
				return span{i, end, hidden}, true
			}
		}
	case 'c', 'o', 'p', 't':
		return namedCode(s, i)
	}
	return span{}, false
}

// credential masks the token at i unless it is a plain word, as in "bearer token missing".
func credential(s string, i int) (span, bool) {
	end := valueEnd(s, i)
	value := s[i:end]
	if value == "" || value == hidden || (len(value) < 16 && strings.Trim(value, "abcdefghijklmnopqrstuvwxyz") == "") {
		return span{}, false
	}
	return span{i, end, hidden}, true
}

// namedCode masks the code in "code 123456" and "passcode is 123456".
func namedCode(s string, i int) (span, bool) {
	end := i
	for end < len(s) && alphanumeric(s[end]) {
		end++
	}
	if end == len(s) || s[end] != ' ' || !secretName(s, i, end) {
		return span{}, false
	}
	next := skip(s, end, " ")
	if hasFold(s[next:], "is ") {
		next = skip(s, next+len("is"), " ")
	}
	if stop := valueEnd(s, next); codeLike(s[next:stop]) {
		return span{next, stop, hidden}, true
	}
	return span{}, false
}

// leadingCode masks the digits at i in "123456 is your code".
func leadingCode(s string, i int) (span, bool) {
	end := i
	for end < len(s) && digit(s[end]) {
		end++
	}
	if n := end - i; n < 4 || n > 12 || !hasFold(s[end:], " is your ") {
		return span{}, false
	}
	return span{i, end, hidden}, true
}

// codeLike reports whether value looks drawn rather than written: at least four letters or digits, a digit among
// them or no small letter.
func codeLike(value string) bool {
	if idLike(value) {
		return false
	}
	letters, digits, smalls := 0, 0, 0
	for i := range len(value) {
		switch c := value[i]; {
		case digit(c):
			digits++
		case lower(c):
			smalls++
			letters++
		case upper(c):
			letters++
		}
	}
	return letters+digits >= 4 && (digits > 0 || smalls == 0)
}

// idLike reports whether value has the form of an id of ours: a prefix, an underscore and 26 characters.
func idLike(value string) bool {
	prefix, id, found := strings.Cut(value, "_")
	return found && len(prefix) <= 4 && len(id) == 26 && strings.Trim(id, "0123456789abcdefghjkmnpqrstvwxyz") == ""
}
