package load

// Code is a passcode of at most 12 digits, by value so that handing it over allocates nothing.
type Code struct {
	digits [12]byte
	length int
}

func newCode(digits []byte) Code {
	var c Code
	c.length = copy(c.digits[:], digits)
	return c
}

// wrong is a code that differs from c in its last digit; each i from 1 to 9 gives another.
func (c Code) wrong(i int) Code {
	last := &c.digits[c.length-1]
	*last = '0' + (*last-'0'+byte(i))%10
	return c
}
