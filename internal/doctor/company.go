package doctor

import "strings"

// company is how the mail of one company proves whose it is, as far as that can be known without asking it.
type company struct {
	name string
	// includes are the SPF records by which a domain permits it; one of them is enough.
	includes []string
	// bounce is the domain that bounces go to, below which SPF is looked up: "" for one of the company's own, "@" for the
	// sender's, "send.@" for one below the sender's.
	bounce string
	// selectors are those of its DKIM keys; none when each account has its own.
	selectors []string
	// chosen tells that an account may choose other selectors.
	chosen bool
	// own are domains of the company itself that a trial may send from.
	own []string
}

// companies by kind. mte1 and mte2 are Mandrill's release note "New sending domain authentication requirements", send and
// resend Resend's "MX record" page, the includes and selectors of Azure what its portal shows. The others are those in
// common use, which a company may change: so a key or an include that is not found is doubtful by itself, never bad.
var companies = map[string]company{
	"azure_communication_email": {name: "Azure", includes: []string{"spf.protection.outlook.com"}, bounce: "@",
		selectors: []string{"selector1-azurecomm-prod-net", "selector2-azurecomm-prod-net"}, own: []string{"azurecomm.net"}},
	"microsoft365": {name: "Microsoft 365", includes: []string{"spf.protection.outlook.com"}, bounce: "@",
		selectors: []string{"selector1", "selector2"}, own: []string{"onmicrosoft.com"}},
	"sendgrid":  {name: "SendGrid", includes: []string{"sendgrid.net"}, selectors: []string{"s1", "s2"}, chosen: true, own: []string{"sendgrid.net"}},
	"mailjet":   {name: "Mailjet", includes: []string{"spf.mailjet.com"}, selectors: []string{"mailjet"}},
	"mandrill":  {name: "Mandrill", includes: []string{"spf.mandrillapp.com"}, selectors: []string{"mte1", "mte2", "mandrill"}},
	"resend":    {name: "Resend", includes: []string{"amazonses.com"}, bounce: "send.@", selectors: []string{"resend"}, own: []string{"resend.dev"}},
	"brevo":     {name: "Brevo", includes: []string{"spf.brevo.com", "spf.sendinblue.com"}, selectors: []string{"brevo1", "brevo2", "mail"}, own: []string{"brevosend.com"}},
	"mailgun":   {name: "Mailgun", includes: []string{"mailgun.org"}, bounce: "domain", own: []string{"mailgun.org"}},
	"ses":       {name: "Amazon SES", includes: []string{"amazonses.com"}},
	"postmark":  {name: "Postmark", includes: []string{"spf.mtasv.net"}},
	"sparkpost": {name: "SparkPost", includes: []string{"sparkpostmail.com", "_netblocks.sparkpostmail.com"}},
	"google":    {name: "Google", includes: []string{"_spf.google.com"}, bounce: "@", selectors: []string{"google"}, chosen: true},
}

// mailHosts are the submission servers of companies, by the end of their names.
var mailHosts = map[string]string{
	"smtp.office365.com": "microsoft365", "smtp.azurecomm.net": "azure_communication_email", "smtp.sendgrid.net": "sendgrid", "mailjet.com": "mailjet",
	"smtp.mandrillapp.com": "mandrill", "smtp.resend.com": "resend", "smtp-relay.brevo.com": "brevo", "smtp-relay.sendinblue.com": "brevo",
	"mailgun.org": "mailgun", "amazonaws.com": "ses", "smtp.postmarkapp.com": "postmark", "sparkpostmail.com": "sparkpost",
	"smtp.gmail.com": "google", "smtp-relay.gmail.com": "google",
}

// companyOf finds who carries a provider's mail. known is false for a mail server or a webhook of somebody's own.
func companyOf(p *Provider) (c company, known bool) {
	if c, known = companies[p.Kind.Name]; known {
		return c, true
	}
	host := strings.ToLower(p.Settings["host"])
	for end, kind := range mailHosts {
		if within(host, end) {
			return companies[kind], true
		}
	}
	return company{}, false
}

// within reports whether a domain is parent or lies below it.
func within(domain, parent string) bool {
	return domain == parent || strings.HasSuffix(domain, "."+parent)
}

// bounceOf is the domain that SPF is looked up at, empty when it is not known here.
func (c *company) bounceOf(p *Provider, domain string) string {
	if p.Kind.Name == "smtp" && c.bounce != "send.@" {
		if from := domainOf(p.Settings["envelope_sender"]); from != "" {
			return from
		}
	}
	switch c.bounce {
	case "domain":
		return strings.ToLower(p.Settings["domain"])
	case "":
		return ""
	}
	return strings.Replace(c.bounce, "@", domain, 1)
}
