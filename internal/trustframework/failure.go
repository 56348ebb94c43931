package trustframework

import "strings"

// Failure is what a technical profile or a claims transformation answers when it will not, in the words of B2C: a key
// under which a policy may have a text of its own, and the text for those that have none. It is for the person at the
// page; nothing else may be shown to them.
type Failure struct {
	// Key is such as UserMessageIfInvalidCode.
	Key string
	// Default is the text where the policy has none, in English. It may hold {0}, {1}, … as .NET's String.Format does.
	Default string
	// Arguments stand for {0}, {1}, …
	Arguments []string
	// Message, when set, is the text, whatever the policy says: one that a REST service answered with.
	Message string
	// Code, Developer, RequestID and MoreInfo are what a REST service said of its refusal. Optional.
	Code, Developer, RequestID, MoreInfo string
	// Claim is the one whose value was not taken, where it is one on a page.
	Claim string
	// Profile is the technical profile or the transformation that refused. Whoever runs it sets it.
	Profile string
	// Cause is what really happened, for the log; it holds no secret. Optional.
	Cause error
}

// Error is for logs.
func (f *Failure) Error() string {
	text := f.Key
	if text == "" {
		text = "refused by a service"
	}
	if f.Profile != "" {
		text = f.Profile + ": " + text
	}
	if f.Cause != nil {
		text += ": " + f.Cause.Error()
	}
	return text
}

func (f *Failure) Unwrap() error { return f.Cause }

// Format puts arguments into a text with {0}, {1}, …. Other braces stay.
func Format(text string, arguments ...string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	pairs := make([]string, 0, 2*len(arguments))
	for i, a := range arguments {
		pairs = append(pairs, "{"+string(rune('0'+i))+"}", a)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Misuse is the error of a policy that cannot be run as it is written, or of a caller that asks for what is not there. It
// is for whoever wrote the policy, and is never shown to the person at the page.
type Misuse struct {
	At Origin
	// Element names what cannot be run, such as "technical profile GenerateOtp".
	Element string
	// Reason goes on from Element: what is wrong and what to do.
	Reason string
}

// Error names the place.
func (m *Misuse) Error() string {
	text := m.Element + ": " + m.Reason
	if m.At.File != "" {
		text = m.At.String() + ": " + text
	}
	return text
}
