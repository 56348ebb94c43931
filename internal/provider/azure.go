package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/otpost/otpost/internal/outbox"
)

// azureAccess is how a resource of Azure Communication Services is reached: with the key in its connection string, or as
// an application of Microsoft Entra ID that has a role in the resource.
type azureAccess struct {
	ConnectionString string `name:"connection_string" secret:"true" help:"Connection string of the resource, endpoint=https://...;accesskey=..., from its page Keys; not with tenant_id."`
	Endpoint         string `name:"endpoint" help:"Address of the resource, https://NAME.communication.azure.com; replaces the one in connection_string."`
	TenantID         string `name:"tenant_id" help:"Microsoft Entra tenant, its id or a domain; with client_id, client_secret and endpoint, instead of connection_string."`
	ClientID         string `name:"client_id" help:"Application (client) id of the application that has a role in the resource."`
	ClientSecret     string `name:"client_secret" secret:"true" help:"Value of a client secret of the application."`
	Authority        string `name:"authority" place:"true" default:"https://login.microsoftonline.com" help:"Where Microsoft Entra gives tokens; another one in national clouds."`
}

// azureScope is what a token for the data plane is asked for. The doubled slash is in Microsoft's own client
// (@azure/communication-email 1.1.0): the audience it names ends in one.
const azureScope = "https://communication.azure.com//.default"

// azureVendor is a vendor that signs its requests with an access key, or brings a token.
type azureVendor struct {
	*vendor
	key    []byte
	tokens *entraTokens // nil when there is a key
}

// openAzure refuses settings that are neither of the two shapes, or both.
func openAzure(kind string, s azureAccess, c connection, env Environment) (*azureVendor, error) {
	entra := s.TenantID != "" || s.ClientID != "" || s.ClientSecret != ""
	switch {
	case s.ConnectionString == "" && !entra:
		return nil, fmt.Errorf("provider %s: setting connection_string is missing; or set endpoint, tenant_id, client_id and client_secret", kind)
	case s.ConnectionString != "" && entra:
		return nil, fmt.Errorf("provider %s: setting connection_string and an application of Entra are both set; take one of them away", kind)
	case entra && s.Endpoint == "":
		return nil, fmt.Errorf("provider %s: setting endpoint is missing: an application of Entra does not say which resource is meant", kind)
	}
	endpoint, key, secret := s.Endpoint, []byte(nil), s.ClientSecret
	if !entra {
		parsed, err := parseConnectionString(s.ConnectionString)
		if err != nil {
			return nil, fmt.Errorf("provider %s: setting connection_string: %w", kind, err)
		}
		if endpoint == "" {
			endpoint = parsed.endpoint
		}
		key, secret = parsed.key, parsed.accessKey
	}
	v, err := newVendor(kind, endpoint, c, env, secret)
	if err != nil {
		return nil, err
	}
	a := &azureVendor{vendor: v, key: key}
	if entra {
		app := entraApp{tenant: s.TenantID, client: s.ClientID, secret: s.ClientSecret, authority: s.Authority, scope: azureScope}
		if a.tokens, err = newEntraTokens(kind, app, c, env); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// connectionString is a connection string read.
type connectionString struct {
	endpoint  string
	accessKey string
	key       []byte // the accessKey decoded
}

// parseConnectionString reads endpoint=https://...;accesskey=BASE64. Names may be in any case, and the first may be left
// out, as in Microsoft's table of the settings of its sample Function.
func parseConnectionString(text string) (connectionString, error) {
	var c connectionString
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		name, value, _ := strings.Cut(part, "=")
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case part == "":
		case name == "endpoint":
			c.endpoint = strings.TrimSpace(value)
		case name == "accesskey":
			c.accessKey = strings.TrimSpace(value)
		case strings.HasPrefix(strings.ToLower(part), "https://") && c.endpoint == "":
			c.endpoint = part
		default: // not quoted: it may be a key
			return connectionString{}, errors.New("want endpoint=https://...;accesskey=..., as the resource's page Keys shows it")
		}
	}
	if c.endpoint == "" {
		return connectionString{}, errors.New("endpoint=https://... is missing; copy the whole connection string, not the key alone")
	}
	if c.accessKey == "" {
		return connectionString{}, errors.New("accesskey=... is missing; copy the whole connection string, not the endpoint alone")
	}
	var err error
	if c.key, err = base64.StdEncoding.DecodeString(c.accessKey); err != nil {
		return connectionString{}, errors.New("the accesskey is not base64; copy the connection string anew")
	}
	return c, nil
}

