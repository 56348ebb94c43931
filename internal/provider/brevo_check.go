package provider

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// Check asks for the account, its credits, and the sender (developers.brevo.com, API reference: Get account details, Get
// email senders, Get domain configuration).
func (s *brevoSender) Check(ctx context.Context) []Finding {
	var account struct {
		Plan []struct {
			Type    string  `json:"type"`
			Kind    string  `json:"creditsType"`
			Credits float64 `json:"credits"`
		} `json:"plan"`
	}
	fault := s.ask(ctx, "/v3/account", s.header(), &account)
	found := []Finding{credentials(fault, "Make an API key in Brevo under SMTP & API and set api_key; if keys are held to addresses there, add this machine's.")}
	if fault != nil {
		return found
	}
	if s.settings.SMSSender != "" {
		credits := 0.0
		for _, p := range account.Plan {
			if p.Type == "sms" {
				credits += p.Credits
			}
		}
		f := Finding{Subject: "sms credits", Verdict: Good, Found: fmt.Sprintf("%.1f are left.", credits)}
		if credits <= 0 {
			f.Verdict, f.Found, f.Do = Bad, "None are left.", "Buy SMS credits in Brevo."
		}
		found = append(found, f)
	}
	if s.settings.From != "" {
		found = append(found, s.checkSender(ctx)...)
	}
	return found
}

// checkSender looks for the sender's domain, then for the address: mail is taken from any address at an authenticated
// domain, and from an active sender at another.
func (s *brevoSender) checkSender(ctx context.Context) []Finding {
	_, name, _ := strings.Cut(s.from.Address, "@")
	var domain struct {
		Authenticated bool `json:"authenticated"`
		Verified      bool `json:"verified"`
	}
	fault := s.ask(ctx, "/v3/senders/domains/"+url.PathEscape(name), s.header(), &domain)
	switch {
	case fault == nil && domain.Authenticated:
		return []Finding{{Subject: "sender", Verdict: Good, Found: "The domain " + name + " is authenticated."}}
	case fault != nil && fault.Code != "404" && fault.Code != "400": // for a domain that Brevo does not know
		return []Finding{unseen("sender", fault)}
	}
	var list struct {
		Senders []struct {
			Email  string `json:"email"`
			Active bool   `json:"active"`
		} `json:"senders"`
	}
	if fault := s.ask(ctx, "/v3/senders", s.header(), &list); fault != nil {
		return []Finding{unseen("sender", fault)}
	}
	f := Finding{Subject: "sender", Verdict: Bad, Found: "Brevo knows neither the sender's address nor its domain.",
		Do: "Add the domain " + name + " under Senders, Domains & Dedicated IPs in Brevo and authenticate it."}
	for _, l := range list.Senders {
		if !strings.EqualFold(l.Email, s.from.Address) {
			continue
		}
		if l.Active {
			return []Finding{{Subject: "sender", Verdict: Good, Found: "The address is an active sender."},
				{Subject: "dkim", Verdict: Doubtful, Found: "The domain " + name + " is not authenticated, so mail is not signed for it.",
					Do: "Authenticate the domain in Brevo, so that DMARC can pass."}}
		}
		f.Found, f.Do = "The sender is not active.", "Confirm it by the link in Brevo's mail, or authenticate the domain "+name+"."
	}
	return []Finding{f}
}
