package compose

import (
	"fmt"
	"strings"
)

// CheckDomain reports whether a domain can stand on the origin-bound last line: a host name in ASCII (an international
// one in its xn-- form, RFC 5890 §2.3.2.1) without scheme, port or path (WICG, Origin-bound one-time codes delivered
// via SMS, §2.1).
func CheckDomain(domain string) error {
	if len(domain) > 253 {
		return fmt.Errorf("check domain: %d characters are more than the 253 of a host name", len(domain))
	}
	for label := range strings.SplitSeq(domain, ".") {
		if !isLabel(label) {
			return fmt.Errorf("check domain: %q is not a host name (example: login.example.org)", domain)
		}
	}
	return nil
}

func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return strings.IndexFunc(label, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}
