package provider

import (
	"fmt"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// graphRefusals are the codes of Microsoft Graph that mean something to a sender of mail: those of Exchange behind it, of
// which there is no published list (microsoft-graph-docs issue 3935), and of the throttle before it (learn.microsoft.com,
// "Microsoft Graph throttling guidance"). A hint stands where the vendor's own words do not say what to do.
var graphRefusals = map[string]struct {
	class outbox.Class
	hint  string
}{
	"ApplicationThrottled":                {outbox.Throttled, ""},
	"Authorization_RequestDenied":         {outbox.Account, graphNoConsent},
	"ErrorAccessDenied":                   {outbox.Account, graphNoConsent},
	"ErrorExceededMessageLimit":           {outbox.Quota, "the mailbox has sent as many messages as it may; Exchange allows 10,000 recipients a day"},
	"ErrorInvalidRecipients":              {outbox.InvalidRecipient, ""},
	"ErrorInvalidUser":                    {outbox.Account, graphNoMailbox},
	"ErrorMailboxStoreUnavailable":        {outbox.Transient, ""},
	"ErrorMessageSubmissionBlocked":       {outbox.Account, "Exchange has blocked the mailbox from sending; see Restricted entities in Microsoft Defender"},
	"ErrorMimeContentInvalidBase64String": {outbox.RejectedContent, ""},
	"ErrorNonExistentMailbox":             {outbox.Account, graphNoMailbox},
	"ErrorQuotaExceeded":                  {outbox.Quota, "the mailbox is full, or has sent as much as it may"},
	"ErrorSendAsDenied":                   {outbox.Account, "the mailbox may not send as the address in from; set mailbox to the address's own, or give it Send As"},
	"ErrorServerBusy":                     {outbox.Throttled, ""},
	"ErrorSubmissionQuotaExceeded":        {outbox.Quota, "the mailbox has sent as many messages as it may; Exchange allows 10,000 recipients a day"},
	"InvalidAuthenticationToken":          {outbox.Account, ""},
	"MailboxConcurrency":                  {outbox.Throttled, ""},
	"MailboxNotEnabledForRESTAPI":         {outbox.Account, graphNoMailbox},
	"MailboxNotHostedInExchangeOnline":    {outbox.Account, graphNoMailbox},
	"Request_ResourceNotFound":            {outbox.Account, graphNoMailbox},
	"ResourceNotFound":                    {outbox.Account, graphNoMailbox},
	"TooManyRequests":                     {outbox.Throttled, ""},
}

const (
	graphNoConsent = "the application may not send from this mailbox; grant it the application permission Mail.Send with admin consent, " +
		"or put the mailbox in its scope in Exchange"
	graphNoMailbox = "there is no such mailbox in Exchange Online; check mailbox, from, and the user's license"
)

// understand reads the code in the answer. The codes' case is not relied on.
func (s *microsoft365Sender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	if r.Status == 0 {
		return fault
	}
	e := readAzureError(r)
	if e.Code == "" {
		return fault
	}
	var class outbox.Class
	for code, known := range graphRefusals {
		if strings.EqualFold(code, e.Code) {
			class = known.class
			if known.hint != "" {
				e.Message = known.hint
			}
			break
		}
	}
	return s.explain(fault, class, fmt.Sprintf("%d %s", r.Status, e.Code), e.Message, m)
}
