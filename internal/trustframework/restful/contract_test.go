package restful_test

import "github.com/otpost/otpost/internal/provider/published"

var (
	sendgridContract = published.Operation{File: "sendgrid_tsg_mail_v3.json", Path: "/v3/mail/send"}
	brevoContract    = published.Operation{File: "brevo_smtp_email_trim.json", Path: "/smtp/email", Prefix: "/v3"}
	twilioContract   = published.Operation{File: "twilio_messages_trim.json", Path: "/2010-04-01/Accounts/{AccountSid}/Messages.json"}
)
