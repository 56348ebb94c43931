package doctor

import (
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// advice is what to do about a class of failure.
var advice = map[outbox.Class]string{
	outbox.InvalidRecipient: "The provider says that there is no such recipient, or that it is malformed. Try another address of the same kind.",
	outbox.Suppressed:       "The provider keeps the recipient on a list of its own, after a bounce, a complaint or an opt-out. Take it off that list in the provider's console.",
	outbox.RejectedContent:  "The provider refuses the message itself: its sender, its template or its words. Try without a template of your own, and read its reason.",
	outbox.Account:          "The provider refuses the account or its settings: credentials, sender, region or permissions. Correct them; the findings say which.",
	outbox.Quota:            "A limit of the account is reached, or its credit is spent. Raise the limit or add credit in the provider's console.",
	outbox.Throttled:        "The provider is asked too fast. Wait, or set a rate for the provider below the account's.",
	outbox.Transient:        "The provider could not be reached, or is busy. Try again; if it stays so, the findings say what stands in the way.",
	outbox.Ambiguous:        "The connection ended before the provider answered, so the message may have been sent. Look into the inbox before trying again.",
	outbox.GeoBlocked:       "The account may not send to this country. Permit it in the provider's console, if you mean to.",
}

// codeAdvice is what to do about codes that say more than their class, by kind of provider. A code is one word of the
// fault's. It is advice, and what the vendor said stands beside it.
var codeAdvice = map[string]map[string]string{
	"twilio": {
		"21608": "This is a trial account: it sends to verified numbers alone. Verify the number in the Twilio console, or upgrade the account.",
		"21408": "Switch the country on in the Twilio console under Messaging, Geo permissions.",
		"21610": "The recipient has answered STOP. It must answer START before Twilio sends to it again.",
		"21606": "The number in from is not the account's, or cannot send SMS. Choose one in the Twilio console under Phone Numbers.",
		"21660": "The number in from belongs to another account than account_sid.",
		"21703": "The messaging service has no sender. Add a number to it in the Twilio console.",
		"20003": "Check account_sid and auth_token; a test credential or a revoked API key looks the same.",
		"30034": "The number is not registered for A2P 10DLC, which the United States want. Register the brand and the campaign in the Twilio console.",
	},
	"vonage": {
		"9":  "The account has no credit left. Add some in the Vonage dashboard.",
		"15": "The sender is not allowed for this country. Set from to a number or a registered name.",
		"29": "This is a trial account: it sends to numbers alone that are listed as its test numbers.",
	},
	"ses": {"MessageRejected": "Verify the sender in this region; in the sandbox the recipient must be verified too. Request production access in the SES console."},
	"azure_communication_email": {
		"DomainNotLinked":       "Connect the email domain to the Communication Services resource, under Email, Domains.",
		"InvalidSenderUsername": "Add the part before the @ of from as a MailFrom address of the domain.",
	},
	"postmark": {
		"400": "Confirm the sender signature of from, or verify its domain, in Postmark.",
		"401": "Confirm the sender signature of from: Postmark has sent a mail with a link to that address.",
		"412": "The account waits for approval: until then it sends to addresses at the sender's own domain alone.",
		"406": "The recipient is inactive after a bounce or complaint. Reactivate it in Postmark under Suppressions.",
	},
	"sendgrid": {"403": "The sender is no verified identity, or the API key lacks the permission Mail Send. Verify the sender, or make a key with that permission."},
	"mailgun":  {"401": "The key is not the domain's, or the region is another: domains in the EU need endpoint https://api.eu.mailgun.net."},
	"smtp": {
		"5.7.139": "Microsoft 365 has SMTP AUTH switched off. Allow it for the mailbox, or use the kind microsoft365.",
		"5.7.60":  "The login may not send as the address in from. Give it Send As, or set from to its own address.",
		"534":     "Google wants an app password here, not the account's.",
		"5.7.26":  "The receiver wants SPF or DKIM of the sender's domain: see otpost doctor.",
	},
}

// Advice says what to do about an attempt that failed; code is its code at the provider, which may have several words.
func Advice(kind string, class outbox.Class, code string) string {
	words := strings.Fields(code)
	for _, word := range slices.Backward(words) { // the last word is the narrowest
		for known, text := range codeAdvice[kind] {
			if strings.EqualFold(known, word) {
				return text
			}
		}
	}
	return advice[class]
}
