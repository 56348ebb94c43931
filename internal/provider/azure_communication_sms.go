package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

type azureSMSSettings struct {
	azureAccess
	From          string `name:"from" required:"true" help:"Number of the resource in E.164 form, a short code, or an alphanumeric sender id."`
	ReceiptSecret string `name:"receipt_secret" secret:"true" help:"Secret that Event Grid brings with delivery reports, at the end of the webhook's path or as a bearer token."`
	connection
}

func azureSMS() Kind {
	return Kind{
		Name:     "azure_communication_sms",
		Channels: []outbox.Channel{outbox.SMS},
		Doc:      "Sends short messages through Azure Communication Services.",
		Settings: azureSMSSettings{},
		Open:     opener(openAzureSMS),
		Receipts: reader(readAzureSMS),
	}
}

// azureSMSVersion is the version of the contract that is spoken (azure-rest-api-specs, communication/data-plane/Sms).
const azureSMSVersion = "?api-version=2026-01-23"

type azureSMSSender struct {
	*azureVendor
	settings azureSMSSettings
}

func openAzureSMS(s azureSMSSettings, env Environment) (outbox.Sender, error) {
	if err := checkSMSSender("azure_communication_sms", s.From); err != nil {
		return nil, err
	}
	a, err := openAzure("azure_communication_sms", s.azureAccess, s.connection, env)
	if err != nil {
		return nil, err
	}
	return &azureSMSSender{azureVendor: a, settings: s}, nil
}

// azureText is the body of POST /sms (SendMessageRequest).
type azureText struct {
	From       string               `json:"from"`
	Recipients []azureTextRecipient `json:"smsRecipients"`
	Message    string               `json:"message"`
	Options    azureTextOptions     `json:"smsSendOptions"`
}

// azureTextRecipient names the request in the manner of OASIS Repeatable Requests 1.0: the same id and the same time on
// every try tell Azure that it is one message.
type azureTextRecipient struct {
	To        string `json:"to"`
	RequestID string `json:"repeatabilityRequestId"`
	FirstSent string `json:"repeatabilityFirstSent"`
}

// azureTextOptions ask for a report, which gives Tag back.
type azureTextOptions struct {
	Report bool   `json:"enableDeliveryReport"`
	Tag    string `json:"tag"`
}

// azureTextAnswer is what a 202 says of each recipient (SmsSendResponse), of which there is one.
type azureTextAnswer struct {
	Value []struct {
		MessageID    string `json:"messageId"`
		Status       int    `json:"httpStatusCode"`
		Successful   bool   `json:"successful"`
		ErrorMessage string `json:"errorMessage"`
	} `json:"value"`
}

// Send posts the message. A 202 may refuse the only recipient, so one that is not understood is Ambiguous.
func (s *azureSMSSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	r, fault := s.sendJSON(ctx, "/sms"+azureSMSVersion, nil, azureText{
		From: smsFrom(s.settings.From, &m), Message: m.Text, Options: azureTextOptions{Report: true, Tag: id},
		Recipients: []azureTextRecipient{{m.To, operationID(id), s.firstSent(id).Format(http.TimeFormat)}},
	})
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	var taken azureTextAnswer
	if !r.Whole || json.Unmarshal(r.Body, &taken) != nil || len(taken.Value) != 1 {
		return "", unread(r)
	}
	if one := taken.Value[0]; !one.Successful || one.Status < 200 || one.Status > 299 {
		return "", s.refused(azureTextClass(one.Status, one.ErrorMessage), fmt.Sprintf("%d recipient %d", r.Status, one.Status),
			one.ErrorMessage, &m)
	}
	return taken.Value[0].MessageID, nil
}

// firstSent is the same for every try: when the delivery was made. For an id that does not say so it is now.
func (s *azureSMSSender) firstSent(id string) time.Time {
	now := s.now().UTC()
	if at, ok := outbox.TimeOf(id); ok && now.Sub(at).Abs() < 24*time.Hour {
		return at
	}
	return now
}

