// Package accounts answers B2C's directory profiles that read an account from a service of the owner's, since otpost keeps
// no people.
package accounts

import (
	"context"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// Kind is the handler that policies name (active-directory-technical-profile.md, "Protocol").
const Kind = "Web.TPEngine.Providers.AzureActiveDirectoryProvider"

// Directory finds accounts.
type Directory interface {
	// Find returns the attributes of the account that q means, as encoding/json decodes them, or ok false if there is none.
	Find(ctx context.Context, q Question) (attributes map[string]any, ok bool, err error)
}

// Question is what a profile asks of a directory.
type Question struct {
	Policy  string `json:"policy"`
	Profile string `json:"profile"`
	// By are the profile's input claims by their partner names, such as signInNames.emailAddress or objectId. All of them
	// are meant; a policy as a rule has one.
	By map[string]any `json:"by"`
	// Want are the partner names of the profile's output claims.
	Want []string `json:"want"`
}

// Handler runs the operation Read. The others change accounts, and are refused.
type Handler struct {
	// Directory is nil where none is set up, and then every profile is refused.
	Directory Directory
}

// The keys of what a person is told, and their defaults (localization-string-ids.md, "Azure AD error messages").
const (
	noAccountKey = "UserMessageIfClaimsPrincipalDoesNotExist"
	noAccount    = "An account could not be found for the provided user ID."
)

// known are the metadata that the documentation has, and two that the public policies use (ClientId and
// ApplicationObjectId are for B2C's extension attributes).
var known = []string{"Operation", "RaiseErrorIfClaimsPrincipalDoesNotExist", "RaiseErrorIfClaimsPrincipalAlreadyExists",
	noAccountKey, "UserMessageIfClaimsPrincipalAlreadyExists", "ApplicationObjectId", "ClientId",
	"IncludeClaimResolvingInClaimsHandling", "api-version", "UserMessageIfInvalidPassword", "UserMessageIfOldPasswordUsed"}

// Run implements execute.Handler.
func (h *Handler) Run(ctx context.Context, c *execute.Call) error {
	if reason := h.refusal(c.Profile); reason != "" {
		return c.Misuse(reason)
	}
	q := Question{Policy: c.Policy.ID, Profile: c.Profile.ID, By: map[string]any{}, Want: []string{}}
	for _, in := range c.Inputs {
		q.By[in.Partner] = in.Value
	}
	if len(q.By) == 0 {
		return c.Misuse("none of its input claims has a value, so that no account is meant")
	}
	for _, out := range c.Profile.OutputClaims {
		if !out.HasDefault {
			q.Want = append(q.Want, out.PartnerName())
		}
	}
	found, ok, err := h.Directory.Find(ctx, q)
	switch {
	case err != nil:
		return err
	case !ok && raises(c.Profile):
		text := c.Setting(noAccountKey)
		if text == "" {
			text = noAccount
		}
		return &trustframework.Failure{Key: noAccountKey, Default: text}
	}
	for name, v := range found {
		c.Output(name, v)
	}
	return nil
}

// raises says whether an account that is not there is an error. What counts without the setting is UNCONFIRMED; the
// starter pack says it each time, and an error is what cannot be overlooked.
func raises(t *trustframework.TechnicalProfile) bool {
	item, ok := t.Metadata.Get("RaiseErrorIfClaimsPrincipalDoesNotExist")
	return !ok || !strings.EqualFold(strings.TrimSpace(item.Value), "false")
}

// refusal says why a profile is not run, "" for one that is.
func (h *Handler) refusal(t *trustframework.TechnicalProfile) string {
	operation, ok := t.Metadata.Get("Operation")
	switch value := strings.TrimSpace(operation.Value); {
	case !ok:
		return "has no Operation in its metadata (AADB2C90023); write Read"
	case !strings.EqualFold(value, "Read"):
		return "its operation " + value + " changes accounts, and otpost has none; let your application do it with the claims that it gets"
	case h.Directory == nil:
		return "reads an account, and otpost has none; name a service that finds accounts in the setting b2c_accounts"
	}
	return ""
}

// Check implements execute.Handler.
func (h *Handler) Check(_ *trustframework.Policy, t *trustframework.TechnicalProfile) (problems []trustframework.Problem) {
	at := t.At
	if operation, ok := t.Metadata.Get("Operation"); ok {
		at = operation.At
	}
	if reason := h.refusal(t); reason != "" {
		problems = append(problems, trustframework.Problem{At: at, Weight: trustframework.Broken, Reason: "technical profile " + t.ID + ": " + reason})
	}
	for _, item := range t.Metadata {
		if listed(item.Key) {
			continue
		}
		problems = append(problems, trustframework.Problem{At: item.At, Weight: trustframework.Odd,
			Reason: "technical profile " + t.ID + ": metadata " + item.Key + " is none that this kind of profile has" + suggest.For(item.Key, known)})
	}
	return problems
}

func listed(key string) bool {
	for _, k := range known {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// About implements execute.Handler.
func (h *Handler) About(t *trustframework.TechnicalProfile) execute.About {
	operation, _ := t.Metadata.Get("Operation")
	a := execute.About{Kind: "directory, " + operation.Value, B2C: "B2C reads or changes an account of the tenant.",
		Otpost: "otpost refuses it, since it keeps no accounts.", Entra: "Entra External ID keeps accounts in the tenant; user flows make and read them, and applications do it with Microsoft Graph."}
	if strings.EqualFold(strings.TrimSpace(operation.Value), "Read") {
		a.Otpost = "otpost asks the service in the setting b2c_accounts for the account; without one the profile is refused."
	}
	return a
}
