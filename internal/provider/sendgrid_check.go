package provider

import (
	"context"
	"net/mail"
	"slices"
	"strings"
)

// Check asks for the key's scopes, and whether the sender address may be used. A key that can only send mail may not
// ask the second.
func (s *sendgridSender) Check(ctx context.Context) []Finding {
	var may struct {
		Scopes []string `json:"scopes"`
	}
	f := credentials(s.ask(ctx, "/v3/scopes", s.header(), &may),
		"Make an API key with the permission Mail Send; one of a subuser in the EU needs endpoint https://api.eu.sendgrid.com.")
	if f.Verdict != Good {
		return []Finding{f}
	}
	if slices.Contains(may.Scopes, "mail.send") {
		return []Finding{f, s.checkSender(ctx)}
	}
	return []Finding{f, {Subject: "permission to send", Verdict: Bad, Found: "The API key may not send mail.",
		Do: "Give the API key the permission Mail Send (scope mail.send)."}}
}

// checkSender looks among the authenticated domains, then among the single senders.
func (s *sendgridSender) checkSender(ctx context.Context) Finding {
	const subject = "sender address"
	address := mail.Address(s.from).Address
	var domains []struct {
		Domain string `json:"domain"`
		Valid  bool   `json:"valid"`
	}
	fault := s.ask(ctx, "/v3/whitelabel/domains?limit=200", s.header(), &domains)
	above := false
	for _, d := range domains {
		if d.Valid && strings.EqualFold(domainOf(address), d.Domain) {
			return Finding{Subject: subject, Verdict: Good, Found: "Its domain is authenticated."}
		}
		above = above || d.Valid && under(domainOf(address), d.Domain)
	}
	var senders struct {
		Results []struct {
			From     string `json:"from_email"`
			Verified bool   `json:"verified"`
		} `json:"results"`
	}
	if other := s.ask(ctx, "/v3/verified_senders?limit=200", s.header(), &senders); fault == nil {
		fault = other
	}
	for _, v := range senders.Results {
		if v.Verified && strings.EqualFold(v.From, address) {
			return Finding{Subject: subject, Verdict: Good, Found: "It is a verified sender."}
		}
	}
	switch {
	case above:
		return Finding{Subject: subject, Verdict: Doubtful, Found: "Only a domain above its own is authenticated.",
			Do: "Send a test, or authenticate the domain itself under Settings, Sender Authentication."}
	case fault != nil:
		return unseen(subject, fault)
	}
	return Finding{Subject: subject, Verdict: Bad, Found: "Neither the domain " + domainOf(address) + " nor the address is verified.",
		Do: "Authenticate the domain, or verify the address, under Settings, Sender Authentication."}
}
