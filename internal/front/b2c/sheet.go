package b2c

import (
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// sheet is what the template of a page is drawn from.
type sheet struct {
	// Path is where the form goes, Again the page itself.
	Path, Again string
	// Fault is what the person is told, at the control FaultAt or at the top. Reason is what a policy's author has to know.
	Fault, FaultAt, Reason string
	// Nothing leaves the form out.
	Nothing  bool
	Lines    []lineView
	Continue string
	// Pending leaves the first place to the button of a control that is not verified yet; Ready puts the cursor on Continue.
	Pending, Ready bool
	// Default is what Enter does in any field, where that is not what the first button does.
	Default string
	// Finished shows Results in place of the form.
	Finished bool
	Results  []resultView

	typed url.Values
	// at is the control whose button was pressed, do what that does.
	at, do string
	// wrong is the claim whose value was not taken.
	wrong string
}

// lineView is a field or a display control.
type lineView struct {
	Field   *fieldView
	Control *controlView
}

// fieldView is one claim on a page.
type fieldView struct {
	execute.Field
	// ID is the element's, Name the form's.
	ID, Name string
	// Widget is input, select, radio, checkbox or text; Type, Mode and Complete are attributes of an input.
	Widget, Type, Mode, Complete string
	Items                        []itemView
	// Code makes the field one for a code of a few characters.
	Code bool
	// Focus puts the cursor here.
	Focus bool
	// Fault is what is wrong with the value, Invalid that it is the value, and Told the id of a fault that is told elsewhere.
	Fault, Told string
	Invalid     bool
	// Locked shows the value alone: it was used for a code, and the session has it.
	Locked bool
}

type itemView struct {
	ID, Text, Value string
	Chosen          bool
}

// controlView is one display control on a page.
type controlView struct {
	execute.PageControl
	Fields []*fieldView
	Fault  string
	Image  template.HTML
}

// Text is one of the control's texts.
func (c controlView) Text(id string) string { return c.Texts[id] }

type resultView struct{ Name, Value string }

// fill makes a view of a page, with what was typed where nothing else is known.
func (s *sheet) fill(v *visit, page execute.Page, draw func(string) (string, error)) error {
	s.Path, s.Again, s.Continue = v.path(), v.again(), page.Continue
	ids := 0
	view := func(f execute.Field, locked bool) *fieldView {
		ids++
		return s.field(f, fmt.Sprintf("f%d", ids), locked)
	}
	for _, line := range page.Lines {
		if line.Control == nil {
			s.Lines = append(s.Lines, lineView{Field: view(*line.Field, false)})
			continue
		}
		control, err := s.control(*line.Control, view, draw)
		if err != nil {
			return err
		}
		s.Lines = append(s.Lines, lineView{Control: control})
	}
	s.order()
	s.focus()
	return nil
}

func (s *sheet) control(c execute.PageControl, view func(execute.Field, bool) *fieldView, draw func(string) (string, error)) (*controlView, error) {
	control := &controlView{PageControl: c}
	for _, f := range c.Fields {
		if hidden(c, f) {
			continue
		}
		control.Fields = append(control.Fields, view(f, locked(c, f)))
	}
	if c.ID == s.at {
		control.Fault, s.FaultAt = s.Fault, s.at
	}
	if c.QR == "" || draw == nil {
		return control, nil
	}
	image, err := draw(c.QR)
	control.Image = template.HTML(image)
	return control, err
}

// isCode tells where the code is entered.
func isCode(f execute.Field) bool { return strings.EqualFold(f.Kind, "VerificationCode") }

// hidden keeps the code's field back until there is a code to enter, as B2C does.
func hidden(c execute.PageControl, f execute.Field) bool {
	return c.Type == "VerificationControl" && isCode(f) && (!c.Sent || c.Verified)
}

// locked keeps what a code was sent to from being changed behind it, until the button for that is pressed.
func locked(c execute.PageControl, f execute.Field) bool {
	return c.Type == "VerificationControl" && (c.Sent || c.Verified) && !isCode(f)
}

// digitsOnly finds patterns that no letter meets, for which a keypad is enough.
var digitsOnly = regexp.MustCompile(`^\^?(?:\\d|\[0-9\])(?:\{\d+(?:,\d*)?\}|\+|\*)?\$?$`)

// sixDigits finds codes outside of a control, as that of an authenticator app: six digits under the name of a code. Anything
// else may be somebody's post code.
func sixDigits(f execute.Field) bool {
	name := strings.ToLower(f.Claim)
	return (f.Pattern == `^[0-9]{6}$` || f.Pattern == `^\d{6}$`) && (strings.Contains(name, "otp") || strings.HasSuffix(name, "code")) &&
		!strings.HasPrefix(name, "post") && !strings.HasPrefix(name, "zip")
}

func (s *sheet) field(f execute.Field, id string, locked bool) *fieldView {
	view := &fieldView{Field: f, ID: id, Name: fieldPrefix + f.Claim, Widget: "input", Type: "text", Locked: locked}
	values := []string{f.Value}
	if typed, ok := s.typed[view.Name]; ok && !locked && !shownOnly(f) {
		values = typed
	} else if strings.EqualFold(f.Input, "CheckboxMultiSelect") {
		values = strings.Split(f.Value, ",")
	}
	view.Value = strings.Join(values, ",")
	switch input := strings.ToLower(f.Input); {
	case shownOnly(f):
		view.Widget = "text"
	case strings.HasPrefix(input, "dropdown"):
		view.Widget = "select"
	case strings.HasPrefix(input, "radio"):
		view.Widget = "radio"
	case strings.HasPrefix(input, "checkbox"):
		view.Widget = "checkbox"
	case input == "password":
		view.Type, view.Value, view.Complete = "password", "", "off"
	case input == "emailbox" || strings.EqualFold(f.Kind, "Email"):
		view.Type, view.Complete = "email", "email"
	case input == "datetimedropdown":
		view.Type = "date"
	case strings.EqualFold(f.Kind, "Phone"):
		view.Type, view.Complete = "tel", "tel"
	}
	if isCode(f) || sixDigits(f) {
		view.Code, view.Complete = view.Type == "text", "one-time-code"
	}
	if digitsOnly.MatchString(f.Pattern) {
		view.Mode = "numeric"
	}
	for i, c := range f.Choices {
		chosen := slices.Contains(values, c.Value) || view.Value == "" && c.Selected
		view.Items = append(view.Items, itemView{fmt.Sprintf("%s-%d", id, i), c.Text, c.Value, chosen})
	}
	return view
}

// finish shows what a profile answered, as a page may show it: not what a person types unseen, and no more of a value than
// the policy's mask leaves. Whoever is at a page has not shown that the value is theirs.
func (s *sheet) finish(p *trustframework.Policy, result execute.Result) {
	s.Finished = true
	if result.Claims == nil {
		return
	}
	for name, v := range result.Claims.All() {
		text := v.String()
		switch declared, ok := p.Claim(name); {
		case ok && strings.EqualFold(declared.UserInput, "Password"):
			text = "\u2022\u2022\u2022"
		case ok:
			text = execute.Masked(declared.Mask, text)
		}
		s.Results = append(s.Results, resultView{name, text})
	}
}
