package exam_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/accounts"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/golden"
	"github.com/otpost/otpost/internal/trustframework/mfa"
	"github.com/otpost/otpost/internal/trustframework/otp"
	"github.com/otpost/otpost/internal/trustframework/packs"
	"github.com/otpost/otpost/internal/trustframework/restful"
)

const phoneFactor = "Web.TPEngine.Providers.PhoneFactorProtocolProvider"

// Every profile for one-time passwords, multifactor authentication and SSPR that a file of the packs declares is checked
// and run, and so is every SendCode and VerifyCode of their display controls, with services that answer 200. What is not
// run to its end is refused for a reason. The numbers are recorded in testdata as of samples b5fe780d54c4, unit-tests
// 04f58901b703 and the starter pack fc39b7dbf764, and written down in docs/b2c.md.
func TestPublicPacks(t *testing.T) {
	for _, directory := range []bool{false, true} {
		name := map[bool]string{false: "without accounts", true: "with accounts"}[directory]
		t.Run(name, func(t *testing.T) {
			all := tally{}
			for _, p := range packs.Read(t) {
				newPack(t, p, directory, all).run()
			}
			got := all.String()
			t.Log("\n" + got)
			golden.File(t, "testdata/packs_"+strings.ReplaceAll(name, " ", "_")+".txt", got)
		})
	}
}

// tally counts what came of each kind of thing: "ran", or the reason why not.
type tally map[string]map[string]int

func (c tally) add(kind, outcome string) {
	if c[kind] == nil {
		c[kind] = map[string]int{}
	}
	c[kind][outcome]++
}

func (c tally) String() string {
	var out strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(c)) {
		total := 0
		for _, n := range c[kind] {
			total += n
		}
		fmt.Fprintf(&out, "%s: %d\n", kind, total)
		for _, outcome := range slices.Sorted(maps.Keys(c[kind])) {
			fmt.Fprintf(&out, "  %d %s\n", c[kind][outcome], outcome)
		}
	}
	return out.String()
}

// pack is one of the packs, loaded.
type pack struct {
	t      *testing.T
	rig    *rig
	set    *trustframework.Set
	codes  *codes
	counts tally
	// n counts people, so that each has limits of their own.
	n int
}

// codes remembers the code that was made last.
type codes struct {
	*passcode.Engine
	last string
}

func (c *codes) Generate(ctx context.Context, g passcode.Generation) (passcode.Generated, error) {
	made, err := c.Engine.Generate(ctx, g)
	if err == nil {
		c.last = made.Code
	}
	return made, err
}

func newPack(t *testing.T, from packs.Pack, directory bool, counts tally) *pack {
	t.Helper()
	r := newRig(t)
	p := &pack{t: t, rig: r, codes: &codes{Engine: r.passcodes}, counts: counts}
	services := restful.New(restful.Options{AllowPrivate: true, Roots: r.web.roots, Resolver: r.web.resolver,
		Keys: func(string) (string, bool) { return "key-of-the-pack", true }})
	t.Cleanup(services.Close)
	r.runner.Handlers[restful.Kind] = services
	r.runner.Handlers[otp.OneTimePasswordHandler] = &otp.OneTimePassword{Engine: p.codes}
	r.runner.Handlers[accounts.Kind] = &accounts.Handler{}
	if directory {
		r.runner.Handlers[accounts.Kind] = &accounts.Handler{Directory: everybody{}}
	}
	// Their services give way to the one that answers.
	for _, f := range from.Files {
		f.Data = serviceHost.ReplaceAll(f.Data, []byte("${1}any.example.com:"+r.web.port))
	}
	p.set = from.Load(t)
	return p
}

var serviceHost = regexp.MustCompile(`(Key="ServiceUrl"[^>]*>\s*https://)[^/?<\s]*`)

// everybody is a directory that has an account for whoever is asked for.
type everybody struct{}

func (everybody) Find(_ context.Context, q accounts.Question) (map[string]any, bool, error) {
	found := map[string]any{}
	for _, name := range q.Want {
		switch lower := strings.ToLower(name); {
		case lower == "accountenabled":
			found[name] = true
		case strings.Contains(lower, "phone"):
			found[name] = "+34600111222"
		case lower == "objectid", lower == "userprincipalname", lower == "displayname":
			found[name] = "o-1"
		}
	}
	return found, true, nil
}

