package authenticator

// HOTP and ParseSecret are what the tests of the wire formats look at.
var (
	HOTP        = hotp
	ParseSecret = parseSecret
)

// URIOf is the key URI of a device.
func URIOf(d Device, secret string) string { return uriOf(&d, secret) }
