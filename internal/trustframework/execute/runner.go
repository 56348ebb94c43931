package execute

import (
	"context"
	"io"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// Runner runs technical profiles and display controls. Its fields are set once, before the first call.
type Runner struct {
	// Handlers are by HandlerType, such as Web.TPEngine.Providers.OneTimePasswordProtocolProvider. The self-asserted
	// profile and the one that is only claims transformations are the Runner's own.
	Handlers map[string]Handler
	// Issuer is what {AuthenticatorIssuer} stands for, the name of the tenant that an authenticator app shows.
	Issuer string
	// Rand is where random strings and secrets of transformations come from: crypto/rand.Reader, but for tests.
	Rand io.Reader
	Now  func() time.Time
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
	// Claims are what the caller gives. They count before those of the session.
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
	return Result{}, &trustframework.Misuse{Element: "runner", Reason: "is not written yet"}
}

// Page is what a page shows of a display control or of a self-asserted profile.
type Page struct {
	// Language is the BCP 47 tag of the texts.
	Language string
	Title    string
	Fields   []Field
	Controls []PageControl
	// Continue is what its button says.
	Continue string
}

// Field is one claim on a page.
type Field struct {
	Claim string
	// Label and Help are in the page's language.
	Label, Help string
	// Input is the UserInputType, TextBox if the claim has none; ReadOnly and Kind are such that nothing else has to be
	// known of it: Kind is the ControlClaimType within a display control.
	Input, Kind string
	ReadOnly    bool
	Required    bool
	Choices     []trustframework.Choice
	// Value is what it holds now, masked where the policy says so. Pattern is what it must match, for HTML's pattern
	// attribute, empty where there is none that a browser can be given.
	Value, Pattern, PatternHelp string
}

// PageControl is one display control on a page.
type PageControl struct {
	ID string
	// Type is VerificationControl, QrCodeControl, AuthenticatorInfoControl or AuthenticatorAppIconControl.
	Type   string
	Fields []Field
	// Texts are the control's, by StringId in lower case, defaults put in (display-controls.md, "localization").
	Texts map[string]string
	// Sent is true after SendCode succeeded in this session, Verified after VerifyCode did.
	Sent, Verified bool
	// QR is what a QrCodeControl draws.
	QR string
}

// Page says what a page shows of q.Control, or of q.Profile where that is self-asserted. The profile's input claims
// transformations are run on the session, as B2C does before it shows a page.
func (r *Runner) Page(ctx context.Context, q Request) (Page, error) {
	return Page{}, &trustframework.Misuse{Element: "runner", Reason: "is not written yet"}
}
