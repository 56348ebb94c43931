package execute_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// echo is a handler that does what a profile's metadata say: Fail is the key of a refusal, Default and Argument belong to
// it, Break is any other error, Secret the partner name of an input to keep out of the trace, and "answer NAME" what is
// answered under a partner name.
type echo struct {
	// called are the calls, as "Id partner=value partner=value".
	called []string
}

func (h *echo) Run(_ context.Context, c *execute.Call) error {
	said := c.Profile.ID
	for _, in := range c.Inputs {
		said += " " + in.Partner + "=" + in.Value.String()
	}
	h.called = append(h.called, said)
	if v, ok := c.Input(c.Setting("Secret")); ok {
		c.Secret(v.String())
	}
	if key := c.Setting("Fail"); key != "" {
		return &trustframework.Failure{Key: key, Default: c.Setting("Default"), Arguments: strings.Fields(c.Setting("Argument"))}
	}
	if text := c.Setting("Break"); text != "" {
		return errors.New(text)
	}
	for _, item := range c.Profile.Metadata {
		if partner, ok := strings.CutPrefix(item.Key, "answer "); ok {
			c.Output(partner, claim.Text(item.Value))
		}
	}
	return nil
}

func (h *echo) Check(*trustframework.Policy, *trustframework.TechnicalProfile) []trustframework.Problem {
	return nil
}
func (h *echo) About(*trustframework.TechnicalProfile) execute.About { return execute.About{} }

// The protocols of profiles in the policies below, and the elements that they are made of.
const (
	echoes = `<Protocol Name="Proprietary" Handler="Example.Echo, Example"/>`
	isPage = `<Protocol Name="Proprietary" Handler="Web.TPEngine.Providers.SelfAssertedAttributeProvider, Web.TPEngine"/>`
	schema = `
<ClaimType Id="email"><DisplayName>Email Address</DisplayName><DataType>string</DataType><UserInputType>TextBox</UserInputType></ClaimType>
<ClaimType Id="code"><DisplayName>Code</DisplayName><DataType>string</DataType><UserInputType>TextBox</UserInputType></ClaimType>
<ClaimType Id="shown"><DisplayName>Shown</DisplayName><DataType>string</DataType><UserInputType>Readonly</UserInputType></ClaimType>
<ClaimType Id="password"><DisplayName>Password</DisplayName><DataType>string</DataType><UserInputType>Password</UserInputType></ClaimType>
<ClaimType Id="objectId"><DataType>string</DataType></ClaimType>
<ClaimType Id="newUser"><DataType>boolean</DataType></ClaimType>
<ClaimType Id="tries"><DataType>int</DataType></ClaimType>
<ClaimType Id="other"><DataType>string</DataType></ClaimType>
<ClaimType Id="body"><DataType>string</DataType></ClaimType>
<ClaimType Id="emails"><DataType>stringCollection</DataType></ClaimType>
<ClaimType Id="mfaType"><DisplayName>Channel</DisplayName><DataType>string</DataType><UserInputType>RadioSingleSelect</UserInputType>
  <Restriction><Enumeration Text="Text message" Value="sms"/><Enumeration Text="Email" Value="email" SelectByDefault="true"/></Restriction></ClaimType>`
)

// world runs one policy.
type world struct {
	t       *testing.T
	policy  *trustframework.Policy
	runner  *execute.Runner
	echo    *echo
	session *execute.Session
	trace   *execute.Trace
	scene   execute.Scene
}

// worldOf loads a policy of more building blocks and of profiles.
func worldOf(t *testing.T, blocks, profiles string) *world {
	t.Helper()
	text := `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="fabrikam.example" TenantObjectId="0f8fad5b-d9cb-469f-a165-70867728950e" PolicyId="B2C_1A_One" PublicPolicyUri="http://fabrikam.example/one" DeploymentMode="Production">
<BuildingBlocks><ClaimsSchema>` + schema + `</ClaimsSchema>` + blocks + `</BuildingBlocks>
<ClaimsProviders><ClaimsProvider><DisplayName>All</DisplayName><TechnicalProfiles>` + profiles + `</TechnicalProfiles></ClaimsProvider></ClaimsProviders></TrustFrameworkPolicy>`
	set, err := trustframework.Load(fstest.MapFS{"one.xml": {Data: []byte(text)}}, trustframework.Options{})
	if err != nil || len(set.Policies) != 1 {
		t.Fatal(err, set.Problems)
	}
	for _, p := range set.Problems {
		if p.Weight == trustframework.Refused {
			t.Fatal(p)
		}
	}
	w := &world{t: t, policy: set.Policies[0], echo: &echo{}, session: &execute.Session{ID: "s"}}
	w.runner = &execute.Runner{Handlers: map[string]execute.Handler{"Example.Echo": w.echo}, Rand: bytes.NewReader(nil),
		Now: func() time.Time { return time.Date(2026, 1, 31, 15, 4, 5, 0, time.UTC) }}
	return w
}

