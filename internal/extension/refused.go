package extension

// Reason is why a token was refused, for logs and metrics; the caller is told nothing of it.
type Reason string

// The reasons.
const (
	// TokenMissing: there was no token.
	TokenMissing Reason = "missing"
	// TokenMalformed: what was presented is no signed JWT in compact form, or lacks a claim that none can lack.
	TokenMalformed Reason = "malformed"
	// WrongAlgorithm: it is not signed with RSA PKCS #1.
	WrongAlgorithm Reason = "wrong_algorithm"
	// WrongIssuer: its issuer is not trusted.
	WrongIssuer Reason = "wrong_issuer"
	// UnknownKey: its issuer publishes no such key.
	UnknownKey Reason = "unknown_key"
	// NoKeys: its issuer's keys have never been loaded, so nothing can be said of it.
	NoKeys Reason = "no_keys"
	// BadSignature: the key that it names did not sign it.
	BadSignature Reason = "bad_signature"
	// TokenExpired and NotYetValid: its time is over, or has not come.
	TokenExpired Reason = "expired"
	NotYetValid  Reason = "not_yet_valid"
	// WrongAudience: it was made for another application.
	WrongAudience Reason = "wrong_audience"
	// WrongParty: it was given to another client than Entra's own.
	WrongParty Reason = "wrong_party"
	// WrongTenant: it comes from another tenant.
	WrongTenant Reason = "wrong_tenant"
)

// Reasons lists every reason.
func Reasons() []Reason {
	return []Reason{TokenMissing, TokenMalformed, WrongAlgorithm, WrongIssuer, UnknownKey, NoKeys, BadSignature,
		TokenExpired, NotYetValid, WrongAudience, WrongParty, WrongTenant}
}

// Refused is the error of a token that does not open the door.
type Refused struct {
	Reason Reason
	// Detail is for operators: the value that did not fit, quoted and cut. It holds no part of the signature.
	Detail string
}

func (r *Refused) Error() string {
	if r.Detail != "" {
		return "token refused: " + string(r.Reason) + ": " + r.Detail
	}
	return "token refused: " + string(r.Reason)
}
