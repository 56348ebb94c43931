package provider

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// validSMSSender reports whether a short message can come from this: a number in E.164 with its plus, a short code, or a
// name of 3 to 11 letters, digits and spaces that is not a number (3GPP TS 23.040 §9.1.2.5 gives a name eleven septets).
func validSMSSender(from string) bool {
	digits, plus := strings.CutPrefix(from, "+")
	if !strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
		return plus && len(digits) >= 7 && len(digits) <= 15 || !plus && len(digits) >= 3 && len(digits) <= 15
	}
	return len(from) >= 3 && len(from) <= 11 && !strings.ContainsFunc(from, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != ' ' && r != '-' && r != '_' && r != '&'
	})
}

// checkSMSSender checks a kind's from setting.
func checkSMSSender(kind, from string) error {
	if validSMSSender(from) {
		return nil
	}
	return fmt.Errorf("provider %s: setting from: want a number such as +15005550006, a short code, or a name of 3 to 11 letters and digits", kind)
}

// smsFrom is what one message comes from: what it brings itself, if a short message can come from it, else the setting.
// A sender's name is for mail only, since a name must be registered before short messages may come from it.
func smsFrom(setting string, m *outbox.Message) string {
	if validSMSSender(m.From) {
		return m.From
	}
	return setting
}

// withoutPlus is a number as vendors take it that want digits only.
func withoutPlus(number string) string { return strings.TrimPrefix(number, "+") }

// reportURL checks a kind's receipt_url setting, which the vendor is told with every message, and adds the secret that
// lets the vendor's reports be believed, if there is one. An empty URL stays empty.
func reportURL(kind, raw, secret string, c connection) (string, error) {
	if raw == "" {
		return "", nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || strings.ContainsAny(raw, "?#"):
		err = errors.New("want a URL without user, query and fragment, such as https://otp.example.org/receipts/sms")
	case u.Scheme != "https" && (u.Scheme != "http" || !c.AllowHTTP):
		err = errors.New("want an https URL; reports name who was sent a code")
	default:
		err = checkHost(u.Hostname(), c.AllowPrivate)
	}
	if err != nil {
		return "", fmt.Errorf("provider %s: setting receipt_url: %w", kind, err)
	}
	if secret == "" {
		return raw, nil
	}
	return strings.TrimSuffix(raw, "/") + "/" + url.PathEscape(secret), nil
}

// eventOf stands for the id of a report where a vendor gives none: the same parts make the same event.
func eventOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// accessFinding is what a read-only call with the sender's credentials came to. where is the place they are copied from.
func accessFinding(fault *outbox.Fault, where string) Finding {
	f := Finding{Subject: "credentials", Verdict: Good, Found: "they are accepted"}
	if fault == nil {
		return f
	}
	f.Found = "there was no answer: " + fault.Detail
	if fault.Code != "" {
		f.Found = "the answer was " + fault.Code + " " + fault.Detail
	}
	switch {
	case fault.Code == "401":
		f.Verdict, f.Do = Bad, "Copy the credentials again from "+where+"; they are wrong, revoked, or of another region."
	case fault.Code == "403":
		f.Verdict, f.Do = Doubtful, "The credentials are known but may not read the account; if messages are refused too, give them the right to send in "+where+"."
	case fault.Class == outbox.Account:
		f.Verdict, f.Do = Bad, "Check the endpoint and that this server can reach it."
	default:
		f.Verdict, f.Do = Doubtful, "The account could not be looked at; try again later."
	}
	return f
}

// balanceFinding is what an account's balance means for the next message. With renewal it is paid up by itself; an account
// that is billed afterwards may send below zero.
func balanceFinding(balance float64, currency string, renewed bool) Finding {
	f := Finding{Subject: "balance", Verdict: Good, Found: fmt.Sprintf("%.2f %s", balance, currency)}
	switch {
	case renewed:
		f.Found += ", renewed by itself"
	case balance < 1:
		f.Verdict, f.Do = Doubtful, "Pay credit into the account, unless it is billed afterwards."
	}
	return f
}