// run runs a profile, or a control's action where there are two words, and starts a new trace. Claims are name=value.
func (w *world) run(what string, claims ...string) (*claim.Bag, error) {
	w.t.Helper()
	w.trace = &execute.Trace{}
	q := w.request(what, claims...)
	result, err := w.runner.Run(context.Background(), q)
	return result.Claims, err
}

func (w *world) request(what string, claims ...string) execute.Request {
	q := execute.Request{Policy: w.policy, Session: w.session, Trace: w.trace, Scene: w.scene, Claims: &claim.Bag{}}
	if control, action, ok := strings.Cut(what, " "); ok {
		q.Control, q.Action = control, action
	} else {
		q.Profile = what
	}
	for _, c := range claims {
		name, value, _ := strings.Cut(c, "=")
		q.Claims.Set(name, claim.Text(value))
	}
	return q
}

// must is run without an error. It returns the claims as "name=value name=value".
func (w *world) must(what string, claims ...string) string {
	w.t.Helper()
	out, err := w.run(what, claims...)
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
	return said(out)
}

// told is run with a refusal under a key. It returns what the person is told.
func (w *world) told(key, what string, claims ...string) string {
	w.t.Helper()
	_, err := w.run(what, claims...)
	return told(w.t, key)(execute.Result{}, err)
}

// misused is run with a Misuse whose text has a part.
func (w *world) misused(part, what string, claims ...string) {
	w.t.Helper()
	_, err := w.run(what, claims...)
	var misuse *trustframework.Misuse
	if !errors.As(err, &misuse) || !strings.Contains(misuse.Error(), part) {
		w.t.Errorf("%s: %v, want a misuse that says %q", what, err, part)
	}
}

// calls are those since the last time.
func (w *world) calls() string {
	said := strings.Join(w.echo.called, "; ")
	w.echo.called = nil
	return said
}

// steps are the trace as "Id: outcome".
func (w *world) steps() string {
	var all []string
	for _, s := range w.trace.Steps {
		all = append(all, fmt.Sprintf("%d %s: %s", s.Depth, s.ID, s.Outcome))
	}
	return strings.Join(all, "\n")
}

func said(b *claim.Bag) string {
	var all []string
	for name, v := range b.All() {
		all = append(all, name+"="+v.String())
	}
	return strings.Join(all, " ")
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

// profile is a technical profile of the echo handler; page one that is self-asserted.
func profile(id, inside string) string {
	return `<TechnicalProfile Id="` + id + `"><DisplayName>` + id + `</DisplayName>` + echoes + inside + `</TechnicalProfile>`
}

func page(id, inside string) string {
	return `<TechnicalProfile Id="` + id + `"><DisplayName>` + id + `</DisplayName>` + isPage + inside + `</TechnicalProfile>`
}

// list is an element around others, each of which has its attributes and what is in it after a blank and "|".
func list(name, item string, entries ...string) string {
	out := "<" + name + ">"
	for _, e := range entries {
		attributes, inside, _ := strings.Cut(e, "|")
		out += "<" + item + " " + attributes + ">" + inside + "</" + item + ">"
	}
	return out + "</" + name + ">"
}

func metadata(pairs ...string) string {
	var items []string
	for i := 0; i < len(pairs); i += 2 {
		items = append(items, `Key="`+pairs[i]+`"|`+pairs[i+1])
	}
	return list("Metadata", "Item", items...)
}

func inputs(claims ...string) string {
	return list("InputClaims", "InputClaim", reference(claims)...)
}

func outputs(claims ...string) string {
	return list("OutputClaims", "OutputClaim", reference(claims)...)
}

func validations(ids ...string) string {
	return strings.ReplaceAll(list("ValidationTechnicalProfiles", "ValidationTechnicalProfile", reference(ids)...), "ClaimTypeReferenceId=", "ReferenceId=")
}

// reference puts the name of a claim or profile, which is the first word, into its attribute.
func reference(entries []string) []string {
	var out []string
	for _, e := range entries {
		id, rest, _ := strings.Cut(e, " ")
		out = append(out, `ClaimTypeReferenceId="`+id+`" `+rest)
	}
	return out
}
