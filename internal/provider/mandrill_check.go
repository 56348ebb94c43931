package provider

import (
	"context"
	"net/mail"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// Check asks whether the key is good, then for the sender domains of the account.
func (s *mandrillSender) Check(ctx context.Context) []Finding {
	var pong struct {
		Ping string `json:"PING"`
	}
	fault := s.question(ctx, "/api/1.4/users/ping2", &pong)
	if fault != nil && strings.HasSuffix(fault.Code, " Invalid_Key") {
		fault.Code = "401"
	}
	f := credentials(fault, "Take another API key from the account's settings, SMTP & API Info.")
	if f.Verdict != Good {
		return []Finding{f}
	}
	return []Finding{f, s.checkDomain(ctx)}
}

// checkDomain looks for the sender's domain among those of the account (senders/domains).
func (s *mandrillSender) checkDomain(ctx context.Context) Finding {
	const subject = "sending domain"
	domain := domainOf(mail.Address(s.from).Address)
	var domains []struct {
		Domain       string `json:"domain"`
		ValidSigning bool   `json:"valid_signing"`
	}
	if fault := s.question(ctx, "/api/1.4/senders/domains", &domains); fault != nil {
		return unseen(subject, fault)
	}
	for _, d := range domains {
		switch {
		case !strings.EqualFold(d.Domain, domain):
		case d.ValidSigning:
			return Finding{Subject: subject, Verdict: Good, Found: "It is verified and signed."}
		default:
			return Finding{Subject: subject, Verdict: Bad, Found: "It is not verified, or its DNS records are not valid: mails are rejected as unsigned.",
				Do: "Verify the domain and set the DKIM and SPF records that Mandrill shows under Sending Domains."}
		}
	}
	return Finding{Subject: subject, Verdict: Bad, Found: "The account has no sending domain " + domain + ".",
		Do: "Add the domain under Sending Domains, verify it, and set its DNS records."}
}

// question posts nothing but the key. Every call of Mandrill's is a POST, those that only read too.
func (s *mandrillSender) question(ctx context.Context, path string, out any) *outbox.Fault {
	r, fault := s.postJSON(ctx, path, nil, map[string]string{"key": s.settings.APIKey})
	if fault != nil {
		return s.understand(r, fault, &outbox.Message{})
	}
	return understood(r, out)
}
