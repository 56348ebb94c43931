package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	_ "embed" // the example of a policy
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/extension/emulate"
)

// The demo's Entra tenant and application are made up; its tokens open nothing else.
const (
	demoTenant   = "00000000-0000-4000-8000-00000000de30"
	demoAudience = "00000000-0000-4000-8000-00000000de31"
	demoTokens   = 24 * time.Hour
)

// demoResult is what to click and what to type.
type demoResult struct {
	PublicURL   string `json:"public_url"`
	ConsoleURL  string `json:"console_url"`
	InboxURL    string `json:"inbox_url"`
	EntraURL    string `json:"entra_url"`
	APIKey      string `json:"api_key"`
	EntraToken  string `json:"entra_token"`
	PoliciesURL string `json:"policies_url"`

	farewell string // what becomes of the data
}

// WriteText shows a newcomer the way.
func (d demoResult) WriteText(w io.Writer) {
	fmt.Fprintf(w, `otpost runs at %[1]s, with a database of its own and an inbox that shows every message.

  1. Open the inbox:    %[2]s

  2. Send a passcode, in another terminal:

     curl -s %[1]s/v1/passcodes \
       -H 'Authorization: Bearer %[4]s' \
       -H 'Content-Type: application/json' -d '{"to":"lea@example.org"}'

  3. Read it in the inbox and verify it, with the id that step 2 answered:

     curl -s %[1]s/v1/passcodes/ID/verify \
       -H 'Authorization: Bearer %[4]s' \
       -H 'Content-Type: application/json' -d '{"code":"CODE"}'

  Or be Microsoft Entra External ID, whose event becomes a mail:

     otpost emulate entra --target %[3]s --to lea@example.org

  or by hand:

     curl -s %[3]s \
       -H 'Authorization: Bearer %[5]s' \
       -H 'Content-Type: application/json' -d '%[6]s'

  Or try B2C policies, yours with --policies: %[8]s

The API is described at %[1]s/docs. Ctrl-C ends the demo%[7]s.
`, d.PublicURL, d.InboxURL, d.EntraURL, d.APIKey, d.EntraToken, demoEvent(), d.farewell, d.PoliciesURL)
}

// examplePolicy is a policy of our own, for those who bring none.
//
//go:embed example/B2C_1A_Example.xml
var examplePolicy []byte

// demoPolicies is the folder of policies: the given one, or else one with the example.
func demoPolicies(given, folder string) (string, error) {
	if given != "" {
		return given, nil
	}
	example := filepath.Join(folder, "policies")
	err := os.MkdirAll(example, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(example, "B2C_1A_Example.xml"), examplePolicy, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("write the example of a policy: %w", err)
	}
	return example, nil
}

// demoEvent is an event as Entra sends it, as short as can be.
func demoEvent() string {
	event := extension.Event{TenantID: demoTenant, Identifier: "lea@example.org", Code: "40718265", RequestType: "signUp"}
	event.Client.Locale = "fr-fr"
	event.Application.DisplayName = "Boutique"
	return string(event.Encode(extension.OneTimeCode))
}

// demo serves from a temporary folder with everything on that a newcomer may try, on this machine only.
func demo(ctx context.Context, o DemoOptions, log *slog.Logger, ready func(Result) error) (err error) {
	folder, farewell := o.Folder, "; its data stays in "+o.Folder
	if folder == "" {
		farewell = " and removes its data"
		if folder, err = os.MkdirTemp("", "otpost-demo-"); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		defer os.RemoveAll(folder)
	}
	c := config.Default()
	c.Listen, c.OpsListen, c.Inbox = o.Listen, "127.0.0.1:0", config.InboxOn
	// Whoever tries it plays all the end users, from one address.
	c.LimitAddress = config.Limits{{Count: 10_000, Window: 10 * time.Minute}}
	c.LimitNetwork = c.LimitAddress
	if c.B2CPolicies, err = demoPolicies(o.Policies, folder); err != nil {
		return err
	}
	c.B2CPage = true
	c.Database = config.Database{Driver: config.SQLite, Source: filepath.Join(folder, "otpost.db")}
	c.Keys = filepath.Join(folder, "otpost.keys")
	c.EntraAudience = []string{demoAudience, emulate.Defaults().Audience}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("make the demo's token issuer: %w", err)
	}
	issuer, err := extension.NewIssuer("http://"+o.Listen, demoTenant, key, nil)
	if err != nil {
		return fmt.Errorf("make the demo's token issuer: %w", err)
	}
	s, err := openServer(ctx, c, log, issuer.Trusted(extension.V2), emulate.DefaultIssuer())
	if err != nil {
		return err
	}
	defer s.Close()
	s.demo = true
	apiKey, _, err := s.keys.Create(ctx, tenant, "Demo", "")
	if err != nil {
		return err
	}
	token, err := issuer.Mint(extension.Grant{Audience: demoAudience, Version: extension.V2, Lifetime: demoTokens})
	if err != nil {
		return fmt.Errorf("sign the demo's token: %w", err)
	}
	return s.run(ctx, func(at running) error {
		base := "http://" + reachable(at.public)
		result := demoResult{PublicURL: base, ConsoleURL: base + "/", InboxURL: base + "/inbox",
			EntraURL: base + "/entra/otp-send", PoliciesURL: base + "/b2c", APIKey: apiKey, EntraToken: token, farewell: farewell}
		return ready(result)
	})
}

// reachable is the address to write in a link: a listener on all addresses is reached at this machine's own.
func reachable(a net.Addr) string {
	address := a.(*net.TCPAddr)
	if address.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", address.Port)
	}
	return address.String()
}
