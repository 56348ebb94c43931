package linear_test

import "fmt"

// verb is what a call asks for.
type verb string

const (
	issue    verb = "issue"
	resend   verb = "resend"
	verify   verb = "verify"
	verifyTo verb = "verify to"
	cancel   verb = "cancel"
	status   verb = "status"
)

// slot is where one newest passcode is: an identifier and a purpose.
type slot struct{ to, purpose string }

// call is one request as the model sees it.
type call struct {
	verb verb
	// slot says where an issue and a verify without an id go.
	slot slot
	// passcode is the id of the passcode; for an issue, of the one that it makes.
	passcode string
	code     string
	// key is the idempotency key, request what the answers to one key's calls have in common.
	key, request string
	// from and until are the milliseconds between which the server read its own clock.
	from, until int64
	// lost is set when no answer came, so the call may have taken effect or not.
	lost bool
}

func (c call) String() string {
	text := string(c.verb)
	if c.passcode != "" && c.verb != issue {
		text += " " + short(c.passcode)
	}
	if c.slot != (slot{}) {
		text += fmt.Sprintf(" %s %s", c.slot.to, c.slot.purpose)
	}
	if c.code != "" {
		text += " " + c.code
	}
	if c.key != "" {
		text += " key " + c.key
	}
	return text
}

// short is the end of an id, enough for a picture.
func short(id string) string { return id[max(0, len(id)-6):] }

// answer is what a call was told.
type answer struct {
	// refusal is the code of a problem document; then the rest is empty.
	refusal string
	// passcode is the id of the passcode that an issue answers with.
	passcode string
	replayed bool
	verified bool
	status   string
	reason   string
	left     int
	// more is set when the passcode may be sent again.
	more bool
}

func (a answer) String() string {
	switch {
	case a.refusal != "":
		return a.refusal
	case a.verified:
		return fmt.Sprintf("verified, %d left", a.left)
	case a.reason != "":
		return fmt.Sprintf("%s (%s), %d left", a.reason, a.status, a.left)
	case a.replayed:
		return fmt.Sprintf("again %s, %s, %d left", short(a.passcode), a.status, a.left)
	}
	return fmt.Sprintf("%s %s, %d left", short(a.passcode), a.status, a.left)
}
