package provider

import (
	"context"
	"errors"
	"net/textproto"

	"github.com/otpost/otpost/internal/outbox"
)

// smtpOAuth lets the xoauth2 login get its own access tokens, as an application of Microsoft Entra ID with the permission
// SMTP.SendAsApp that Exchange knows as a service principal of the mailbox (learn.microsoft.com, "Authenticate an IMAP, POP
// or SMTP connection using OAuth").
type smtpOAuth struct {
	Tenant       string `name:"oauth_tenant" help:"Microsoft Entra tenant, its id or a domain, for xoauth2 with tokens that otpost gets itself instead of password."`
	ClientID     string `name:"oauth_client_id" help:"Application (client) id of the application that has the permission SMTP.SendAsApp."`
	ClientSecret string `name:"oauth_client_secret" secret:"true" help:"Value of a client secret of the application."`
	Authority    string `name:"oauth_authority" place:"true" default:"https://login.microsoftonline.com" help:"Where Microsoft Entra gives tokens; another one in national clouds."`
	Scope        string `name:"oauth_scope" default:"https://outlook.office365.com/.default" help:"What the tokens are for; another one in national clouds."`
}

// openSMTPTokens makes the source of tokens, nil when the settings name none.
func openSMTPTokens(s smtpSettings, env Environment) (*entraTokens, error) {
	switch {
	case s.Tenant == "" && s.ClientID == "" && s.ClientSecret == "":
		return nil, nil
	case s.Auth != "xoauth2":
		return nil, errors.New("provider smtp: setting auth: want xoauth2 with oauth_tenant, oauth_client_id and oauth_client_secret")
	case s.Password != "":
		return nil, errors.New("provider smtp: setting password and oauth_client_secret are both set; take one of them away")
	}
	app := entraApp{tenant: s.Tenant, client: s.ClientID, secret: s.ClientSecret, authority: s.Authority, scope: s.Scope,
		names: entraNames{"oauth_tenant", "oauth_client_id", "oauth_client_secret", "oauth_authority"}}
	// root_ca is for the mail server alone.
	c := connection{Timeout: s.ConnectTimeout, AllowHTTP: s.Insecure, AllowPrivate: true}
	return newEntraTokens("smtp", app, c, env)
}

// secret is what the login proves itself with: the password, or a token that is good now.
func (d *smtpDialer) secret(ctx context.Context) (string, error) {
	if d.tokens == nil {
		return d.password, nil
	}
	token, fault := d.tokens.get(ctx)
	if fault != nil {
		return "", &stepError{"token", fault}
	}
	return token, nil
}

// refusedToken forgets a token that the server refused, so that the next connection brings another, and takes it out of
// what the server said.
func (d *smtpDialer) refusedToken(token string, err error) error {
	if refusal := (*textproto.Error)(nil); d.tokens != nil && errors.As(err, &refusal) {
		d.tokens.drop(token)
		text := refusal.Msg
		for _, w := range privateWords(d.username, token) {
			text = replaceFold(text, w)
		}
		return &textproto.Error{Code: refusal.Code, Msg: text}
	}
	return err
}

// tokenFault is the fault of a connection that was not made for want of a token, nil for any other.
func tokenFault(err error) *outbox.Fault {
	var f *outbox.Fault
	if !errors.As(err, &f) {
		return nil
	}
	own := *f
	own.Detail = "token: " + f.Detail
	return &own
}