// azureTextClass is the class of the status that stands beside a recipient.
func azureTextClass(status int, text string) outbox.Class {
	text = strings.ToLower(text)
	switch {
	case strings.Contains(text, "opted out") || strings.Contains(text, "sender blocked for given recipient"):
		return outbox.Suppressed
	case strings.Contains(text, "from phone number"): // Invalid From phone number format
		return outbox.Account
	case status == http.StatusBadRequest:
		return outbox.InvalidRecipient
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound:
		return outbox.Account
	case status == http.StatusTooManyRequests:
		return outbox.Throttled
	case status == http.StatusRequestTimeout, status >= 500:
		return outbox.Transient
	}
	return outbox.RejectedContent
}

func (s *azureSMSSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	if r.Status == 0 {
		return fault
	}
	e := readAzureError(r)
	if e.Code == "" {
		return fault
	}
	return s.explain(fault, "", fmt.Sprintf("%d %s", r.Status, e.Code), e.Message, m)
}

// Check asks whether the sender's own number has opted out of its messages (POST /sms/optouts:check), which changes
// nothing.
func (s *azureSMSSender) Check(ctx context.Context) []Finding {
	type number struct {
		To string `json:"to"`
	}
	r, fault := s.sendJSON(ctx, "/sms/optouts:check"+azureSMSVersion, nil, struct {
		From       string   `json:"from"`
		Recipients []number `json:"recipients"`
	}{s.settings.From, []number{{s.settings.From}}})
	access := s.checkAccess(r, fault)
	if access.Verdict != Good {
		return []Finding{access}
	}
	from := Finding{Subject: "sender number", Verdict: Good, Found: "the resource answers for " + s.settings.From}
	if fault != nil {
		from.Verdict, from.Found = Doubtful, "the resource keeps no list of opt-outs for "+s.settings.From
		from.Do = "See that the number or sender id belongs to the resource and may send; sender ids and short codes have no such list."
	}
	return []Finding{access, from}
}

// Close closes the connections that are kept between requests.
func (s *azureSMSSender) Close() error {
	s.tokens.close()
	return s.vendor.Close()
}

func readAzureSMS(s azureSMSSettings, _ Environment) (Receipts, error) {
	if s.ReceiptSecret == "" {
		return nil, nil
	}
	return gridReceipts{s.ReceiptSecret, "Microsoft.Communication.SMSDeliveryReportReceived", readAzureSMSReport}, nil
}

// readAzureSMSReport reads a report (learn.microsoft.com, "Azure Communication Services - SMS events").
func readAzureSMSReport(data json.RawMessage) (outbox.Receipt, error) {
	var d struct {
		MessageID string `json:"messageId"`
		To        string `json:"to"`
		Status    string `json:"deliveryStatus"`
		Details   string `json:"deliveryStatusDetails"`
		At        string `json:"receivedTimestamp"`
		Tag       string `json:"tag"`
	}
	if json.Unmarshal(data, &d) != nil || d.MessageID == "" || d.Status == "" {
		return outbox.Receipt{}, fmt.Errorf("%w: the report names no message or no status", ErrMalformed)
	}
	r := outbox.Receipt{Ref: d.MessageID, Delivery: d.Tag, At: gridTime(d.At)}
	switch d.Status {
	case "Delivered":
		r.Report = outbox.ReportDelivered
	case "Failed":
		r.Report, r.Class, r.Code = outbox.ReportBounced, azureReportClass(d.Details), d.Status
		r.Detail = scrub(d.Details, &outbox.Message{To: d.To}, nil)
	}
	return r, nil
}

// azureReportClass is the class of a failure told later, which is in words alone. A number is called bad only where the
// words say so.
func azureReportClass(details string) outbox.Class {
	d := strings.ToLower(details)
	switch {
	case strings.Contains(d, "sender blocked for given recipient"), strings.Contains(d, "opted out"):
		return outbox.Suppressed
	case strings.Contains(d, "invalid") && (strings.Contains(d, "recipient") || strings.Contains(d, "destination") || strings.Contains(d, " to ")):
		return outbox.InvalidRecipient
	}
	return outbox.Transient
}
