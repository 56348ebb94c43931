package execute

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// Runner runs technical profiles and display controls. Its fields are set once, before the first call.
type Runner struct {
	// Handlers are by HandlerType, such as Web.TPEngine.Providers.OneTimePasswordProtocolProvider. The self-asserted
	// profile and the one that is only claims transformations are the Runner's own.
	Handlers map[string]Handler
	// Issuer is what {AuthenticatorIssuer} stands for, the name that an authenticator app shows; empty is the policy's
	// tenant.
	Issuer string
	// Keys finds a policy key by its storage id, such as B2C_1A_Salt, for transformations that need one; nil finds none.
	Keys func(storage string) (string, bool)
	// Rand is where random strings and secrets of transformations come from: crypto/rand.Reader, but for tests.
	Rand io.Reader
	Now  func() time.Time

	hosts sync.Map // *trustframework.Policy -> *hosts
}

// Request is what a caller asks a Runner for.
type Request struct {
	Policy *trustframework.Policy
	// Profile is a technical profile's id. It is empty when Control and Action say what is run.
	Profile string
	// Control is a display control's id, Action SendCode or VerifyCode.
	Control, Action string
	// Host is the self-asserted profile whose texts and language count, as B2C has them. Empty is Profile itself if it is
	// self-asserted, or else the first in the policy that the profile or control is reached from.
	Host string
	// Claims are what the caller gives. They count before those of the session, but for those that are read-only on a page.
	Claims  *claim.Bag
	Session *Session
	Scene   Scene
	// Trace, when set, is told every step.
	Trace *Trace
}

// Result is what came of it.
type Result struct {
	// Claims are the output claims of what was run.
	Claims *claim.Bag
}

// Told is the error of a request that the policy refused: what the person is told.
type Told struct {
	// Text is the policy's, in the language of the journey, or the default one.
	Text    string
	Failure *trustframework.Failure
}

// Error is for logs.
func (t *Told) Error() string { return t.Failure.Error() }

func (t *Told) Unwrap() error { return t.Failure }

// Run runs a technical profile or a display control's action. It returns *Told for what the person is told,
// *trustframework.Misuse for what cannot be run as it is written or asked for, and any other error for what went wrong
// here. The session is changed in either case: what an action did before it was refused was done.
func (r *Runner) Run(ctx context.Context, q Request) (Result, error) {
	x, err := r.begin(ctx, q)
	if err != nil {
		return Result{}, err
	}
	out, err := x.asked()
	x.secrets.hide(q.Trace)
	if err != nil {
		return Result{}, x.told(err)
	}
	return Result{Claims: out}, nil
}

// told puts a refusal in the words of the policy. Other errors stay.
func (x *run) told(err error) error {
	var failure *trustframework.Failure
	if errors.As(err, &failure) {
		return &Told{Text: x.tell(failure), Failure: failure}
	}
	return err
}

// tell is what the person is told. Where nobody has a text, a display control has one for all that goes wrong.
func (x *run) tell(f *trustframework.Failure) string {
	text := x.texts.message(f)
	control, ok := x.q.Policy.DisplayControl(x.q.Control)
	if text != "" || !ok {
		return text
	}
	return x.texts.control(control)["failure_"+map[bool]string{true: "verify", false: "send"}[verifies(x.q.Action)]+"_code_msg"]
}

func verifies(action string) bool { return strings.EqualFold(action, "VerifyCode") }

// run is one request on its way.
type run struct {
	r   *Runner
	ctx context.Context
	q   *Request
	// host is the self-asserted profile that the request is run for, nil if there is none.
	host    *trustframework.TechnicalProfile
	texts   *texts
	secrets secrets
	depth   int
}

// begin finds what a request is about.
func (r *Runner) begin(ctx context.Context, q Request) (*run, error) {
	if q.Claims == nil {
		q.Claims = &claim.Bag{}
	}
	x := &run{r: r, ctx: ctx, q: &q}
	if (q.Profile == "") == (q.Control == "") {
		return nil, &trustframework.Misuse{Element: "request", Reason: "must name a technical profile, or a display control and its action"}
	}
	var err error
	if x.host, err = r.hostOf(&q); err != nil {
		return nil, err
	}
	x.texts = &texts{policy: q.Policy, host: x.host, locale: q.Scene.Locale}
	return x, x.declared()
}

// asked runs what was asked for.
func (x *run) asked() (*claim.Bag, error) {
	if x.q.Control != "" {
		return x.action()
	}
	t, err := x.profileOf(x.q.Profile)
	if err != nil {
		return nil, err
	}
	if selfAsserted(t) {
		return x.page(t)
	}
	return x.alone(t)
}

// alone runs a profile that stands for itself, as a step of a journey would: what it puts out is the journey's.
func (x *run) alone(t *trustframework.TechnicalProfile) (*claim.Bag, error) {
	if x.q.Host != "" {
		if err := x.open(); err != nil {
			return nil, err
		}
	}
	work := x.q.Session.Claims.Clone()
	work.Merge(x.q.Claims)
	if err := x.profile(t, work); err != nil {
		return nil, err
	}
	x.q.Session.Claims.Retain(work)
	out := outputs(t.OutputClaims, work)
	x.dropPasswords(out)
	for name, v := range out.All() {
		if !slices.Contains(x.secrets.codes, v.String()) {
			x.q.Session.Claims.Set(name, v)
		}
	}
	return out, nil
}

// outputs are the claims of a list that have a value.
func outputs(mappings []trustframework.ClaimMapping, from *claim.Bag) *claim.Bag {
	out := &claim.Bag{}
	for _, m := range mappings {
		if v, ok := from.Get(m.Claim); ok {
			out.Set(m.Claim, v)
		}
	}
	return out
}

// profileOf finds a technical profile.
func (x *run) profileOf(id string) (*trustframework.TechnicalProfile, error) {
	t, ok := x.q.Policy.TechnicalProfile(id)
	if !ok {
		return nil, &trustframework.Misuse{At: x.q.Policy.At, Element: "policy " + x.q.Policy.ID,
			Reason: "has no technical profile " + id + "; neither have the policies it builds on"}
	}
	return t, nil
}
