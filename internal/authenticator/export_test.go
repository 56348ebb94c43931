package authenticator

// HOTP, ParseSecret and DrawQR are what the tests of the wire formats look at.
var (
	HOTP        = hotp
	ParseSecret = parseSecret
	DrawQR      = drawQR
)

// URIOf is the key URI of a device.
func URIOf(d Device, secret string) string { return uriOf(&d, secret) }
