package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

type twilioSettings struct {
	AccountSID          string        `name:"account_sid" required:"true" help:"SID of the account, AC and 32 hexadecimal digits."`
	AuthToken           string        `name:"auth_token" secret:"true" help:"Auth token of the account; it also proves delivery reports, so set it beside an API key to read them."`
	APIKey              string        `name:"api_key" help:"SID of an API key, SK and 32 hexadecimal digits, to send with instead of the auth token."`
	APISecret           string        `name:"api_secret" secret:"true" help:"Secret of the API key."`
	From                string        `name:"from" help:"Number, short code or name that messages come from; not needed with a messaging service."`
	MessagingServiceSID string        `name:"messaging_service_sid" help:"SID of the messaging service that chooses the number, MG and 32 hexadecimal digits."`
	Validity            time.Duration `name:"validity" default:"10m" help:"How long a message may wait at Twilio before it is dropped, up to 10h."`
	ReceiptURL          string        `name:"receipt_url" help:"Public URL of this provider's receipts; Twilio is told it with every message."`
	Endpoint            string        `name:"endpoint" default:"https://api.twilio.com" help:"Address of the API, of the region that the account is in."`
	connection
}

func twilio() Kind {
	return Kind{
		Name:     "twilio",
		Channels: []outbox.Channel{outbox.SMS},
		Doc:      "Sends short messages through Twilio.",
		Settings: twilioSettings{},
		Open:     opener(openTwilio),
		Receipts: reader(readTwilio),
	}
}

type twilioSender struct {
	*vendor
	settings twilioSettings
	auth     string // the Authorization header
	reports  string // URL for reports, empty when none are wanted
}

var twilioSID = regexp.MustCompile(`^(AC|SK|MG)[0-9a-fA-F]{32}$`)

func openTwilio(s twilioSettings, env Environment) (outbox.Sender, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("provider twilio: %w", err)
	}
	if s.From != "" {
		if err := checkSMSSender("twilio", s.From); err != nil {
			return nil, err
		}
	}
	reports, err := reportURL("twilio", s.ReceiptURL, "", s.connection)
	if err != nil {
		return nil, err
	}
	user, password := s.AccountSID, s.AuthToken
	if s.APIKey != "" {
		user, password = s.APIKey, s.APISecret
	}
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	v, err := newVendor("twilio", s.Endpoint, s.connection, env, password, s.AuthToken, basic)
	if err != nil {
		return nil, err
	}
	return &twilioSender{vendor: v, settings: s, auth: "Basic " + basic, reports: reports}, nil
}

func (s twilioSettings) check() error {
	sid := func(value, kind string) bool { return twilioSID.MatchString(value) && value[:2] == kind }
	switch {
	case !sid(s.AccountSID, "AC"):
		return errors.New("setting account_sid: want AC and 32 hexadecimal digits")
	case s.APIKey != "" && !sid(s.APIKey, "SK"):
		return errors.New("setting api_key: want SK and 32 hexadecimal digits")
	case (s.APIKey == "") != (s.APISecret == ""):
		return errors.New("settings api_key and api_secret: want both or neither")
	case s.APIKey == "" && s.AuthToken == "":
		return errors.New("setting auth_token is missing; set it, or api_key and api_secret")
	case s.ReceiptURL != "" && s.AuthToken == "":
		return errors.New("setting auth_token is missing; without it no report to receipt_url is believed")
	case s.MessagingServiceSID != "" && !sid(s.MessagingServiceSID, "MG"):
		return errors.New("setting messaging_service_sid: want MG and 32 hexadecimal digits")
	case s.From == "" && s.MessagingServiceSID == "":
		return errors.New("setting from is missing; set it, or messaging_service_sid")
	case s.Validity < time.Second || s.Validity > 10*time.Hour:
		return errors.New("setting validity: want 1s to 10h")
	}
	return nil
}

// Send creates a Message (twilio_api_v2010, CreateMessage). Twilio takes no idempotency key and no reference of ours; the
// delivery's id travels in the URL that reports are posted to, which their signature covers.
func (s *twilioSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	form := url.Values{"To": {m.To}, "Body": {m.Text}, "ValidityPeriod": {strconv.Itoa(int(s.settings.Validity / time.Second))}}
	if from := smsFrom(s.settings.From, &m); from != "" {
		form.Set("From", from)
	}
	if s.settings.MessagingServiceSID != "" {
		form.Set("MessagingServiceSid", s.settings.MessagingServiceSID)
	}
	if s.reports != "" {
		form.Set("StatusCallback", s.reports+"?"+url.Values{twilioDelivery: {id}}.Encode())
	}
	r, fault := s.postForm(ctx, s.account("/Messages.json"), s.header(), form)
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	var taken struct {
		SID     string `json:"sid"`
		Status  string `json:"status"`
		Code    int    `json:"error_code"`
		Message string `json:"error_message"`
	}
	_ = json.Unmarshal(r.Body, &taken) // an answer that cannot be read has no reference, and is a 201 all the same
	if taken.Status == "failed" || taken.Status == "undelivered" {
		return "", s.refused(twilioClass(taken.Code, outbox.RejectedContent), fmt.Sprintf("%d %d", r.Status, taken.Code), taken.Message, &m)
	}
	return taken.SID, nil
}

func (s *twilioSender) account(rest string) string {
	return "/2010-04-01/Accounts/" + s.settings.AccountSID + rest
}

func (s *twilioSender) header() http.Header { return http.Header{"Authorization": {s.auth}} }

// understand reads Twilio's own error codes (twilio.com/docs, "Error and Warning Dictionary").
func (s *twilioSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	var e struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(r.Body, &e) != nil || e.Code == 0 {
		return fault
	}
	return s.explain(fault, twilioClass(e.Code, ""), fmt.Sprintf("%d %d", r.Status, e.Code), e.Message, m)
}

// twilioClass is what one of Twilio's error codes means, both of a refusal and of a message that failed later; otherwise
// when nothing more is known of it.
func twilioClass(code int, otherwise outbox.Class) outbox.Class {
	switch code {
	case 21211, 21214, 21217, 21265, 21614, 21635, 30005, 30006: // malformed, a short code, a landline, unknown
		return outbox.InvalidRecipient
	case 21610, 30004: // STOP, blocked
		return outbox.Suppressed
	case 21408, 60605: // country not enabled
		return outbox.GeoBlocked
	case 10001, 20003, 20005, 20008, 21212, 21266, 21603, 21606, 21608, 21609, 21659, 21660, 21661, 21701, 21703, 21704, 21705,
		30002, 30032, 30034: // credentials, suspended, trial, a sender that is not ours or not registered
		return outbox.Account
	case 30023, 63038: // daily limits
		return outbox.Quota
	case 14107, 20429, 21611, 30001, 30022: // too fast, or a queue is full
		return outbox.Throttled
	case 30003, 30008: // handset unreachable, unknown
		return outbox.Transient
	case 21602, 21612, 21617, 30007, 30450: // no text, no route for the pair, too long, filtered, blocked as fraud
		return outbox.RejectedContent
	}
	return otherwise
}
