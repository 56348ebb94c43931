package provider

import (
	"context"
	"net/mail"
	"net/url"
)

// Check asks for the sending domain of the sender address, which needs a key that may read sending domains.
func (s *sparkpostSender) Check(ctx context.Context) []Finding {
	const region = "An account in the EU needs endpoint https://api.eu.sparkpost.com."
	domain := domainOf(mail.Address(s.from).Address)
	var got struct {
		Results struct {
			Status struct {
				Owned      bool   `json:"ownership_verified"`
				DKIM       string `json:"dkim_status"`
				Compliance string `json:"compliance_status"`
			} `json:"status"`
		} `json:"results"`
	}
	fault := s.ask(ctx, "/api/v1/sending-domains/"+url.PathEscape(domain), s.header(), &got)
	f := Finding{Subject: "sending domain", Verdict: Bad}
	switch status := got.Results.Status; {
	case fault != nil && fault.Code == "403":
		return []Finding{{Subject: "credentials", Verdict: Doubtful, Found: "The API key may not look at sending domains (403).",
			Do: "Give it the permission Sending Domains: Read-only for this check, or send a test. " + region}}
	case fault != nil && fault.Code == "404":
		f.Found, f.Do = "The account has no sending domain "+domain+".", "Add the domain under Sending Domains, and verify it. "+region
	case fault != nil:
		return []Finding{credentials(fault, "Make an API key with the permission Transmissions: Read/Write. "+region)}
	case status.Compliance == "blocked":
		f.Found, f.Do = "SparkPost has blocked it.", "Ask SparkPost's support."
	case !status.Owned:
		f.Found, f.Do = "It is not verified.", "Set the DNS records that SparkPost shows for the domain, and verify it."
	case status.DKIM != "valid":
		f.Verdict, f.Found = Doubtful, "It is verified, but mails are not signed with DKIM."
		f.Do = "Set the DKIM record that SparkPost shows for the domain, and verify it."
	default:
		f.Verdict, f.Found = Good, "It is verified."
	}
	return []Finding{credentials(nil, ""), f}
}
