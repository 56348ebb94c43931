package provider

import (
	"context"
	"net/mail"
	"strings"
)

// Check lists the senders of the account, which needs good keys.
func (s *mailjetSender) Check(ctx context.Context) []Finding {
	var senders struct {
		Data []struct {
			Email  string `json:"Email"` // an address, or *@ and a domain
			Status string `json:"Status"`
		} `json:"Data"`
	}
	f := credentials(s.ask(ctx, "/v3/REST/sender?Limit=1000", s.header(), &senders),
		"Take the API key and the secret key from the account's page; an account in the US needs endpoint https://api.us.mailjet.com.")
	if f.Verdict != Good {
		return []Finding{f}
	}
	address := mail.Address(s.from).Address
	sender := Finding{Subject: "sender address", Verdict: Bad, Found: "Neither the address nor its domain is an active sender.",
		Do: "Add the address or its domain under Senders & Domains, and follow the steps to activate it."}
	for _, known := range senders.Data {
		if known.Status == "Active" && (strings.EqualFold(known.Email, address) || strings.EqualFold(known.Email, "*@"+domainOf(address))) {
			sender = Finding{Subject: "sender address", Verdict: Good, Found: "It is an active sender."}
		}
	}
	return []Finding{f, sender}
}
