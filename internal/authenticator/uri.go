package authenticator

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// uriOf is what an authenticator app reads out of a QR code (google/google-authenticator wiki, "Key Uri Format"). The
// issuer stands in it twice, as old apps know only the one in the label. A space is %20: apps show a + as it stands.
func uriOf(d *Device, secret string) string {
	return "otpauth://totp/" + escape(d.Issuer) + ":" + escape(d.Label) +
		"?secret=" + secret + "&issuer=" + escape(d.Issuer) + "&algorithm=" + string(d.Algorithm) +
		"&digits=" + strconv.Itoa(d.Digits) + "&period=" + strconv.Itoa(int(d.Period/time.Second))
}

// escape leaves only unreserved characters as they are (RFC 3986 §2.3).
func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
