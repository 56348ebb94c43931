package main

import (
	"net/mail"

	"github.com/otpost/otpost/internal/config"
)

// functionProvider is what the settings of one of Microsoft's sample Functions mean: the same account, the same sender,
// the same template (microsoft/authentication-events-function, Functions/OnOtpSend/CustomEmailACS.cs and
// CustomEmailSendGrid.cs).
func functionProvider(c *config.Config) (kind string, values map[string]string) {
	if connection := c.FunctionConnectionString.Reveal(); connection != "" {
		return "azure_communication_email", map[string]string{"connection_string": connection, "from": c.FunctionSender.Address}
	}
	from := mail.Address{Name: c.FunctionSender.Name, Address: c.FunctionSender.Address}
	if c.FunctionSenderName != "" {
		from.Name = c.FunctionSenderName
	}
	values = map[string]string{"api_key": c.FunctionSendGridKey.Reveal(), "from": from.Address}
	if from.Name != "" {
		values["from"] = from.String()
	}
	if c.FunctionTemplate != "" {
		values["template_id"] = c.FunctionTemplate
	}
	return "sendgrid", values
}
