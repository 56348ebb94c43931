package restful

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// target is a ServiceUrl. The host is the policy's alone: claims can stand in its path and query
// (restful-technical-profile.md, SendClaimsIn: "The host name part of the URL cannot contain claims").
type target struct {
	// origin is scheme and authority, host the authority alone.
	origin, host string
	path, query  []piece
	hasQuery     bool
}

// piece is a text of a URL, or a claim in it.
type piece struct{ text, claim string }

var (
	// unfinished are what stands for values that somebody had to put in: by Microsoft's editor extension, and in files that
	// were never meant to be used as they are.
	unfinished  = regexp.MustCompile(`(?i)\{(settings|service):[^}]*\}`)
	placeholder = regexp.MustCompile(`\{([^{}]*)\}`)
)

// parseTarget reads a ServiceUrl. Its errors do not repeat it.
func parseTarget(raw string) (target, error) {
	if found := unfinished.FindString(raw); found != "" {
		return target{}, fmt.Errorf("still holds %s; put the value in, or give it as a setting when the policies are loaded", found)
	}
	scheme, rest, found := strings.Cut(raw, "://")
	if scheme = strings.ToLower(scheme); !found || scheme != "https" && scheme != "http" {
		return target{}, errors.New("is not a URL such as https://api.example.org/claims")
	}
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	t := target{origin: scheme + "://" + rest[:end], host: rest[:end]}
	if strings.ContainsAny(t.host, "{}") {
		return target{}, errors.New("has a claim in its host; write the host as it is: claims can stand in path and query alone")
	}
	if strings.Contains(t.host, "@") {
		return target{}, errors.New("has a user in it; write AuthenticationType Basic and its keys instead")
	}
	path, query, hasQuery := strings.Cut(rest[end:], "?")
	t.path, t.query, t.hasQuery = pieces(path), pieces(query), hasQuery
	if strings.ContainsAny(placeholder.ReplaceAllString(rest, ""), "{}") || strings.Contains(rest, "{}") {
		return target{}, errors.New("has a brace without its other half, or without a claim in it")
	}
	u, err := url.Parse(t.origin + placeholder.ReplaceAllString(rest[end:], "x"))
	if err != nil || u.Host != t.host || u.Hostname() == "" || strings.HasSuffix(t.host, ":") || u.User != nil {
		return target{}, errors.New("cannot be read as a URL; check for spaces and signs that it may not hold")
	}
	return t, nil
}

// pieces takes a path or query apart. Blanks and what is not ASCII are escaped, all else stays as it is written.
func pieces(text string) []piece {
	var all []piece
	from := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		all = append(all, piece{text: escapeOdd(text[from:at[0]])}, piece{claim: strings.TrimSpace(text[at[2]:at[3]])})
		from = at[1]
	}
	return append(all, piece{text: escapeOdd(text[from:])})
}

func escapeOdd(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// claims are the names of the claims in the URL.
func (t target) claims() []string {
	var names []string
	for _, list := range [][]piece{t.path, t.query} {
		for _, p := range list {
			if p.text == "" && p.claim != "" {
				names = append(names, p.claim)
			}
		}
	}
	return names
}

// unfitClaim is the error of a claim that cannot be sent where the policy wants it. It does not repeat the claim.
type unfitClaim struct{ claim, why string }

func (u *unfitClaim) Error() string { return "the claim " + u.claim + " " + u.why }

// fill puts claims into the path, escaped so that they stay within their segment, and into the query. value finds one by
// name. More is added to the query.
func (t target) fill(value func(name string) (string, bool), more url.Values) (string, error) {
	var b strings.Builder
	b.WriteString(t.origin)
	for _, p := range t.path {
		if p.claim == "" {
			b.WriteString(p.text)
			continue
		}
		text, there := value(p.claim)
		switch {
		case !there:
			return "", &unfitClaim{p.claim, "is part of the URL's path and has no value"}
		case climbs(text):
			return "", &unfitClaim{p.claim, "would lead out of its place in the URL's path"}
		}
		b.WriteString(url.PathEscape(text))
	}
	mark := "?"
	if t.hasQuery {
		b.WriteString(mark)
		mark = "&"
		for _, p := range t.query {
			if p.claim == "" {
				b.WriteString(p.text)
				continue
			}
			text, _ := value(p.claim)
			b.WriteString(escapeQuery(text))
		}
	}
	if len(more) > 0 {
		b.WriteString(mark + strings.ReplaceAll(more.Encode(), "+", "%20"))
	}
	filled := b.String()
	u, err := url.Parse(filled)
	if err != nil || u.Scheme+"://"+u.Host != t.origin || u.User != nil || dots(u.EscapedPath()) && !dots(t.literal()) {
		return "", &unfitClaim{strings.Join(t.claims(), ", "), "would change where the URL leads"}
	}
	return filled, nil
}

// literal is the path with a letter for each claim.
func (t target) literal() string {
	var b strings.Builder
	for _, p := range t.path {
		if b.WriteString(p.text); p.claim != "" {
			b.WriteByte('x')
		}
	}
	return b.String()
}

func escapeQuery(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// climbs says that a text would lead to another folder, be it on a server that reads escapes twice, or that it holds what
// is in no path.
func climbs(text string) bool {
	return dots(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// unescape reads the escapes that servers are known to read too often.
var unescape = strings.NewReplacer("%2e", ".", "%2f", "/", "%5c", `\`)

// dots says that a segment of a path is . or .. (RFC 3986 §3.3), also with escapes.
func dots(path string) bool {
	path = unescape.Replace(strings.ReplaceAll(strings.ToLower(path), "%25", "%"))
	for _, segment := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
