package provider

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// look gets a page of the API.
func (s *sesSender) look(ctx context.Context, path string, out any) (reply, *outbox.Fault) {
	r, fault := s.request(ctx, http.MethodGet, path, "", nil)
	if fault != nil {
		return r, s.understand(r, fault, &outbox.Message{})
	}
	return r, understood(r, out)
}

// Check looks at the account, the sender's identity and the configuration set (SES API v2: GetAccount, GetEmailIdentity,
// GetConfigurationSet, GetConfigurationSetEventDestinations).
func (s *sesSender) Check(ctx context.Context) []Finding {
	var a sesAccount
	r, fault := s.look(ctx, "/v2/email/account", &a)
	found := append([]Finding{awsCredentials(r, fault)}, clockFinding(r, s.now())...)
	switch {
	case found[0].Verdict != Good:
		return found
	case fault != nil:
		found = append(found, unseen("account", fault))
	default:
		found = append(found, a.findings(s.settings.Region)...)
	}
	found = append(found, s.checkIdentity(ctx)...)
	if s.settings.ConfigurationSet != "" {
		found = append(found, s.checkSet(ctx)...)
	}
	return found
}

type sesAccount struct {
	SendingEnabled          bool
	ProductionAccessEnabled bool
	EnforcementStatus       string
	SendQuota               struct {
		Max24HourSend   float64
		SentLast24Hours float64
	}
}

func (a *sesAccount) findings(region string) []Finding {
	f := Finding{Subject: "account", Verdict: Good, Found: "It may send in " + region + "."}
	switch {
	case !a.SendingEnabled || a.EnforcementStatus == "SHUTDOWN":
		f.Verdict, f.Found, f.Do = Bad, "Sending is switched off for it in "+region+".", "Read what Amazon wrote about it in the SES console."
	case !a.ProductionAccessEnabled:
		f.Verdict, f.Found = Bad, "It is in the sandbox in "+region+": only verified addresses get mail."
		f.Do = "Request production access in the SES console, for this region."
	case a.EnforcementStatus == "PROBATION":
		f.Verdict, f.Found, f.Do = Doubtful, "Amazon has put it on probation.", "Read what Amazon wrote about it in the SES console."
	}
	list := []Finding{f}
	most, sent := a.SendQuota.Max24HourSend, a.SendQuota.SentLast24Hours
	if most <= 0 { // -1 is no limit
		return list
	}
	q := Finding{Subject: "daily quota", Verdict: Good, Found: fmt.Sprintf("%.0f of %.0f messages were sent in the last 24 hours.", sent, most)}
	if sent >= most {
		q.Verdict = Bad
	} else if sent > most*0.8 {
		q.Verdict = Doubtful
	}
	if q.Verdict != Good {
		q.Do = "Request a higher sending quota in the SES console, for this region."
	}
	return append(list, q)
}

type sesIdentity struct {
	VerifiedForSendingStatus bool
	DkimAttributes           struct {
		SigningEnabled bool
		Status         string
	}
}

// checkIdentity looks for the sender's address, then for its domain and those above: SES takes mail from all that lie
// under a verified domain.
func (s *sesSender) checkIdentity(ctx context.Context) []Finding {
	address := s.from.Address
	_, domain, _ := strings.Cut(address, "@")
	names := []string{address}
	for d := domain; strings.Contains(d, "."); _, d, _ = strings.Cut(d, ".") {
		names = append(names, d)
	}
	waiting := ""
	for _, name := range names {
		var i sesIdentity
		r, fault := s.look(ctx, "/v2/email/identities/"+percentEncode(name), &i)
		switch {
		case r.Status == http.StatusNotFound:
		case fault != nil:
			return []Finding{unseen("sender", fault)}
		case i.VerifiedForSendingStatus:
			return []Finding{{Subject: "sender", Verdict: Good, Found: identityName(name) + " is verified in " + s.settings.Region + "."}, i.dkim()}
		case waiting == "":
			waiting = identityName(name)
		}
	}
	f := Finding{Subject: "sender", Verdict: Bad, Found: "Neither the sender's address nor its domain is an identity in " + s.settings.Region + ".",
		Do: "Verify the domain " + domain + " in the SES console of that region, or set the region where it is verified."}
	if waiting != "" {
		f.Found = waiting + " is an identity in " + s.settings.Region + " and is not verified."
		f.Do = "Publish the DNS records that the SES console shows, or follow the link in Amazon's mail."
	}
	return []Finding{f}
}

