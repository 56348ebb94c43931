package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// signer signs requests to Amazon Web Services with Signature Version 4 (AWS IAM User Guide, "Create a signed AWS API
// request"). The path's segments are encoded twice, as every service but S3 wants it.
type signer struct {
	accessKey    string
	secretKey    string
	sessionToken string // empty for keys that do not end
	region       string
	service      string
}

const amzTime = "20060102T150405Z"

// sign adds X-Amz-Date, X-Amz-Security-Token and Authorization to a request's header. The signature covers the host,
// the body and every field that the header has by then; what is added later is not covered.
func (s signer) sign(method string, u *url.URL, header http.Header, body []byte, at time.Time) {
	stamp := at.UTC().Format(amzTime)
	header.Set("X-Amz-Date", stamp)
	if s.sessionToken != "" {
		header.Set("X-Amz-Security-Token", s.sessionToken)
	}
	fields, names := canonicalHeader(u.Host, header)
	request := strings.Join([]string{method, canonicalPath(u), canonicalQuery(u.Query()), fields, names, hexHash(body)}, "\n")
	day := stamp[:8]
	scope := day + "/" + s.region + "/" + s.service + "/aws4_request"
	text := "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hexHash([]byte(request))
	key := []byte("AWS4" + s.secretKey)
	for _, part := range []string{day, s.region, s.service, "aws4_request"} {
		key = hmacSHA256(key, part)
	}
	header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.accessKey+"/"+scope+", SignedHeaders="+names+
		", Signature="+hex.EncodeToString(hmacSHA256(key, text)))
}

// canonicalHeader writes the fields in the order of their names, with spaces taken together, and lists the names.
func canonicalHeader(host string, header http.Header) (fields, names string) {
	values := map[string]string{"host": host}
	order := []string{"host"}
	for name, list := range header {
		name = strings.ToLower(name)
		trimmed := make([]string, len(list))
		for i, v := range list {
			trimmed[i] = strings.Join(strings.Fields(v), " ")
		}
		values[name] = strings.Join(trimmed, ",")
		order = append(order, name)
	}
	slices.Sort(order)
	var b strings.Builder
	for _, name := range order {
		b.WriteString(name + ":" + values[name] + "\n")
	}
	return b.String(), strings.Join(order, ";")
}

func canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = percentEncode(segment)
	}
	return strings.Join(segments, "/")
}

func canonicalQuery(query url.Values) string {
	var pairs []string
	for name, values := range query {
		for _, v := range values {
			pairs = append(pairs, percentEncode(name)+"="+percentEncode(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// percentEncode encodes every byte that RFC 3986 §2.3 does not call unreserved.
func percentEncode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
