package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/otpost/otpost/internal/outbox"
)

type azureEmailSettings struct {
	azureAccess
	From          string `name:"from" required:"true" help:"Sender address alone, a MailFrom of a domain that is connected to the resource; the name shown beside it is set there."`
	ReplyTo       string `name:"reply_to" help:"Address for replies, with or without a name."`
	ReceiptSecret string `name:"receipt_secret" secret:"true" help:"Secret that Event Grid brings with delivery reports, at the end of the webhook's path or as a bearer token."`
	connection
}

func azureEmail() Kind {
	return Kind{
		Name:     "azure_communication_email",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Sends email through Azure Communication Services.",
		Settings: azureEmailSettings{},
		Open:     opener(openAzureEmail),
		Receipts: reader(readAzureEmail),
	}
}

// azureEmailVersion is the version of the contract that is spoken (azure-rest-api-specs, communication/data-plane/Email).
const azureEmailVersion = "?api-version=2025-09-01"

type azureEmailSender struct {
	*azureVendor
	from    sender
	replyTo *mail.Address // nil when it is not set
}

func openAzureEmail(s azureEmailSettings, env Environment) (outbox.Sender, error) {
	from, err := openSender("azure_communication_email", s.From)
	if err != nil {
		return nil, err
	}
	if from.Name != "" {
		return nil, errors.New("provider azure_communication_email: setting from: want an address alone; Azure keeps the name with the MailFrom address")
	}
	replyTo, err := openReplyTo("azure_communication_email", s.ReplyTo)
	if err != nil {
		return nil, err
	}
	a, err := openAzure("azure_communication_email", s.azureAccess, s.connection, env)
	if err != nil {
		return nil, err
	}
	return &azureEmailSender{azureVendor: a, from: from, replyTo: replyTo}, nil
}

// azureMail is the body of POST /emails:send (EmailMessage).
type azureMail struct {
	Sender     string            `json:"senderAddress"`
	Recipients azureRecipients   `json:"recipients"`
	Content    azureContent      `json:"content"`
	ReplyTo    []azureAddress    `json:"replyTo,omitempty"`
	Headers    map[string]string `json:"headers"`
	// Untracked keeps Azure from counting openings and rewriting links.
	Untracked bool `json:"userEngagementTrackingDisabled"`
}

type azureRecipients struct {
	To []azureAddress `json:"to"`
}

type azureAddress struct {
	Address string `json:"address"`
	Name    string `json:"displayName,omitempty"`
}

type azureContent struct {
	Subject string `json:"subject"`
	Text    string `json:"plainText"`
	HTML    string `json:"html,omitempty"`
}

// azureOperation is what became of a mail, as far as Azure knows it (EmailSendResult).
type azureOperation struct {
	ID     string     `json:"id"`
	Status string     `json:"status"`
	Error  azureError `json:"error"`
}

// dead reports whether the mail was given up.
func (o azureOperation) dead() bool { return o.Status == "Failed" || o.Status == "Canceled" }

// Send asks Azure to send the mail. The reference is the id of the operation, which is ours: an answer that is lost or
// unreadable leaves it known, and another try names the same operation. Azure takes the mail before it has looked at the
// recipient; Track tells what it found.
func (s *azureEmailSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	operation := operationID(id)
	header := http.Header{"Operation-Id": {operation}, "X-Ms-Client-Request-Id": {operation}}
	from := s.from.of(&m)
	body := azureMail{
		Sender: from.Address, Recipients: azureRecipients{[]azureAddress{{Address: m.To}}},
		Content: azureContent{oneLine(m.Subject), m.Text, m.HTML}, Headers: automaticHeaders(id), Untracked: true,
	}
	if s.replyTo != nil {
		body.ReplyTo = []azureAddress{{s.replyTo.Address, s.replyTo.Name}}
	}
	r, fault := s.sendJSON(ctx, "/emails:send"+azureEmailVersion, header, body)
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	var taken azureOperation
	_ = json.Unmarshal(r.Body, &taken) // an answer that cannot be read is a 202 all the same
	if taken.dead() {
		return "", s.refused(azureMailClass(taken.Error.Code, outbox.RejectedContent), taken.Error.Code, taken.Error.Message, &m)
	}
	if uuid.Validate(taken.ID) == nil { // or Track could not ask for it
		operation = taken.ID
	}
	return operation, nil
}

