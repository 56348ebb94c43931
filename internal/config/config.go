// Package config holds every setting that is decided at deploy time: its default, its sentence of documentation, and
// where its value came from.
//
// A value is taken from the command line, else the environment, else the configuration file, else the default. What
// can change while otpost runs (providers, applications, keys) is not here.
package config

import (
	"log/slog"
	"net/mail"
	"net/netip"
	"net/url"
	"time"
)

// Config is the settings, checked. Every field is one setting: its tags are the name in the file (the environment
// variable and the flag derive from it), the default, the limits and the documentation.
type Config struct {
	Listen          string         `name:"listen" default:":8080" group:"Server" form:"address" placeholder:"HOST:PORT" doc:"Address the public listener binds: the API, the event receivers, the pages."`
	OpsListen       string         `name:"ops_listen" default:":9090" group:"Server" form:"address" placeholder:"HOST:PORT" doc:"Address the operations listener binds: metrics and health. Keep it away from the internet."`
	PublicURL       *url.URL       `name:"public_url" group:"Server" placeholder:"URL" doc:"URL people and identity platforms reach otpost at. https makes browsers insist on it (HSTS), and the host is part of the api:// audience that Entra's tokens may have."`
	TrustedProxies  []netip.Prefix `name:"trusted_proxies" group:"Server" placeholder:"CIDR,..." doc:"Networks whose X-Forwarded-For is believed. Empty means the address of the connection is the client's."`
	Only            Role           `name:"only" default:"all" enum:"all,web,worker" group:"Server" doc:"Which part this process plays: web answers requests, worker sends messages. Splitting needs PostgreSQL."`
	Production      bool           `name:"production" default:"false" group:"Server" doc:"Refuses what is only for development, such as the built-in inbox."`
	ShutdownTimeout time.Duration  `name:"shutdown_timeout" default:"20s" min:"1s" max:"10m" group:"Server" doc:"How long a stop may take to finish requests and sends before leases are handed back."`
	DefaultLanguage string         `name:"default_language" default:"en" group:"Server" form:"language" placeholder:"TAG" doc:"Language of a message when the request names none that is known (a BCP 47 tag)."`

	Database Database `name:"database" default:"sqlite:otpost.db" group:"Storage" secret:"true" placeholder:"URL" doc:"Where everything is kept: sqlite:PATH, or postgres://user:password@host/name."`
	Keys     string   `name:"keys" default:"otpost.keys" group:"Storage" placeholder:"PATH" doc:"File of the key ring that seals data at rest. It is created with mode 0600 at the first start; without it the database is unreadable, so back it up apart from the database."`

	LogLevel  slog.Level `name:"log_level" default:"info" group:"Logging" placeholder:"LEVEL" doc:"Least level that is logged: debug, info, warn or error."`
	LogFormat LogFormat  `name:"log_format" default:"text" enum:"text,json" group:"Logging" doc:"How a log line is written."`
	Pprof     bool       `name:"pprof" default:"false" group:"Logging" doc:"Serves Go's profiles under /debug/pprof/ on the operations listener."`

	MailURL  SecretURL    `name:"mail_url" group:"Mail" secret:"true" placeholder:"URL" doc:"Mail server of the provider named environment, such as smtp://user:password@mail.example.com:587?tls=starttls."`
	MailFrom mail.Address `name:"mail_from" group:"Mail" placeholder:"SENDER" doc:"Sender of the provider named environment: an address, or a name and an address as in Shop <code@example.com>."`

	WebhookURL          SecretURL `name:"webhook_url" group:"Mail" secret:"true" placeholder:"URL" doc:"Address that messages are posted to as signed webhooks: SMS, and email when there is no mail_url."`
	WebhookSecret       Secret    `name:"webhook_secret" group:"Mail" secret:"true" placeholder:"SECRET" doc:"Secret that webhooks are signed with, in the form whsec_BASE64 of Standard Webhooks; several are divided by spaces."`
	WebhookAllowPrivate bool      `name:"webhook_allow_private" default:"false" group:"Mail" doc:"Lets webhook_url lead to a private or loopback address."`

	Inbox InboxMode `name:"inbox" default:"off" enum:"off,on,force" group:"Mail" doc:"The built-in inbox, which shows every message and so every code to whoever reaches it. In production only force turns it on."`

	FunctionConnectionString Secret       `name:"mail_connectionString" app:"true" group:"Function" form:"azureconnection" secret:"true" placeholder:"STRING" doc:"Azure Communication Services that the provider named environment sends through: endpoint=https://...;accesskey=... as its page Keys shows it."`
	FunctionSendGridKey      Secret       `name:"mail_sendgridKey" app:"true" group:"Function" form:"sendgridkey" secret:"true" placeholder:"KEY" doc:"API key of SendGrid, which the provider named environment then sends through, in place of mail_connectionString."`
	FunctionSender           mail.Address `name:"mail_sender" app:"true" group:"Function" placeholder:"ADDRESS" doc:"Sender's address."`
	FunctionSenderName       string       `name:"mail_senderName" app:"true" group:"Function" form:"line" placeholder:"NAME" doc:"Sender's name with SendGrid; Azure keeps it with the sender's address."`
	FunctionSubject          string       `name:"mail_subject" app:"true" group:"Function" form:"line" placeholder:"TEXT" doc:"Subject of every mail that no template has. Empty means the one that otpost writes in the recipient's language."`
	FunctionTemplate         string       `name:"mail_template" app:"true" group:"Function" form:"sendgridtemplate" placeholder:"ID" doc:"SendGrid's dynamic template that is filled in place of otpost's own mail; it has the code as otp."`

	CodeAlphabet      string        `name:"code_alphabet" default:"0-9" group:"Codes" form:"alphabet" placeholder:"CLASS" doc:"Characters a code is drawn from, as the body of a regular-expression character class; at least 10 distinct ones."`
	CodeLength        int           `name:"code_length" default:"6" min:"4" max:"12" group:"Codes" doc:"Number of characters in a code."`
	CodeLifetime      time.Duration `name:"code_lifetime" default:"10m" min:"30s" max:"24h" group:"Codes" doc:"How long a code can be used."`
	CodeTries         int           `name:"code_tries" default:"5" min:"1" max:"20" group:"Codes" doc:"How many codes may be tried before the passcode locks."`
	Resends           int           `name:"resends" default:"3" min:"0" max:"20" group:"Codes" doc:"How many messages may follow the first one."`
	ResendInterval    time.Duration `name:"resend_interval" default:"30s" min:"0s" max:"1h" group:"Codes" doc:"Least time between two messages of one passcode."`
	FreshCodeOnResend bool          `name:"fresh_code_on_resend" default:"false" group:"Codes" doc:"Makes a resend draw a new code; otherwise the same code is sent again, so whichever message arrives works."`
	Lockout           time.Duration `name:"lockout" default:"5m" min:"0s" max:"24h" group:"Codes" doc:"How long an identifier gets no new code after too many wrong ones."`

	LimitIdentifier  Limits `name:"limit_identifier" default:"5/10m,25/24h" group:"Limits" doc:"Messages to one address or number. off lifts the limit, which is unsafe: one person can be flooded."`
	LimitAddress     Limits `name:"limit_address" default:"30/10m" group:"Limits" doc:"Messages asked for by one client address (IPv4 /32, IPv6 /64). off lifts the limit, which is unsafe: one client can flood many people."`
	LimitNetwork     Limits `name:"limit_network" default:"120/10m" group:"Limits" doc:"Messages asked for from one network (IPv4 /24, IPv6 /48). off lifts the limit, which is unsafe: one network can flood many people."`
	LimitApplication Limits `name:"limit_application" default:"20000/1h" group:"Limits" doc:"Messages of one application. off lifts the limit, which is unsafe: a stolen key can spend without end."`
	LimitGenerations Limits `name:"limit_generations" default:"20/10m,100/24h" group:"Limits" doc:"Codes that B2C policies generate for one identifier, over all journeys, beside each policy's own NumCodeGenerationAttempts."`
	LimitGuesses     Limits `name:"limit_guesses" default:"10/15m,50/24h" group:"Limits" doc:"Codes tried for one identifier, whatever was resent or started anew. off lifts the limit, which is unsafe: a patient guesser gets in."`

	OutboxWorkers   int           `name:"outbox_workers" default:"16" min:"1" max:"1024" group:"Delivery" doc:"How many messages one process sends at the same time."`
	OutboxCapacity  int           `name:"outbox_capacity" default:"4096" min:"1" max:"1000000" group:"Delivery" doc:"How many accepted messages may wait in this process for a worker; further ones wait in the database."`
	Lease           time.Duration `name:"lease" default:"30s" min:"1s" max:"10m" group:"Delivery" doc:"How long a process holds a message before another may take it up; must be longer than attempt_timeout."`
	AttemptTimeout  time.Duration `name:"attempt_timeout" default:"15s" min:"100ms" max:"5m" group:"Delivery" doc:"How long one try at one provider may take."`
	Retention       time.Duration `name:"retention" default:"24h" min:"1m" max:"8760h" group:"Delivery" doc:"How long an ended passcode and its deliveries are kept before they are forgotten."`
	SuppressBounced time.Duration `name:"suppress_bounced" default:"720h" min:"0s" max:"87600h" group:"Delivery" doc:"How long nothing is sent to a recipient after a provider reported that it does not exist or is blocked; 0 is not at all. Whoever called a message spam is not sent to until an operator allows it."`

	EntraTenantID        string        `name:"entra_tenant_id" group:"Entra" form:"guid" placeholder:"GUID" doc:"Directory (tenant) id whose events are accepted. Empty, with no entra_issuers, turns the receiver off."`
	EntraSubdomain       string        `name:"entra_subdomain" group:"Entra" form:"label" placeholder:"NAME" doc:"Subdomain of an external tenant, the first part of NAME.ciamlogin.com."`
	EntraAudience        []string      `name:"entra_audience" group:"Entra" placeholder:"ID,..." doc:"Who the event's token must be for: the receiver's application id, its api:// URI, or both."`
	EntraAuthorizedParty string        `name:"entra_authorized_party" default:"99045fe1-7639-4a75-9d4a-577b6ca3810f" group:"Entra" form:"guid" placeholder:"GUID" doc:"Application that must have asked for the token; the default is Microsoft's service for authentication extensions."`
	EntraIssuers         []Issuer      `name:"entra_issuers" group:"Entra" placeholder:"ISSUER=METADATA_URL,..." doc:"Further token issuers, each with the URL of its OpenID metadata, beside those of the tenant."`
	EntraBudget          time.Duration `name:"entra_budget" default:"800ms" min:"50ms" max:"10s" group:"Entra" doc:"How long an event may wait for the provider's answer. Entra itself gives up after 1000 ms unless told otherwise."`
	EntraUnknown         UnknownMode   `name:"entra_unknown" default:"accept" enum:"accept,refuse" group:"Entra" doc:"What Entra is told when the budget ends without an answer: accept goes on sending, refuse leaves it to Entra's fallback."`
	EntraCodeLifetime    time.Duration `name:"entra_code_lifetime" default:"30m" min:"30s" max:"24h" group:"Entra" doc:"How long a code made by Entra lives; it is said in the message and bounds the sending."`
	EntraFunctionKey     Secret        `name:"entra_function_key" group:"Entra" secret:"true" placeholder:"KEY" doc:"A second secret that the receiver's URL must carry as ?code=KEY. Empty asks for none."`
	EntraApplication     string        `name:"entra_application" group:"Entra" placeholder:"NAME" doc:"Application that Entra's messages count for. Empty means the one the event names."`

	B2CPolicies     string        `name:"b2c_policies" group:"B2C" placeholder:"PATH" doc:"Folder of Azure AD B2C custom policies (*.xml, at any depth) that can be called below /b2c/. Empty turns the door off."`
	B2CSettings     Pairs         `name:"b2c_settings" group:"B2C" placeholder:"NAME=VALUE,..." doc:"What stands for {Settings:NAME} in the policies. Secrets do not belong here: they are policy keys."`
	B2CKeys         string        `name:"b2c_keys" group:"B2C" placeholder:"PATH" doc:"Folder with the policy keys, one file each, named as the StorageReferenceId of a policy, such as B2C_1A_SendGridKey; others than the owner may not read them."`
	B2CState        B2CStateMode  `name:"b2c_state" default:"session" enum:"session,identifier" group:"B2C" doc:"What a code belongs to: session as in B2C, where a call without the token of the last one finds no code, or identifier for callers that cannot carry a token, where each identifier has one live code in a policy."`
	B2CIssuer       string        `name:"b2c_issuer" group:"B2C" form:"line" placeholder:"NAME" doc:"What {AuthenticatorIssuer} stands for, the name that authenticator apps show. Empty means the tenant of the policy."`
	B2CTOTPWindow   time.Duration `name:"b2c_totp_window" default:"30s" min:"30s" max:"5m" group:"B2C" doc:"How late the code of an authenticator app may come, in steps of 30 s. B2C itself takes codes for some minutes; every step makes a guess likelier to be right."`
	B2CAccounts     SecretURL     `name:"b2c_accounts" group:"B2C" secret:"true" placeholder:"URL" doc:"Service that is asked for the accounts that directory profiles read. Without one these profiles are refused."`
	B2CAccountsKey  Secret        `name:"b2c_accounts_key" group:"B2C" secret:"true" placeholder:"KEY" doc:"Bearer token that b2c_accounts is asked with."`
	B2CAllowPrivate bool          `name:"b2c_allow_private" default:"false" group:"B2C" doc:"Lets RESTful profiles call services at private and loopback addresses, and services over http."`
	B2CPage         bool          `name:"b2c_page" default:"false" group:"B2C" doc:"Shows the pages of the policies in a browser, to try them by hand. They ask for no key, and whoever reaches them can have messages sent, so production refuses it."`

	origins map[string]Origin
}

// Default is the settings when nobody sets any. It panics if a default in the tags is wrong, which a test rules out.
func Default() *Config {
	c := &Config{}
	for _, f := range c.fields() {
		if f.Default == "" {
			continue
		}
		if p := f.assign(f.Default, Origin{}); p != nil {
			panic(p.Error())
		}
	}
	return c
}

// Origin says where the value of the named setting came from.
func (c *Config) Origin(name string) Origin { return c.origins[name] }

// EntraEnabled reports whether the event receiver has anybody to listen to.
func (c *Config) EntraEnabled() bool { return c.EntraTenantID != "" || len(c.EntraIssuers) > 0 }
