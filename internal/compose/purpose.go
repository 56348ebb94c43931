package compose

// purpose indexes the wordings.
type purpose int

const (
	verify purpose = iota
	signUp
	signIn
	passwordReset
	mfa
	purposes // how many there are
)

// purposeOf reads a purpose's name; a name of the caller's own is worded as a verification.
func purposeOf(name string) purpose {
	switch name {
	case "sign_up":
		return signUp
	case "sign_in":
		return signIn
	case "password_reset":
		return passwordReset
	case "mfa":
		return mfa
	}
	return verify
}

// String is the name in requests, rows and catalogue keys.
func (p purpose) String() string {
	return [purposes]string{"verify", "sign_up", "sign_in", "password_reset", "mfa"}[p]
}
