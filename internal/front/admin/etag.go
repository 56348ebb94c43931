package admin

import (
	"net/http"
	"strconv"
	"strings"
)

// tagOf is the entity tag of a version (RFC 9110 §8.8.3).
func tagOf(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// matches reports whether a condition names a version: * is every one that there is, and version 0 is none. A weak tag
// matches nothing, since our tags are strong (RFC 9110 §8.8.3.2).
func matches(h http.Header, name string, version int64) bool {
	if version == 0 {
		return false
	}
	for _, value := range h.Values(name) {
		for tag := range strings.SplitSeq(value, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || tag == tagOf(version) {
				return true
			}
		}
	}
	return false
}
