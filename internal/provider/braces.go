package provider

import "strings"

// bracesApart puts a space between braces that would begin or end an expression of a vendor's template language, which
// some vendors look for in every mail. Style sheets mean the same with the space, and nothing else of ours has such braces.
func bracesApart(s string) string {
	if !strings.ContainsAny(s, "{}") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		if i+1 == len(s) {
			break
		}
		switch s[i : i+2] {
		case "{{", "}}", "{%", "%}":
			b.WriteByte(' ')
		}
	}
	return b.String()
}
