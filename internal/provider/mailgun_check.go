package provider

import (
	"context"
	"fmt"
)

// Check asks for the state of the domain. A domain sending key may not ask.
func (s *mailgunSender) Check(ctx context.Context) []Finding {
	const region = "An API key and a domain belong to a region: one in the EU needs endpoint https://api.eu.mailgun.net."
	var got struct {
		Domain struct {
			State string `json:"state"`
		} `json:"domain"`
	}
	fault := s.ask(ctx, "/v4/domains/"+s.settings.Domain, s.header(), &got)
	switch {
	case fault == nil:
	case fault.Code == "401" || fault.Code == "403":
		return []Finding{{Subject: "credentials", Verdict: Doubtful,
			Found: "The API key may not look at the domain (" + fault.Code + "), which is as it should be for a domain sending key.",
			Do:    "If it is not a domain sending key, take another. " + region}}
	case fault.Code == "404":
		return []Finding{credentials(nil, ""), {Subject: "sending domain", Verdict: Bad,
			Found: "The account has no domain " + s.settings.Domain + ".",
			Do:    "Check the setting domain. " + region}}
	default:
		return []Finding{credentials(fault, region)}
	}
	state := Finding{Subject: "sending domain", Verdict: Good, Found: "It is active."}
	if got.Domain.State != "active" {
		state = Finding{Subject: "sending domain", Verdict: Bad, Found: fmt.Sprintf("Its state is %q.", wordOf(got.Domain.State)),
			Do: "Set the DNS records that Mailgun shows for the domain, and verify it."}
	}
	return []Finding{credentials(nil, ""), state}
}
