package extension

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// receivePayload is the Graph application permission CustomAuthenticationExtension.Receive.Payload, and graphApp is
// Microsoft Graph itself (custom-extension-email-otp-get-started, step 3).
const (
	receivePayload = "214e810f-fda8-4fd7-a475-29461495eb00"
	graphApp       = "00000003-0000-0000-c000-000000000000"
	graphURL       = "https://graph.microsoft.com"
)

// Registration is what a tenant is told of a receiver.
type Registration struct {
	// Target is the receiver's URL.
	Target *url.URL
	// Name is what the extension and its app registration are called.
	Name string
	// AppID is the app registration that stands for the receiver. Empty makes one.
	AppID string
	// Applications are the app ids whose codes are sent. None are all.
	Applications []string
	// Timeout is 200 ms to 2 s, Retries 0 or 1 (Microsoft Graph, customExtensionClientConfiguration).
	Timeout time.Duration
	Retries int
	// Fallback has Microsoft send the code when the receiver does not.
	Fallback bool
}

// GraphCall is one call of Microsoft Graph. $NAME in URL and Body stands for what an earlier call answered.
type GraphCall struct {
	// About is one sentence on what it is for.
	About  string          `json:"about"`
	Method string          `json:"method"`
	URL    string          `json:"url"`
	Body   json.RawMessage `json:"body,omitempty"`
	// Keep are names for members of the answer that later calls need.
	Keep []Kept `json:"keep,omitempty"`
}

// Kept is a member of an answer under a name.
type Kept struct {
	Name   string `json:"name"`
	Member string `json:"member"`
}

// Calls are the calls that register the receiver, in their order.
func (r Registration) Calls() ([]GraphCall, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	app := r.AppID
	var calls []GraphCall
	if app == "" {
		app = "$APP_ID"
		calls = r.application()
	}
	return append(calls, r.extension(app)...), nil
}

func (r Registration) check() error {
	switch {
	case r.Target == nil || r.Target.Scheme != "https" || r.Target.Hostname() == "":
		return errors.New("the receiver's URL must be https://HOST/…: Entra calls nothing else (error 1003020)")
	case r.Timeout < 200*time.Millisecond || r.Timeout > 2*time.Second:
		return fmt.Errorf("the timeout %v is outside 200ms to 2s", r.Timeout)
	case r.Retries < 0 || r.Retries > 1:
		return fmt.Errorf("%d retries are neither 0 nor 1", r.Retries)
	}
	return nil
}

// resource is the identifier URI, which must have the host of the target (errors 1003014 and 1003015).
func (r Registration) resource(app string) string { return "api://" + r.Target.Hostname() + "/" + app }

type members = map[string]any

// application registers what stands for the receiver, and consents to its being called.
func (r Registration) application() []GraphCall {
	return []GraphCall{
		call("An app registration that stands for the receiver.", "POST", "/v1.0/applications", members{"displayName": r.Name},
			Kept{"APP_OBJECT", "id"}, Kept{"APP_ID", "appId"}),
		call("Its service principal in the tenant.", "POST", "/v1.0/servicePrincipals", members{"appId": "$APP_ID"}, Kept{"APP_PRINCIPAL", "id"}),
		call("Its identifier URI with the receiver's host, tokens of version 2, and the permission to receive events.", "PATCH", "/v1.0/applications/$APP_OBJECT", members{
			"identifierUris": []string{r.resource("$APP_ID")},
			"api": members{"requestedAccessTokenVersion": 2, "acceptMappedClaims": nil, "knownClientApplications": []string{},
				"oauth2PermissionScopes": []string{}, "preAuthorizedApplications": []string{}},
			"requiredResourceAccess": []members{{"resourceAppId": graphApp, "resourceAccess": []members{{"id": receivePayload, "type": "Role"}}}},
		}),
		call("Microsoft Graph's own service principal, for the consent.", "GET", "/v1.0/servicePrincipals(appId='"+graphApp+"')", nil, Kept{"GRAPH_PRINCIPAL", "id"}),
		call("Admin consent to the permission, as the portal's button gives it.", "POST", "/v1.0/servicePrincipals/$APP_PRINCIPAL/appRoleAssignments",
			members{"principalId": "$APP_PRINCIPAL", "resourceId": "$GRAPH_PRINCIPAL", "appRoleId": receivePayload}),
	}
}

// extension makes the extension and the listener that ties it to applications.
func (r Registration) extension(app string) []GraphCall {
	included := []members{}
	for _, id := range r.Applications {
		included = append(included, members{"appId": id})
	}
	calls := []GraphCall{
		call("The custom authentication extension: where the receiver is, and how long Entra waits.", "POST", "/v1.0/identity/customAuthenticationExtensions", members{
			"@odata.type":                 "#microsoft.graph.onOtpSendCustomExtension",
			"displayName":                 r.Name,
			"description":                 "Sends one-time passcodes",
			"endpointConfiguration":       members{"@odata.type": "#microsoft.graph.httpRequestEndpoint", "targetUrl": r.Target.String()},
			"authenticationConfiguration": members{"@odata.type": "#microsoft.graph.azureAdTokenAuthentication", "resourceId": r.resource(app)},
			"clientConfiguration":         members{"timeoutInMilliseconds": r.Timeout.Milliseconds(), "maximumRetries": r.Retries},
		}, Kept{"EXTENSION_ID", "id"}),
		call("What Entra finds wrong with it: errors and warnings must be empty.", "POST", "/v1.0/identity/customAuthenticationExtensions/$EXTENSION_ID/validateAuthenticationConfiguration", nil),
		call("The event listener: the applications whose codes the receiver sends.", "POST", "/beta/identity/authenticationEventListeners", members{
			"@odata.type": "#microsoft.graph.onEmailOtpSendListener",
			"priority":    500,
			"conditions":  members{"applications": members{"includeAllApplications": len(included) == 0, "includeApplications": included}},
			"handler":     members{"@odata.type": "#microsoft.graph.onOtpSendCustomExtensionHandler", "customExtension": members{"id": "$EXTENSION_ID"}},
		}, Kept{"LISTENER_ID", "id"}),
	}
	if r.Fallback {
		calls = append(calls, call("Microsoft's own mail when the receiver fails; without it no code is sent and the sign-in fails.", "PATCH", "/beta/identity/authenticationEventListeners/$LISTENER_ID", members{
			"@odata.type": "#microsoft.graph.onEmailOtpSendListener",
			"handler": members{"@odata.type": "#microsoft.graph.onOtpSendCustomExtensionHandler",
				"configuration": members{"behaviorOnError": members{"@odata.type": "#microsoft.graph.fallbackToMicrosoftProviderOnError"}}},
		}))
	}
	return calls
}

func call(about, method, path string, body members, keep ...Kept) GraphCall {
	made := GraphCall{About: about, Method: method, URL: graphURL + path, Keep: keep}
	if body != nil {
		var text strings.Builder
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(body); err != nil {
			panic(err) // texts, numbers and lists of them always marshal
		}
		made.Body = json.RawMessage(strings.TrimSpace(text.String()))
	}
	return made
}
