package extension

import (
	"bytes"
	"encoding/json"
	"log/slog"
)

// Event is one OnOtpSend event: please send this code to this person. It holds a live code; printing or logging an
// Event shows neither the code nor the address.
type Event struct {
	// Source is "/tenants/{tenant}/applications/{client app id}".
	Source string
	// TenantID, ListenerID and ExtensionID are GUIDs.
	TenantID    string
	ListenerID  string
	ExtensionID string
	// Identifier is the recipient's email address, Code the passcode: eight digits in every published example.
	Identifier string
	Code       string
	// CorrelationID is a GUID, the same for Entra's own retry of the event.
	CorrelationID string
	Client        Client
	// Protocol is "OAUTH2.0" in every published example.
	Protocol string
	// RequestType is "signUp", "signIn" or "passwordReset" in some casing. Native authentication always says "signIn".
	RequestType string
	// Application is the app the person is signing in to, Resource the one it asks a token for.
	Application ServicePrincipal
	Resource    ServicePrincipal
}

// Client is the end user's side.
type Client struct {
	// IP is an IPv4 or IPv6 address.
	IP string
	// Locale and Market look like "en-us".
	Locale string
	Market string
}

// ServicePrincipal is an application in the tenant. The zero value stands for an absent or null one.
type ServicePrincipal struct {
	ID             string `json:"id"`
	AppID          string `json:"appId"`
	AppDisplayName string `json:"appDisplayName"`
	DisplayName    string `json:"displayName"`
}

// Name is the display name, or the app display name when there is no other.
func (p ServicePrincipal) Name() string {
	if p.DisplayName != "" {
		return p.DisplayName
	}
	return p.AppDisplayName
}

// String identifies the event without telling the code or the address.
func (e Event) String() string {
	return "otp-send event of tenant " + e.TenantID + ", correlation " + e.CorrelationID
}

// GoString is String, so that %#v tells no more.
func (e Event) GoString() string { return e.String() }

// LogValue is the event as a log may show it.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(slog.String("tenant", e.TenantID), slog.String("correlation_id", e.CorrelationID),
		slog.String("application", e.Application.AppID), slog.String("request_type", e.RequestType))
}

// Casing says how the code's member is written. The reference page writes oneTimeCode; the published sample functions
// read onetimecode and care about case.
type Casing int

// The casings.
const (
	// OneTimeCode writes the documented member.
	OneTimeCode Casing = iota
	// BothCasings writes both, for receivers built on the samples.
	BothCasings
	// LowerCase writes only the samples' member.
	LowerCase
)

// The event as it travels, members in the order of the reference page.
type (
	wireEvent struct {
		Type   string   `json:"type"`
		Source string   `json:"source"`
		Data   wireData `json:"data"`
	}
	wireData struct {
		Type        string      `json:"@odata.type"`
		OTP         wireOTP     `json:"otpContext"`
		TenantID    string      `json:"tenantId"`
		ListenerID  string      `json:"authenticationEventListenerId"`
		ExtensionID string      `json:"customAuthenticationExtensionId"`
		Context     wireContext `json:"authenticationContext"`
	}
	wireOTP struct {
		Identifier string `json:"identifier"`
		Code       string `json:"oneTimeCode,omitempty"`
		LowerCode  string `json:"onetimecode,omitempty"`
	}
	wireContext struct {
		CorrelationID string            `json:"correlationId"`
		Client        wireClient        `json:"client"`
		Protocol      string            `json:"protocol"`
		RequestType   string            `json:"requestType"`
		Application   *ServicePrincipal `json:"clientServicePrincipal"`
		Resource      *ServicePrincipal `json:"resourceServicePrincipal"`
	}
	wireClient struct {
		IP     string `json:"ip"`
		Locale string `json:"locale"`
		Market string `json:"market"`
	}
)

// Encode writes the event as Entra does (custom-extension-email-otp-send-data): a zero service principal is null.
func (e Event) Encode(casing Casing) []byte {
	otp := wireOTP{Identifier: e.Identifier}
	if casing != LowerCase {
		otp.Code = e.Code
	}
	if casing != OneTimeCode {
		otp.LowerCode = e.Code
	}
	w := wireEvent{Type: EventType, Source: e.Source, Data: wireData{
		Type: CalloutType, OTP: otp,
		TenantID: e.TenantID, ListenerID: e.ListenerID, ExtensionID: e.ExtensionID,
		Context: wireContext{CorrelationID: e.CorrelationID, Client: wireClient(e.Client), Protocol: e.Protocol,
			RequestType: e.RequestType, Application: orNull(e.Application), Resource: orNull(e.Resource)},
	}}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(w); err != nil {
		panic(err) // structs of strings always encode
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func orNull(p ServicePrincipal) *ServicePrincipal {
	if p == (ServicePrincipal{}) {
		return nil
	}
	return &p
}
