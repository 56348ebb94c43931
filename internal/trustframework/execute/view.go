package execute

import (
	"context"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/predicate"
)

// Page is what a page shows of a display control or of a self-asserted profile.
type Page struct {
	// Language is the BCP 47 tag of the texts.
	Language string
	Title    string
	// Lines are in the order of the policy.
	Lines []Line
	// Continue is what its button says; empty for a display control that stands alone.
	Continue string
}

// Line is a field, or a display control.
type Line struct {
	Field   *Field
	Control *PageControl
}

// Field is one claim on a page.
type Field struct {
	Claim string
	// Label and Help are in the page's language.
	Label, Help string
	// Input is the UserInputType, TextBox if the claim has none; Kind is the ControlClaimType within a display control.
	Input, Kind string
	ReadOnly    bool
	Required    bool
	Choices     []trustframework.Choice
	// Value is what it holds now, masked where the policy says so.
	Value string
	// Pattern is what it must match, in .NET's dialect; PatternHelp is for those who do not meet it.
	Pattern, PatternHelp string
}

// PageControl is one display control on a page.
type PageControl struct {
	ID string
	// Type is VerificationControl, QrCodeControl, AuthenticatorInfoControl or AuthenticatorAppIconControl.
	Type   string
	Fields []Field
	// Texts are the control's, by StringId in lower case, defaults put in.
	Texts map[string]string
	// Sent is true after SendCode succeeded in this session, Verified after VerifyCode did.
	Sent, Verified bool
	// QR is what a QrCodeControl draws.
	QR string
}

// Page says what a page shows of q.Control, or of q.Profile where that is self-asserted. It begins the page in the session
// where that was not done. Its errors are those of Run.
func (r *Runner) Page(ctx context.Context, q Request) (Page, error) {
	x, err := r.begin(ctx, q)
	if err != nil {
		return Page{}, err
	}
	defer x.secrets.hide(q.Trace)
	if err := x.open(); err != nil {
		return Page{}, x.told(err)
	}
	page := Page{Language: x.texts.language()}
	if q.Control != "" {
		control, ok := q.Policy.DisplayControl(q.Control)
		if !ok {
			_, _, err := x.controlOf()
			return Page{}, err
		}
		if err := usable(control, control.At); err != nil {
			return Page{}, err
		}
		c, err := x.viewControl(control)
		page.Title, page.Lines = control.ID, []Line{{Control: &c}}
		return page, err
	}
	t, err := x.profileOf(q.Profile)
	if err != nil {
		return Page{}, err
	}
	if !selfAsserted(t) {
		return Page{}, &trustframework.Misuse{At: t.At, Element: "technical profile " + t.ID, Reason: "is no page: only a self-asserted profile has one"}
	}
	if err := fit(t); err != nil {
		return Page{}, err
	}
	page.Title, page.Continue = x.texts.ui("heading", t.DisplayName), x.texts.ui("button_continue", "Continue")
	page.Lines, err = x.lines(t)
	return page, err
}

// lines are what a self-asserted profile shows. Its input claims fill the fields, and what the caller gives.
func (x *run) lines(t *trustframework.TechnicalProfile) (lines []Line, err error) {
	values := x.q.Session.Claims.Clone()
	if err := x.filled(t, values); err != nil {
		return nil, err
	}
	x.given(x.displayed(t), values)
	for _, d := range shown(t) {
		if d.Control == "" {
			// A claim without a UserInputType is not shown (claimsschema.md).
			if f, ok := x.field(d, values, true); ok {
				lines = append(lines, Line{Field: &f})
			}
			continue
		}
		control, err := x.controlAt(d)
		if err != nil {
			return nil, err
		}
		c, err := x.viewControl(control)
		if err != nil {
			return nil, err
		}
		lines = append(lines, Line{Control: &c})
	}
	return lines, nil
}

func (x *run) viewControl(control *trustframework.DisplayControl) (PageControl, error) {
	kept := x.q.Session.control(control.ID)
	c := PageControl{ID: control.ID, Type: controlType(control), Sent: kept.Sent, Verified: kept.Verified, Texts: x.texts.control(control)}
	values := x.q.Session.Claims.Clone()
	if err := x.prefill(control, values); err != nil {
		return c, err
	}
	values.Merge(&kept.Claims)
	x.given(control.DisplayClaims, values)
	typed := c.Type == verificationControl && !c.Sent && !c.Verified // after that its fields only show what the code is for
	for _, d := range control.DisplayClaims {
		if strings.EqualFold(d.Kind, "QrCodeContent") {
			c.QR = values.Text(d.Claim)
			continue
		}
		f, _ := x.field(d, values, typed)
		c.Fields = append(c.Fields, f)
	}
	return c, nil
}

// field is a claim on the page; ok is false for one that no page shows. Where it is typed, a mask of its value would come
// back as the value, and the field is empty instead.
func (x *run) field(d trustframework.DisplayClaim, values *claim.Bag, typed bool) (f Field, ok bool) {
	declared, ok := x.q.Policy.Claim(d.Claim)
	if !ok {
		return Field{Claim: d.Claim, Label: d.Claim, Input: "TextBox", Kind: d.Kind, Required: d.Required}, true
	}
	f = Field{Claim: declared.ID, Label: x.texts.label(declared), Help: x.texts.claim(declared.ID, "UserHelpText", declared.UserHelp),
		Input: declared.UserInput, Kind: d.Kind, ReadOnly: slices.Contains(readOnly, declared.UserInput), Required: d.Required || isCode(d),
		Choices: x.texts.choices(declared), Pattern: declared.Pattern.Expression, PatternHelp: declared.Pattern.HelpText}
	f.Value = Masked(declared.Mask, values.Text(d.Claim))
	if isCode(d) || f.Input == "Password" || typed && declared.Mask.Given() && !f.ReadOnly {
		f.Value = ""
	}
	if f.Input == "" {
		f.Input = "TextBox"
	}
	return f, declared.UserInput != ""
}

// Masked hides what the policy says of a value that is shown (claimsschema.md, "Mask"): Simple puts its text in place of as
// many characters at the beginning, Regex in place of what it matches.
func Masked(m trustframework.Mask, value string) string {
	switch {
	case value == "" || !m.Given():
		return value
	case strings.EqualFold(m.Type, "Simple"):
		mask, shown := []rune(m.Text), []rune(value)
		if len(shown) <= len(mask) {
			return strings.Repeat("*", len(shown))
		}
		return string(mask) + string(shown[len(mask):])
	}
	masked, err := predicate.Mask(m.Expression, m.Text, value)
	if err != nil || !strings.EqualFold(m.Type, "Regex") {
		return strings.Repeat("*", len([]rune(value))) // what cannot be masked as asked is not shown at all
	}
	return masked
}
