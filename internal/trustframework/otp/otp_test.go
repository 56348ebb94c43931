package otp_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/otp"
)

var _, _ execute.Handler = (*otp.OneTimePassword)(nil), (*otp.SSPR)(nil)

// claims are the schema of every policy here.
const claims = `<BuildingBlocks><ClaimsSchema>
<ClaimType Id="email"><DataType>string</DataType></ClaimType>
<ClaimType Id="emailAddress"><DataType>string</DataType></ClaimType>
<ClaimType Id="Otp"><DataType>string</DataType></ClaimType>
<ClaimType Id="number"><DataType>int</DataType></ClaimType>
<ClaimType Id="typed"><DataType>string</DataType></ClaimType>
</ClaimsSchema>%s</BuildingBlocks>
<ClaimsProviders><ClaimsProvider><TechnicalProfiles>
%s
</TechnicalProfiles></ClaimsProvider></ClaimsProviders>
%s`

// parts are what a test's policy has beside the schema.
type parts struct {
	// blocks go into BuildingBlocks, rest follows ClaimsProviders.
	blocks, profiles, rest string
}

func (p parts) load(t testing.TB) *trustframework.Policy {
	t.Helper()
	text := `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicyId="B2C_1A_Test">` + "\n" +
		fmt.Sprintf(claims, p.blocks, p.profiles, p.rest) + "\n</TrustFrameworkPolicy>"
	set, err := trustframework.Load(fstest.MapFS{"test.xml": {Data: []byte(text)}}, trustframework.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range set.Problems {
		if problem.Weight == trustframework.Refused {
			t.Fatal(problem)
		}
	}
	policy, ok := set.Policy("B2C_1A_Test")
	if !ok {
		t.Fatalf("no policy: %v", set.Problems)
	}
	return policy
}

// profile writes a technical profile. metadata is "Key=value" lines.
func profile(id, handler, claims string, metadata ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<TechnicalProfile Id="%s"><Protocol Name="Proprietary" Handler="%s, Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null" /><Metadata>`, id, handler)
	for _, line := range metadata {
		key, value, _ := strings.Cut(line, "=")
		fmt.Fprintf(&b, "\n"+`<Item Key="%s">%s</Item>`, key, value)
	}
	b.WriteString("</Metadata>" + claims + "</TechnicalProfile>\n")
	return b.String()
}

// The claims of each operation.
const (
	generateClaims = `<InputClaims><InputClaim ClaimTypeReferenceId="email" PartnerClaimType="identifier" /></InputClaims>
<OutputClaims><OutputClaim ClaimTypeReferenceId="otp" PartnerClaimType="otpGenerated" /></OutputClaims>`
	verifyClaims = `<InputClaims><InputClaim ClaimTypeReferenceId="email" PartnerClaimType="identifier" />
<InputClaim ClaimTypeReferenceId="typed" PartnerClaimType="otpToVerify" /></InputClaims>`
	sendClaims      = `<InputClaims><InputClaim ClaimTypeReferenceId="email" PartnerClaimType="emailAddress" /></InputClaims>`
	ssprProveClaims = `<InputClaims><InputClaim ClaimTypeReferenceId="email" PartnerClaimType="emailAddress" />
<InputClaim ClaimTypeReferenceId="typed" PartnerClaimType="verificationCode" /></InputClaims>`
)

func generateCode(metadata ...string) string {
	return profile("Generate", otp.OneTimePasswordHandler, generateClaims, append([]string{"Operation=GenerateCode"}, metadata...)...)
}

func verifyCode(metadata ...string) string {
	return profile("Verify", otp.OneTimePasswordHandler, verifyClaims, append([]string{"Operation=VerifyCode"}, metadata...)...)
}

func sendCode(metadata ...string) string {
	return profile("Send", otp.SSPRHandler, sendClaims, append([]string{"Operation=SendCode"}, metadata...)...)
}

func proveCode(metadata ...string) string {
	return profile("Prove", otp.SSPRHandler, ssprProveClaims, append([]string{"Operation=VerifyCode"}, metadata...)...)
}

// call is one call of a profile, with inputs by partner name.
func call(t testing.TB, policy *trustframework.Policy, id string, inputs ...string) *execute.Call {
	t.Helper()
	profile, ok := policy.TechnicalProfile(id)
	if !ok {
		t.Fatalf("no technical profile %s", id)
	}
	c := &execute.Call{Policy: policy, Profile: profile, Session: &execute.Session{ID: "s1", Policy: "test/B2C_1A_Test"},
		Scene: execute.Scene{Tenant: "default", Application: "app_1", Locale: "fr-CA", IP: netip.MustParseAddr("192.0.2.7"), Wait: 3 * time.Second}}
	for i := 0; i < len(inputs); i += 2 {
		c.Inputs = append(c.Inputs, execute.Input{Partner: inputs[i], Claim: inputs[i], Value: claim.Text(inputs[i+1])})
	}
	return c
}

// liveCode is what stubs make.
const liveCode = "472913"

// stub is an engine that answers as told, and refuses what the engine's contract refuses.
type stub struct {
	t testing.TB
	// err is what every call answers, verdict what Verify does, state how an issued message fared.
	err     error
	verdict passcode.Verdict
	state   outbox.State

	generation passcode.Generation
	request    passcode.Request
	wait       time.Duration
	ref        passcode.Ref
	typed      string
	calls      int
}

func (s *stub) Generate(_ context.Context, g passcode.Generation) (passcode.Generated, error) {
	s.calls, s.generation = s.calls+1, g
	s.owned(g.Tenant, g.Application.ID, g.Purpose, g.IP)
	s.named(g.Key)
	if g.Policy.Resends < 0 || g.Policy.Resends > 1000 {
		s.t.Errorf("%d generations after the first", g.Policy.Resends)
	}
	handed := g.Policy
	handed.Resends = 0 // a message's bound is another
	s.formed(handed)
	if s.err != nil {
		return passcode.Generated{}, s.err
	}
	return passcode.Generated{Challenge: passcode.Challenge{ID: "pc_1"}, Code: liveCode}, nil
}

func (s *stub) Issue(_ context.Context, r passcode.Request, wait time.Duration) (passcode.Issued, error) {
	s.calls, s.request, s.wait = s.calls+1, r, wait
	s.owned(r.Tenant, r.Application.ID, r.Purpose, r.IP)
	if _, err := passcode.ParseAddress(r.To); err != nil {
		return passcode.Issued{}, err
	}
	if r.Terms == nil {
		s.t.Error("a message without terms")
	} else {
		s.formed(*r.Terms)
	}
	if s.err != nil {
		return passcode.Issued{}, s.err
	}
	return passcode.Issued{Delivery: outbox.Delivery{State: s.state}}, nil
}

func (s *stub) Verify(_ context.Context, ref passcode.Ref, code string) (passcode.Verdict, error) {
	s.calls, s.ref, s.typed = s.calls+1, ref, code
	if (ref.To == "") == (ref.Key == "") || ref.ID != "" || ref.Tenant == "" || ref.Purpose == "" {
		s.t.Errorf("a reference that is not one: %+v", ref)
	}
	return s.verdict, s.err
}

func (s *stub) owned(tenant, application string, purpose passcode.Purpose, ip string) {
	s.t.Helper()
	if tenant == "" || application == "" || purpose == "" {
		s.t.Errorf("tenant %q, application %q, purpose %q", tenant, application, purpose)
	}
	if _, err := netip.ParseAddr(ip); ip != "" && err != nil {
		s.t.Errorf("the person's address: %v", err)
	}
}

func (s *stub) named(key string) {
	s.t.Helper()
	if len(key) < 1 || len(key) > 320 || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		s.t.Errorf("a key of %d bytes", len(key))
	}
}

func (s *stub) formed(p passcode.Policy) {
	s.t.Helper()
	if err := p.Validate(); err != nil || p.ResendInterval != 0 {
		s.t.Errorf("a policy that the engine does not take: %v, interval %v", err, p.ResendInterval)
	}
}

// run calls a profile of either kind on the stub.
func (s *stub) run(t testing.TB, c *execute.Call) error {
	t.Helper()
	s.t = t
	switch c.Profile.Protocol.HandlerType() {
	case otp.OneTimePasswordHandler:
		return (&otp.OneTimePassword{Engine: s}).Run(t.Context(), c)
	case otp.SSPRHandler:
		return (&otp.SSPR{Engine: s}).Run(t.Context(), c)
	}
	t.Fatal("a profile of another kind")
	return nil
}

// failure is an error that the person is told.
func failure(t testing.TB, err error) *trustframework.Failure {
	t.Helper()
	var f *trustframework.Failure
	if !errors.As(err, &f) {
		t.Fatalf("%v, want what the person is told", err)
	}
	return f
}

// misuse is an error for whoever wrote the policy.
func misuse(t testing.TB, err error) *trustframework.Misuse {
	t.Helper()
	var m *trustframework.Misuse
	if !errors.As(err, &m) {
		t.Fatalf("%v, want a misuse", err)
	}
	return m
}

func TestGenerateCodeByDefault(t *testing.T) {
	s := &stub{}
	c := call(t, parts{profiles: generateCode()}.load(t), "generate", "identifier", "lea@example.org")
	if err := s.run(t, c); err != nil {
		t.Fatal(err)
	}
	want := passcode.Generation{Tenant: "default", Application: passcode.Application{ID: "app_1"}, Scope: c.Session.Scope(),
		Purpose: passcode.Verify, Key: "lea@example.org", IP: "192.0.2.7",
		Policy: passcode.Policy{Alphabet: "0-9", Length: 6, Lifetime: 10 * time.Minute, Tries: 5, Resends: 9, FreshCode: true, Lockout: 10 * time.Minute}}
	if s.generation != want {
		t.Errorf("asked for\n%+v\nwant\n%+v", s.generation, want)
	}
}

func TestAddressesOfNobody(t *testing.T) {
	policy := parts{profiles: generateCode() + sendCode()}.load(t)
	for _, ip := range []netip.Addr{{}, netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		made, sent, s := call(t, policy, "Generate", "identifier", "x"), call(t, policy, "Send", "emailAddress", "lea@example.org"), &stub{}
		made.Scene.IP, sent.Scene.IP = ip, ip
		if err := errors.Join(s.run(t, made), s.run(t, sent)); err != nil || s.generation.IP != "" || s.request.IP != "" {
			t.Errorf("%v: %v, %q and %q", ip, err, s.generation.IP, s.request.IP)
		}
	}
}

// TestOtpGenerated has a runner take the code over into the claim that the policy names.
func TestOtpGenerated(t *testing.T) {
	policy := parts{profiles: generateCode()}.load(t)
	s := &stub{t: t}
	runner := &execute.Runner{Handlers: map[string]execute.Handler{otp.OneTimePasswordHandler: &otp.OneTimePassword{Engine: s}}}
	given := &claim.Bag{}
	given.Set("email", claim.Text("lea@example.org"))
	c := call(t, policy, "Generate")
	result, err := runner.Run(t.Context(), execute.Request{Policy: policy, Profile: "Generate", Claims: given, Session: c.Session, Scene: c.Scene})
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Claims.Text("otp"); got != liveCode || s.generation.Key != "lea@example.org" {
		t.Errorf("the claim is %q, for %q", got, s.generation.Key)
	}
}

func TestVerifyCodeFindsWhatGenerateCodeMade(t *testing.T) {
	policy := parts{profiles: generateCode() + verifyCode()}.load(t)
	s := &stub{verdict: passcode.Verdict{Verified: true}}
	for _, session := range []string{"s1", ""} {
		made, checked := call(t, policy, "Generate", "identifier", "a key"), call(t, policy, "Verify", "identifier", "a key", "otpToVerify", liveCode)
		made.Session.ID, checked.Session.ID = session, session
		if err := errors.Join(s.run(t, made), s.run(t, checked)); err != nil {
			t.Fatal(err)
		}
		g := s.generation
		if want := (passcode.Ref{Tenant: g.Tenant, Scope: g.Scope, Purpose: g.Purpose, Key: g.Key}); s.ref != want || s.typed != liveCode {
			t.Errorf("session %q: looked for %+v with %q, want %+v", session, s.ref, s.typed, want)
		}
	}
}

func TestSSPRMailsAndFindsItsCode(t *testing.T) {
	policy := parts{profiles: sendCode() + proveCode()}.load(t)
	s := &stub{t: t, state: outbox.Accepted, verdict: passcode.Verdict{Verified: true}}
	named := &otp.SSPR{Engine: s, Application: func(p *trustframework.Policy, scene *execute.Scene) passcode.Application {
		return passcode.Application{ID: scene.Application, Name: "Shop of " + p.ID}
	}}
	if err := named.Run(t.Context(), call(t, policy, "Send", "emailAddress", "lea@example.org")); err != nil {
		t.Fatal(err)
	}
	r := s.request
	if r.Terms == nil || *r.Terms != (passcode.Policy{Alphabet: "0-9", Length: 6, Lifetime: 5 * time.Minute, Tries: 3, Lockout: 5 * time.Minute}) {
		t.Errorf("terms %+v", r.Terms)
	}
	r.Terms = nil
	want := passcode.Request{Tenant: "default", Application: passcode.Application{ID: "app_1", Name: "Shop of B2C_1A_Test"}, Scope: (&execute.Session{ID: "s1", Policy: "test/B2C_1A_Test"}).Scope(),
		To: "lea@example.org", Channel: outbox.Email, Purpose: passcode.Verify, Locale: "fr-CA", IP: "192.0.2.7"}
	if !reflect.DeepEqual(r, want) || s.wait != 3*time.Second {
		t.Errorf("asked for\n%+v in %v\nwant\n%+v", r, s.wait, want)
	}
	if err := s.run(t, call(t, policy, "Prove", "emailAddress", "lea@example.org", "verificationCode", liveCode)); err != nil {
		t.Fatal(err)
	}
	if want := (passcode.Ref{Tenant: "default", Scope: r.Scope, Purpose: passcode.Verify, To: "lea@example.org"}); s.ref != want {
		t.Errorf("looked for %+v, want %+v", s.ref, want)
	}
}

func TestAMessageThatWasNotTaken(t *testing.T) {
	policy := parts{profiles: sendCode()}.load(t)
	for state, refused := range map[outbox.State]bool{outbox.Accepted: false, outbox.Delivered: false, outbox.Sending: false, outbox.Queued: false,
		outbox.Failed: true, outbox.Stale: true} {
		err := (&stub{state: state}).run(t, call(t, policy, "Send", "emailAddress", "lea@example.org"))
		if refused {
			if f := failure(t, err); f.Key != "UserMessageIfInternalError" {
				t.Errorf("%s: %s", state, f.Key)
			}
		} else if err != nil {
			t.Errorf("%s: %v", state, err)
		}
	}
}

func TestMissingInputs(t *testing.T) {
	policy := parts{profiles: generateCode() + verifyCode() + sendCode() + proveCode()}.load(t)
	for id, inputs := range map[string][]string{"Generate": {"identifier"}, "Verify": {"identifier", "otpToVerify"},
		"Send": {"emailAddress"}, "Prove": {"emailAddress", "verificationCode"}} {
		for i, missing := range inputs {
			var given []string
			for j, in := range inputs {
				value := "lea@example.org"
				if i == j {
					value = ""
				}
				given = append(given, in, value)
			}
			s := &stub{}
			m := misuse(t, s.run(t, call(t, policy, id, given...)))
			if !strings.Contains(m.Reason, "'"+missing+"'") || m.At.Line == 0 || s.calls != 0 {
				t.Errorf("%s without %s: %v after %d calls", id, missing, m, s.calls)
			}
		}
	}
}

func TestGenerateCodeForNobody(t *testing.T) {
	policy := parts{profiles: profile("Generate", otp.OneTimePasswordHandler, strings.Split(generateClaims, "\n")[0], "Operation=GenerateCode")}.load(t)
	s := &stub{}
	if m := misuse(t, s.run(t, call(t, policy, "Generate", "identifier", "x"))); !strings.Contains(m.Reason, "otpGenerated") || s.calls != 0 {
		t.Errorf("%v after %d calls", m, s.calls)
	}
}

func TestAnOperationThatThereIsNot(t *testing.T) {
	for _, c := range []struct{ handler, metadata, want string }{
		{otp.OneTimePasswordHandler, "CodeLength=6", "AADB2C90023"},
		{otp.OneTimePasswordHandler, "Operation=", "AADB2C99011"},
		{otp.OneTimePasswordHandler, "Operation=GenrateCode", "did you mean GenerateCode?"},
		{otp.OneTimePasswordHandler, "Operation=SendCode", "GenerateCode or VerifyCode"},
		{otp.SSPRHandler, "Operation=SendCod", "did you mean SendCode?"},
		{otp.SSPRHandler, "Operation=GetAvailableDevices", "SendCode or VerifyCode"},
	} {
		policy := parts{profiles: profile("P", c.handler, "", c.metadata)}.load(t)
		s := &stub{}
		m := misuse(t, s.run(t, call(t, policy, "P", "identifier", "x")))
		if !strings.Contains(m.Error(), c.want) || !strings.Contains(m.Error(), "technical profile P") || m.At.File != "test.xml" || m.At.Line == 0 || s.calls != 0 {
			t.Errorf("%s: %v, want %s", c.metadata, m, c.want)
		}
	}
}

func TestErrorsOfTheEngineAreNotForThePerson(t *testing.T) {
	broken := errors.New("the database is away")
	policy := parts{profiles: generateCode() + verifyCode() + sendCode() + proveCode()}.load(t)
	for _, c := range everyCall(t, policy) {
		err := (&stub{err: broken}).run(t, c)
		var f *trustframework.Failure
		var m *trustframework.Misuse
		if !errors.Is(err, broken) || errors.As(err, &f) || errors.As(err, &m) {
			t.Errorf("%s: %v", c.Profile.ID, err)
		}
	}
}

// everyCall calls each operation with what it needs.
func everyCall(t testing.TB, policy *trustframework.Policy) []*execute.Call {
	return []*execute.Call{
		call(t, policy, "Generate", "identifier", "lea@example.org"),
		call(t, policy, "Verify", "identifier", "lea@example.org", "otpToVerify", liveCode),
		call(t, policy, "Send", "emailAddress", "lea@example.org"),
		call(t, policy, "Prove", "emailAddress", "lea@example.org", "verificationCode", liveCode),
	}
}
