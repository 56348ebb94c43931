package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

type resendDomain struct {
	Name          string `json:"name"`
	Status        string `json:"status"`
	OpenTracking  bool   `json:"open_tracking"`
	ClickTracking bool   `json:"click_tracking"`
	Capabilities  struct {
		Sending string `json:"sending"`
	} `json:"capabilities"`
}

// Check asks for the account's domains (resend-openapi 1.5.0, GET /domains). A key that may only send may not ask, and is a
// good one all the same.
func (s *resendSender) Check(ctx context.Context) []Finding {
	var list struct {
		Data    []resendDomain `json:"data"`
		HasMore bool           `json:"has_more"`
	}
	r, fault := s.do(ctx, call{Method: http.MethodGet, Path: "/domains?limit=100", Header: http.Header{"Authorization": {"Bearer " + s.settings.APIKey}}})
	if fault == nil {
		fault = understood(r, &list)
	}
	switch name := resendErrorName(r); {
	case name == "restricted_api_key":
		good := credentials(nil, "")
		good.Found = "The vendor knows them; they may send and do nothing else."
		return []Finding{good, unseen("sender", s.understand(r, fault, &outbox.Message{}))}
	case fault != nil && r.Status == http.StatusBadRequest: // so it is for a key that is none
		return []Finding{{Subject: "credentials", Verdict: Bad, Found: "The vendor refuses them (400).", Do: resendKeyAdvice}}
	case fault != nil:
		return []Finding{credentials(fault, resendKeyAdvice)}
	}
	return append([]Finding{credentials(nil, "")}, s.findDomain(list.Data, list.HasMore)...)
}

const resendKeyAdvice = "Make an API key with sending access in Resend, and set api_key."

func resendErrorName(r reply) string {
	var e struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(r.Body, &e) // an answer that cannot be read has no name
	return e.Name
}

// findDomain looks for the sender's domain, which must be there itself: one above it does not count with Resend.
func (s *resendSender) findDomain(list []resendDomain, more bool) []Finding {
	_, name, _ := strings.Cut(s.from.Address, "@")
	f := Finding{Subject: "sender", Verdict: Bad, Found: "The account has no domain " + name + ".", Do: "Add the domain in Resend and publish the DNS records that it shows."}
	for _, d := range list {
		if strings.EqualFold(d.Name, name) {
			return d.findings()
		}
		if under(name, d.Name) {
			f.Do = "Add the domain in Resend, or send from " + d.Name + ": a domain does not count for those under it."
		}
	}
	if more {
		f.Verdict, f.Found = Doubtful, "The domain "+name+" is not among the first 100 of the account."
	}
	return []Finding{f}
}

func (d *resendDomain) findings() []Finding {
	f := Finding{Subject: "sender", Verdict: Good, Found: "The domain is verified."}
	switch {
	case d.Capabilities.Sending == "disabled":
		f.Verdict, f.Found, f.Do = Bad, "The domain may not send.", "Switch sending on for the domain in Resend."
	case d.Status == "verified":
	case d.Status == "partially_verified" || d.Status == "partially_failed":
		f.Verdict, f.Found = Doubtful, "Only some of the domain's DNS records are verified."
		f.Do = "Publish the DNS records that Resend shows as missing."
	default:
		f.Verdict, f.Found = Bad, "The domain is not verified; its state is "+wordOf(d.Status)+"."
		f.Do = "Publish the DNS records that Resend shows for the domain, and verify it."
	}
	if !d.OpenTracking && !d.ClickTracking {
		return []Finding{f}
	}
	return []Finding{f, {Subject: "tracking", Verdict: Doubtful, Found: "The domain counts opens or clicks, for which Resend changes the mail.",
		Do: "Switch open and click tracking off for the domain."}}
}
