package provider

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// entraHints say what to do about the errors of Entra that a mistake in an application's settings leads to
// (learn.microsoft.com, "Microsoft Entra authentication and authorization error codes").
var entraHints = map[string]string{
	"AADSTS53003":   "a conditional access policy of the tenant blocks the application; except it, or allow this machine's address",
	"AADSTS500011":  "the tenant does not know the service that is asked for; check endpoint and authority, which belong to one cloud",
	"AADSTS65001":   "nobody has consented to the application's permissions; an administrator of the tenant must",
	"AADSTS700016":  "the tenant has no such application; check client_id and tenant_id",
	"AADSTS700024":  "the assertion's time is wrong; set the clock of this machine",
	"AADSTS700027":  "the application does not know the certificate; upload its public part to the application",
	"AADSTS700030":  "the certificate is not one that Entra accepts; upload its public part to the application",
	"AADSTS7000112": "the application is disabled in the tenant; enable it",
	"AADSTS7000215": "the client secret is wrong; set the secret's value, not its id",
	"AADSTS7000222": "the client secret has expired; make a new one and set its value",
	"AADSTS7000229": "the application has no service principal in the tenant; an administrator must add it",
	"AADSTS90002":   "there is no such tenant; check tenant_id, and authority for national clouds",
	"AADSTS900023":  "tenant_id is neither a tenant's id nor a domain",
	"AADSTS900382":  "the tenant is in another cloud; check authority",
	"AADSTS900432":  "the tenant is in another cloud; check authority",
	"AADSTS1002012": "the scope is wrong; check endpoint",
}

// entraBusy are errors that pass.
var entraBusy = map[string]bool{"AADSTS50196": true, "AADSTS90006": true, "AADSTS90033": true}

// understand reads Entra's errors: error_description begins with AADSTS and a number, and goes on over several lines that
// name the request. All that is not of the moment is the account's.
func (e *entraTokens) understand(r reply, fault *outbox.Fault) *outbox.Fault {
	if fault.Class == outbox.Ambiguous {
		fault.Class = outbox.Transient
	}
	if r.Status == 0 || r.Status == http.StatusTooManyRequests || r.Status >= 500 {
		return fault
	}
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(r.Body, &said) // what cannot be read says nothing
	code, text, _ := strings.Cut(said.Description, ":")
	if !strings.HasPrefix(code, "AADSTS") || len(code) > 20 {
		code, text = said.Error, said.Description
	}
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	class := outbox.Account
	if entraBusy[code] || said.Error == "temporarily_unavailable" {
		class = outbox.Transient
	}
	if hint := entraHints[code]; hint != "" {
		text = hint
	}
	if text == "" {
		text = "Microsoft Entra gives no token; check authority, tenant_id and the application's credentials"
	}
	return e.vendor.explain(fault, class, code, text, &outbox.Message{})
}
