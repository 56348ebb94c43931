package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

type vonageSettings struct {
	APIKey                 string        `name:"api_key" required:"true" help:"API key of the account, 8 characters."`
	APISecret              string        `name:"api_secret" required:"true" secret:"true" help:"API secret of the account."`
	From                   string        `name:"from" required:"true" help:"Number, short code or name that messages come from."`
	Validity               time.Duration `name:"validity" default:"30m" help:"How long Vonage may try to deliver a message, 20s to 168h; it recommends 30m or more."`
	ReceiptURL             string        `name:"receipt_url" help:"Public URL of this provider's receipts; Vonage is told it with every message."`
	ReceiptSecret          string        `name:"receipt_secret" secret:"true" help:"Secret that is added to receipt_url as the last part of its path, to believe reports where the account does not sign them."`
	ReceiptSignatureSecret string        `name:"receipt_signature_secret" secret:"true" help:"Signature secret of the account, to believe reports by their signature; Vonage turns signed webhooks on when asked."`
	ReceiptSignatureMethod string        `name:"receipt_signature_method" default:"sha256" oneof:"md5hash md5 sha1 sha256 sha512" help:"How the account signs: md5hash, or the HMAC with that hash, as chosen in the Vonage dashboard."`
	Endpoint               string        `name:"endpoint" default:"https://rest.nexmo.com" help:"Address of the API."`
	connection
}

func vonage() Kind {
	return Kind{
		Name:     "vonage",
		Channels: []outbox.Channel{outbox.SMS},
		Doc:      "Sends short messages through the SMS API of Vonage.",
		Settings: vonageSettings{},
		Open:     opener(openVonage),
		Receipts: reader(readVonage),
	}
}

type vonageSender struct {
	*vendor
	settings vonageSettings
	reports  string // URL for reports with its secret, empty when none are wanted
}

// maxVonageURL is the longest callback (nexmo sms 1.2.0, NewMessage).
const maxVonageURL = 100

func openVonage(s vonageSettings, env Environment) (outbox.Sender, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("provider vonage: %w", err)
	}
	if err := checkSMSSender("vonage", s.From); err != nil {
		return nil, err
	}
	reports, err := reportURL("vonage", s.ReceiptURL, s.ReceiptSecret, s.connection)
	if err != nil {
		return nil, err
	}
	if len(reports) > maxVonageURL {
		return nil, fmt.Errorf("provider vonage: setting receipt_url: with the secret it has more than the %d characters that Vonage takes; choose a shorter secret", maxVonageURL)
	}
	v, err := newVendor("vonage", s.Endpoint, s.connection, env, s.APISecret, s.ReceiptSecret, s.ReceiptSignatureSecret, s.basic())
	if err != nil {
		return nil, err
	}
	return &vonageSender{vendor: v, settings: s, reports: reports}, nil
}

func (s vonageSettings) check() error {
	switch {
	case len(s.APIKey) != 8:
		return errors.New("setting api_key: want 8 characters")
	case len(s.APISecret) < 6 || len(s.APISecret) > 32:
		return errors.New("setting api_secret: want 6 to 32 characters")
	case s.Validity < 20*time.Second || s.Validity > 168*time.Hour:
		return errors.New("setting validity: want 20s to 168h")
	case s.ReceiptURL != "" && s.ReceiptSecret == "" && s.ReceiptSignatureSecret == "":
		return errors.New("setting receipt_secret is missing; without it or receipt_signature_secret no report to receipt_url is believed")
	}
	return nil
}

func (s vonageSettings) basic() string {
	return base64.StdEncoding.EncodeToString([]byte(s.APIKey + ":" + s.APISecret))
}

// Send posts the message (nexmo sms 1.2.0, send-an-sms). There is no idempotency key; client-ref is the delivery's id,
// which comes back in reports.
func (s *vonageSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	form := url.Values{
		"api_key": {s.settings.APIKey}, "api_secret": {s.settings.APISecret},
		"from": {withoutPlus(smsFrom(s.settings.From, &m))}, "to": {withoutPlus(m.To)}, "text": {m.Text}, "type": {"text"},
		"ttl": {strconv.FormatInt(s.settings.Validity.Milliseconds(), 10)}, "client-ref": {id},
	}
	if !gsm(m.Text) {
		form.Set("type", "unicode")
	}
	if s.reports != "" {
		form.Set("callback", s.reports)
		form.Set("status-report-req", "true")
	}
	r, fault := s.postForm(ctx, "/sms/json", nil, form)
	if fault != nil {
		return "", fault
	}
	return s.understand(r, &m)
}

// vonageAnswer is what every request is answered with, under status 200. A long text has a message for each part.
type vonageAnswer struct {
	Messages []struct {
		Status string `json:"status"`
		ID     string `json:"message-id"`
		Error  string `json:"error-text"`
	} `json:"messages"`
}

// understand finds the refusal that may hide in a 200. Where some parts of a long text were taken and another was not,
// nobody knows what the person will see.
func (s *vonageSender) understand(r reply, m *outbox.Message) (string, error) {
	var a vonageAnswer
	if !r.Whole || json.Unmarshal(r.Body, &a) != nil || len(a.Messages) == 0 {
		return "", unread(r)
	}
	taken := 0
	var fault *outbox.Fault
	for _, part := range a.Messages {
		switch {
		case part.Status == "0":
			taken++
		case part.Status == "":
			return "", unread(r)
		case fault == nil:
			fault = s.refused(vonageClass(part.Status), "status "+part.Status, part.Error, m)
			fault.RetryAfter = retryAfter(r.Header, s.now())
		}
	}
	if fault == nil {
		return a.Messages[0].ID, nil
	}
	if taken > 0 {
		fault.Class = outbox.Ambiguous
	}
	if fault.Detail == "" {
		fault.Detail = "the message was refused"
	}
	return "", fault
}

// vonageClass is what the status of a message means (developer.vonage.com, "API Errors: SMS API").
func vonageClass(status string) outbox.Class {
	switch status {
	case "1", "10":
		return outbox.Throttled
	case "5":
		return outbox.Transient
	case "33": // number de-activated
		return outbox.InvalidRecipient
	case "7": // number barred
		return outbox.Suppressed
	case "9":
		return outbox.Quota
	case "4", "8", "11", "14", "15", "23", "29", "32": // credentials, suspended, sender, callback, trial
		return outbox.Account
	}
	return outbox.RejectedContent // 2, 3, 6, 12, 22 and what is not known
}

// Check reads the balance (developer.vonage.com, "Account API", get-balance).
func (s *vonageSender) Check(ctx context.Context) []Finding {
	r, fault := s.do(ctx, call{Method: http.MethodGet, Path: "/account/get-balance", Header: http.Header{"Authorization": {"Basic " + s.settings.basic()}}})
	findings := []Finding{accessFinding(fault, "the Vonage dashboard")}
	var account struct {
		Value      *float64 `json:"value"`
		AutoReload bool     `json:"autoReload"`
	}
	if fault != nil || json.Unmarshal(r.Body, &account) != nil || account.Value == nil {
		return findings
	}
	return append(findings, balanceFinding(*account.Value, "EUR", account.AutoReload))
}