// understand reads the error of an answer.
func (s *azureEmailSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	if r.Status == 0 {
		return fault
	}
	if r.Status == http.StatusConflict {
		// What Azure answers to an operation that it knows already is not written down; it may have the mail.
		fault.Class = outbox.Ambiguous
	}
	e := readAzureError(r)
	if e.Code == "" {
		return fault
	}
	class := fault.Class
	if class != outbox.Throttled && class != outbox.Transient {
		class = azureMailClass(e.Code, class)
	}
	return s.explain(fault, class, fmt.Sprintf("%d %s", r.Status, e.Code), e.Message, m)
}

// azureMailClass is the class of one of Azure's codes, of which there is no published list (azure-sdk-for-net issue
// 56805); otherwise stands for any other code. Azure has changed the case of codes before.
func azureMailClass(code string, otherwise outbox.Class) outbox.Class {
	switch strings.ToLower(code) {
	case "emaildroppedallrecipientssuppressed":
		return outbox.Suppressed
	case "invalidemailaddress":
		return outbox.InvalidRecipient
	case "domainnotlinked", "invalidsenderusername":
		return outbox.Account
	}
	return otherwise
}

// azurePoll is how long Azure is left alone when it does not say; its answers say 20 s in the contract's examples.
const azurePoll = 20 * time.Second

// Track asks for the operation (GET /emails/operations/{id}). One that succeeded was handed over to the recipient's server
// or to a queue for it; only a report of Event Grid says more.
func (s *azureEmailSender) Track(ctx context.Context, _, ref string) (outbox.Receipt, time.Duration, error) {
	if uuid.Validate(ref) != nil { // it becomes a part of a path
		return outbox.Receipt{}, 0, outbox.Faultf(outbox.Account, "", "the reference is not an operation of Azure")
	}
	r, fault := s.sendJSON(ctx, "/emails/operations/"+ref+azureEmailVersion, nil, nil)
	if fault != nil {
		return outbox.Receipt{}, fault.RetryAfter, s.understand(r, fault, &outbox.Message{})
	}
	var o azureOperation
	if json.Unmarshal(r.Body, &o) != nil || o.Status == "" {
		return outbox.Receipt{}, 0, outbox.Faultf(outbox.Transient, fmt.Sprint(r.Status), "the answer is not an operation")
	}
	receipt := outbox.Receipt{Event: ref + " " + o.Status, Ref: ref}
	switch {
	case o.dead():
		receipt.Report, receipt.Class = outbox.ReportBounced, azureMailClass(o.Error.Code, outbox.RejectedContent)
		receipt.Code, receipt.Detail = cut(o.Error.Code, 60), scrub(o.Error.Message, &outbox.Message{}, s.private)
		return receipt, 0, nil
	case o.Status == "Succeeded":
		return receipt, 0, nil
	}
	wait := retryAfter(r.Header, s.now())
	if wait == 0 {
		wait = azurePoll
	}
	return receipt, wait, nil
}

// Check asks for an operation that does not exist.
func (s *azureEmailSender) Check(ctx context.Context) []Finding {
	r, fault := s.sendJSON(ctx, "/emails/operations/"+operationID("check")+azureEmailVersion, nil, nil)
	return []Finding{s.checkAccess(r, fault), {
		Subject: "sender address", Verdict: Doubtful, Found: "Azure says only on sending whether " + s.from.Address + " may be sent from",
		Do: "See that its domain is connected to the resource, and the address is one of its MailFrom addresses.",
	}}
}

// Close closes the connections that are kept between requests.
func (s *azureEmailSender) Close() error {
	s.tokens.close()
	return s.vendor.Close()
}
