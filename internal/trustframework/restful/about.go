package restful

import (
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// About says what a RESTful profile is.
func (c *Client) About(t *trustframework.TechnicalProfile) execute.About {
	kind := "REST call"
	if item, there := t.Metadata.Get("ServiceUrl"); there {
		if target, err := parseTarget(strings.TrimSpace(item.Value)); err == nil {
			kind += " to " + target.host
		}
	}
	return execute.About{
		Kind:   kind,
		B2C:    "Sends the input claims to the service and takes the output claims, or a text for the person, from its answer.",
		Otpost: "Does the same, over https and to public addresses unless the server allows others.",
		Entra:  "Has no such step: a service that delivers codes becomes the receiver of the event OnOtpSend, one that checks or adds claims a custom authentication extension.",
		Differs: []string{
			"The default texts of failures do not tell the URL of the service; a policy's own text has the host's name where B2C puts the URL in.",
			"A call is made once and waits at most for as long as the server is set to, 10 seconds otherwise; how long B2C waits and whether it tries again is not documented.",
			"Redirects are not followed, a proxy is not used, and of an answer 64 KiB are read.",
			"UserMessageIfCircuitOpen is told when no connection can be made; there is no circuit breaker.",
			"A claim that is the bearer token is sent as that and nowhere else.",
			"The certificate for ClientCertificate is given with its key as PEM text, not as PKCS #12.",
		},
	}
}