// identityName says which identity without an address.
func identityName(name string) string {
	if strings.Contains(name, "@") {
		return "The sender's address"
	}
	return "The domain " + name
}

func (i *sesIdentity) dkim() Finding {
	if i.DkimAttributes.SigningEnabled && i.DkimAttributes.Status == "SUCCESS" {
		return Finding{Subject: "dkim", Verdict: Good, Found: "Mail is signed for the sender's domain."}
	}
	return Finding{Subject: "dkim", Verdict: Doubtful, Found: "Mail is not signed for the sender's domain.",
		Do: "Set up DKIM for the domain in the SES console, so that DMARC can pass."}
}

type sesSet struct {
	SendingOptions struct {
		SendingEnabled *bool
	}
}

type sesDestinations struct {
	EventDestinations []struct {
		Enabled            bool
		MatchingEventTypes []string
		SnsDestination     struct {
			TopicArn string
		}
	}
}

// checkSet looks at the configuration set: whether it may send, whether it changes links, and whether it reports to a
// topic that we believe.
func (s *sesSender) checkSet(ctx context.Context) []Finding {
	path := "/v2/email/configuration-sets/" + percentEncode(s.settings.ConfigurationSet)
	var set sesSet
	r, fault := s.look(ctx, path, &set)
	f := Finding{Subject: "configuration set", Verdict: Good, Found: "It exists and may send."}
	switch {
	case r.Status == http.StatusNotFound:
		return []Finding{{Subject: f.Subject, Verdict: Bad, Found: "It does not exist in " + s.settings.Region + ".",
			Do: "Check configuration_set and region; mail that names a missing one is refused."}}
	case fault != nil:
		f = unseen(f.Subject, fault)
	case set.SendingOptions.SendingEnabled != nil && !*set.SendingOptions.SendingEnabled:
		f.Verdict, f.Found, f.Do = Bad, "Sending is switched off for it.", "Switch it on in the SES console."
	}
	var d sesDestinations
	if _, fault := s.look(ctx, path+"/event-destinations", &d); fault != nil {
		return []Finding{f, unseen("reports", fault)}
	}
	return append([]Finding{f}, d.findings(s.settings.ReceiptTopic)...)
}

func (d *sesDestinations) findings(topics []string) []Finding {
	var told []string
	tracks := false
	for _, e := range d.EventDestinations {
		if !e.Enabled {
			continue
		}
		tracks = tracks || slices.Contains(e.MatchingEventTypes, "OPEN") || slices.Contains(e.MatchingEventTypes, "CLICK")
		if slices.Contains(topics, e.SnsDestination.TopicArn) {
			told = append(told, e.MatchingEventTypes...)
		}
	}
	var list []Finding
	if tracks {
		list = append(list, Finding{Subject: "tracking", Verdict: Doubtful, Found: "The configuration set counts opens or clicks, for which SES changes the mail.",
			Do: "Take Open and Click out of its event destinations."})
	}
	if len(topics) == 0 {
		return list
	}
	f := Finding{Subject: "reports", Verdict: Good, Found: "Deliveries and bounces are reported to a topic in receipt_topic."}
	if !slices.Contains(told, "DELIVERY") || !slices.Contains(told, "BOUNCE") {
		f.Verdict, f.Found = Doubtful, "The configuration set does not report deliveries and bounces to a topic in receipt_topic."
		f.Do = "Give it an event destination of the kind SNS with Delivery, Bounce, Complaint, Reject and DeliveryDelay."
	}
	return append(list, f)
}