// send makes a call that Azure believes.
func (a *azureVendor) send(ctx context.Context, c call) (reply, *outbox.Fault) {
	if a.tokens != nil {
		return a.tokens.do(ctx, a.vendor, c)
	}
	if err := a.sign(&c); err != nil {
		return reply{}, outbox.Faultf(outbox.Account, "", "the URL cannot be used")
	}
	return a.do(ctx, c)
}

// sendJSON posts value, or gets when it is nil.
func (a *azureVendor) sendJSON(ctx context.Context, path string, header http.Header, value any) (reply, *outbox.Fault) {
	if value == nil {
		return a.send(ctx, call{Method: http.MethodGet, Path: path, Header: header})
	}
	body, err := json.Marshal(value)
	if err != nil {
		return reply{}, outbox.Faultf(outbox.RejectedContent, "", "the message cannot be written as JSON")
	}
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	return a.send(ctx, call{Path: path, Header: header, Body: body})
}

// sign adds the headers of Azure's HMAC scheme (learn.microsoft.com, Communication Services, "Sign an HTTP request"): the
// method, the path and query as they are sent, the date, the host and the hash of the body are signed.
func (a *azureVendor) sign(c *call) error {
	u, err := url.Parse(a.base + c.Path)
	if err != nil {
		return err
	}
	if c.Method == "" {
		c.Method = http.MethodPost
	}
	if c.Header == nil {
		c.Header = http.Header{}
	}
	sum := sha256.Sum256(c.Body)
	hash := base64.StdEncoding.EncodeToString(sum[:])
	date := a.now().UTC().Format(http.TimeFormat)
	mac := hmac.New(sha256.New, a.key)
	fmt.Fprintf(mac, "%s\n%s\n%s;%s;%s", c.Method, u.RequestURI(), date, u.Host, hash)
	c.Header.Set("x-ms-date", date)
	c.Header.Set("x-ms-content-sha256", hash)
	c.Header.Set("Authorization", "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="+
		base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}

// azureError is an error as all of Azure writes it.
type azureError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// readAzureError reads the error in an answer; the header repeats its code.
func readAzureError(r reply) azureError {
	var e struct {
		Error azureError `json:"error"`
	}
	_ = json.Unmarshal(r.Body, &e) // what cannot be read says nothing
	if e.Error.Code == "" {
		e.Error.Code = r.Header.Get("x-ms-error-code")
	}
	return e.Error
}

// operationID is the UUID that stands for a delivery wherever Azure wants one: the same for every try of the same delivery
// (RFC 9562 §5.5).
func operationID(delivery string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("otpost:delivery:"+delivery)).String()
}

// checkAccess finds out from any answer of the resource whether it knows us. tried is what was asked for.
func (a *azureVendor) checkAccess(r reply, fault *outbox.Fault) Finding {
	f := Finding{Subject: "credentials"}
	switch {
	case fault != nil && r.Status == 0:
		f.Verdict, f.Found, f.Do = Bad, fault.Error(), "Check endpoint, and that this machine may connect to it."
		if fault.Class == outbox.Account {
			f.Do = "Check the settings of the provider."
		}
	case r.Status == http.StatusUnauthorized && a.tokens == nil && a.clockOff(r):
		f.Verdict, f.Found = Bad, "the resource refuses the signature, and this machine's clock is minutes away from Azure's"
		f.Do = "Set the clock of this machine; the signature covers the time."
	case r.Status == http.StatusUnauthorized && a.tokens == nil:
		f.Verdict, f.Found = Bad, "the resource refuses the access key"
		f.Do = "Copy the connection string anew from the resource's page Keys; a key that was regenerated is void."
	case r.Status == http.StatusUnauthorized, r.Status == http.StatusForbidden:
		f.Verdict, f.Found = Bad, "the resource does not let us in"
		f.Do = "Give the application a role in the resource, such as Communication and Email Service Owner."
	case r.Status == http.StatusTooManyRequests, r.Status >= 500:
		f.Verdict, f.Found, f.Do = Doubtful, "the resource is busy: "+fault.Error(), "Check again later."
	default:
		f.Verdict, f.Found = Good, "the resource accepts them"
	}
	return f
}

// clockOff reports whether the server's clock and ours differ by more than a request may be old. How much Azure allows is
// not written down; five minutes is less than any scheme of its own allows.
func (a *azureVendor) clockOff(r reply) bool {
	at, err := http.ParseTime(r.Header.Get("Date"))
	return err == nil && at.Sub(a.now()).Abs().Seconds() > maxReportAge
}
