package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Check reads the account's numbers, which an API key may do as well as the auth token, and with the auth token the
// account itself (twilio_api_v2010, ListIncomingPhoneNumber and FetchAccount).
func (s *twilioSender) Check(ctx context.Context) []Finding {
	number := s.settings.From
	if s.settings.MessagingServiceSID != "" || !strings.HasPrefix(number, "+") {
		number = "" // a service's numbers, short codes and names are not in the list
	}
	query := url.Values{"PageSize": {"1"}}
	if number != "" {
		query.Set("PhoneNumber", number)
	}
	r, fault := s.do(ctx, call{Method: http.MethodGet, Path: s.account("/IncomingPhoneNumbers.json?" + query.Encode()), Header: s.header()})
	findings := []Finding{accessFinding(fault, "the Twilio console")}
	if fault != nil {
		return findings
	}
	if s.settings.APIKey == "" {
		findings = append(findings, s.checkAccount(ctx))
	}
	if number != "" {
		findings = append(findings, twilioNumber(r.Body))
	}
	return findings
}

func (s *twilioSender) checkAccount(ctx context.Context) Finding {
	f := Finding{Subject: "account", Verdict: Doubtful, Found: "its state could not be read"}
	r, fault := s.do(ctx, call{Method: http.MethodGet, Path: s.account(".json"), Header: s.header()})
	var account struct {
		Status string `json:"status"`
		Type   string `json:"type"`
	}
	switch {
	case fault != nil || json.Unmarshal(r.Body, &account) != nil:
	case account.Status == "suspended" || account.Status == "closed":
		f.Verdict, f.Found, f.Do = Bad, "it is "+account.Status, "Write to Twilio's support."
	case account.Status == "active" && account.Type == "Trial":
		f.Found, f.Do = "it is a trial account", "Only numbers verified in the Twilio console can be sent to; upgrade the account."
	case account.Status == "active":
		f.Verdict, f.Found = Good, "it is active"
	}
	return f
}

func twilioNumber(body []byte) Finding {
	f := Finding{Subject: "sender number", Verdict: Good, Found: "it belongs to the account and can send"}
	var list struct {
		Numbers []struct {
			Capabilities struct {
				SMS bool `json:"sms"`
			} `json:"capabilities"`
		} `json:"incoming_phone_numbers"`
	}
	switch {
	case json.Unmarshal(body, &list) != nil:
		f.Verdict, f.Found = Doubtful, "the account's numbers could not be read"
	case len(list.Numbers) == 0:
		f.Verdict, f.Found, f.Do = Bad, "the account has no such number", "Set from to a number of the account, in the form +15005550006."
	case !list.Numbers[0].Capabilities.SMS:
		f.Verdict, f.Found, f.Do = Bad, "the number cannot send short messages", "Choose a number with the SMS capability."
	}
	return f
}
