package passcode

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/otpost/otpost/internal/outbox"
)

// Address is one mailbox or number in the three forms that matter.
type Address struct {
	Channel outbox.Channel
	// Deliverable is what a provider is given: the local part as written, the domain in ASCII; or E.164.
	Deliverable string
	// Identifier is what a challenge is found by. However a person writes the address, it is the same.
	Identifier string
	// Mailbox is what limits count: the identifier without a sub-address, so that lea+1@ and lea+2@ share a budget.
	Mailbox string
}

// maxAddress is the longest forward path, RFC 5321 §4.5.3.1.3, without its brackets.
const maxAddress = 254

// ParseAddress reads an email address or an E.164 number. What it refuses it explains, without repeating it.
func ParseAddress(to string) (Address, error) {
	switch {
	case to == "":
		return Address{}, badAddress("an email address or an E.164 number is needed")
	case len(to) > 2*maxAddress:
		return Address{}, badAddress("too long: an address has at most 254 characters")
	case !utf8.ValidString(to):
		return Address{}, badAddress("not valid UTF-8")
	}
	for _, r := range to {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return Address{}, badAddress("holds a control or invisible character")
		}
	}
	if strings.Contains(to, "@") {
		return parseEmail(to)
	}
	return parseNumber(to)
}

func badAddress(detail string) *Refusal {
	return &Refusal{Reason: InvalidRecipient, Field: "to", Detail: detail}
}

// domains checks and maps a domain the way a resolver would (IDNA2008 as in UTS #46, non-transitional).
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.StrictDomainName(true),
	idna.VerifyDNSLength(true))

// parseEmail takes an addr-spec of RFC 5321 §4.1.2 with a dot-atom local part. A local part outside ASCII is refused:
// no two mail systems agree on which of its look-alike forms are the same mailbox.
func parseEmail(to string) (Address, error) {
	at := strings.LastIndexByte(to, '@')
	local, domain := to[:at], to[at+1:]
	if len(local) == 0 || len(local) > 64 {
		return Address{}, badAddress("the part before the @ must have 1 to 64 characters")
	}
	for i := range len(local) {
		if !isAtext(local[i]) && local[i] != '.' {
			return Address{}, badAddress("the part before the @ may hold ASCII letters, digits and !#$%&'*+-/=?^_`{|}~ with single dots between")
		}
	}
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return Address{}, badAddress("the part before the @ has a dot too many")
	}
	ascii, err := asciiDomain(domain)
	if err != nil {
		return Address{}, err
	}
	deliverable := local + "@" + ascii
	if len(deliverable) > maxAddress {
		return Address{}, badAddress("too long: an address has at most 254 characters")
	}
	folded := strings.ToLower(local)
	return Address{Channel: outbox.Email, Deliverable: deliverable, Identifier: folded + "@" + ascii,
		Mailbox: mailbox(folded, ascii)}, nil
}

func isAtext(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// asciiDomain returns a domain in lower-case ASCII. The plain case needs no tables.
func asciiDomain(domain string) (string, error) {
	ascii := domain
	plain := true
	for i := range len(domain) {
		c := domain[i]
		plain = plain && (c == '.' || c == '-' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9')
	}
	if !plain || strings.Contains(domain, "xn--") {
		mapped, err := domains.ToASCII(domain)
		if err != nil {
			return "", badAddress("the part after the @ is not a domain name")
		}
		ascii = mapped
	}
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 || len(ascii) > 253 {
		return "", badAddress("the part after the @ must be a full domain name, such as example.org")
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return "", badAddress("the part after the @ is not a domain name")
		}
	}
	if top := labels[len(labels)-1]; top[0] >= '0' && top[0] <= '9' {
		return "", badAddress("the part after the @ must be a domain name, not an IP address")
	}
	return ascii, nil
}

// mailbox drops the sub-address (RFC 5233), and for Google's own domains the dots, which Google ignores.
func mailbox(local, domain string) string {
	if base, _, found := strings.Cut(local, "+"); found && base != "" {
		local = base
	}
	if domain == "gmail.com" || domain == "googlemail.com" {
		local, domain = strings.ReplaceAll(local, ".", ""), "gmail.com"
	}
	return local + "@" + domain
}

// parseNumber takes E.164 with its plus sign, and the spaces, dots, dashes and brackets people put in.
func parseNumber(to string) (Address, error) {
	number := norm.NFKC.String(strings.TrimSpace(to))
	if !strings.HasPrefix(number, "+") {
		return Address{}, badAddress("neither an email address (it has no @) nor an E.164 number (it has no leading +)")
	}
	for _, r := range number[1:] {
		if !unicode.IsDigit(r) && !strings.ContainsRune(" .-()/", r) {
			return Address{}, badAddress("a number may hold a leading +, digits, and spaces, dots, dashes or brackets between")
		}
	}
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil || !phonenumbers.IsValidNumber(parsed) {
		return Address{}, badAddress("not a number that any country has given out; write it in E.164 form, such as +33612345678")
	}
	e164 := phonenumbers.Format(parsed, phonenumbers.E164)
	return Address{Channel: outbox.SMS, Deliverable: e164, Identifier: e164, Mailbox: e164}, nil
}