func (p *pack) run() {
	for _, policy := range p.set.Policies {
		if packs.Shared(policy.At) {
			continue
		}
		for _, t := range policy.TechnicalProfiles {
			if kind, ok := counted[t.Protocol.HandlerType()]; ok && t.At.File == policy.At.File {
				p.check(policy, t)
				operation, _ := t.Metadata.Get("Operation")
				p.counts.add("profiles "+strings.TrimSpace(kind+" "+operation.Value), p.outcome(p.profile(policy, t)))
			}
		}
		for _, control := range policy.DisplayControls {
			if control.At.File == policy.At.File && len(control.Actions) > 0 {
				p.control(policy, control)
			}
		}
	}
}

var counted = map[string]string{otp.OneTimePasswordHandler: "OneTimePassword", otp.SSPRHandler: "AadSspr", mfa.HandlerType: "AzureMfa", phoneFactor: "PhoneFactor"}

// check holds that a profile's handler, if there is one, has nothing against running it.
func (p *pack) check(policy *trustframework.Policy, t *trustframework.TechnicalProfile) {
	h := p.rig.runner.Handlers[t.Protocol.HandlerType()]
	if h == nil {
		return
	}
	for _, problem := range h.Check(policy, t) {
		p.t.Logf("%s %v", problem.Weight, problem)
		if problem.Weight != trustframework.Odd {
			p.t.Errorf("%s: %v", t.ID, problem)
		}
	}
}

// outcome is "ran", or the reason why not without what is the pack's own. An error that is none of the policy's is a
// defect of ours.
func (p *pack) outcome(err error) string {
	var told *execute.Told
	var misuse *trustframework.Misuse
	switch {
	case err == nil:
		return "ran"
	case errors.As(err, &misuse):
		kind, _, _ := strings.Cut(misuse.Element, " "+lastWord(misuse.Element))
		return "not run, since a " + kind + " " + misuse.Reason
	case errors.As(err, &told):
		return "told " + told.Failure.Key
	}
	p.t.Error(err)
	return err.Error()
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

// profile runs a profile, and before it the one that makes what it needs.
func (p *pack) profile(policy *trustframework.Policy, t *trustframework.TechnicalProfile) error {
	j := p.person(policy)
	before := map[string]string{"VerifyCode": "GenerateCode SendCode", "Verify": "OneWaySMS", "VerifyOTP": "BeginVerifyOTP"}
	operation, _ := t.Metadata.Get("Operation")
	if wanted := before[operation.Value]; wanted != "" {
		for _, other := range policy.TechnicalProfiles {
			item, _ := other.Metadata.Get("Operation")
			if other.Protocol.HandlerType() == t.Protocol.HandlerType() && slices.Contains(strings.Fields(wanted), item.Value) {
				if err := j.run(execute.Request{Profile: other.ID}, j.inputs(other)); err != nil {
					return err
				}
				break
			}
		}
	}
	return j.run(execute.Request{Profile: t.ID}, j.inputs(t))
}

// control runs both actions of a control, as one person does.
func (p *pack) control(policy *trustframework.Policy, control *trustframework.DisplayControl) {
	j := p.person(policy)
	for _, id := range []string{"SendCode", "VerifyCode"} {
		a, ok := control.Action(id)
		if !ok {
			continue
		}
		claims := map[string]string{}
		for _, v := range a.Validations {
			if t, ok := policy.TechnicalProfile(v.TechnicalProfile); ok {
				maps.Copy(claims, j.inputs(t))
			}
		}
		for _, v := range a.Validations { // what a profile answers is not the journey's
			if t, ok := policy.TechnicalProfile(v.TechnicalProfile); ok {
				for _, m := range t.OutputClaims {
					delete(claims, strings.ToLower(m.Claim))
				}
			}
		}
		for _, d := range control.DisplayClaims {
			claims[strings.ToLower(d.Claim)] = j.typed(control, d)
		}
		outcome := p.outcome(j.run(execute.Request{Control: control.ID, Action: id}, claims))
		if outcome == "ran" && id == "SendCode" && j.sent == 0 {
			outcome = "ran, and nothing was sent"
		}
		p.counts.add("actions "+id, outcome)
	}
}
