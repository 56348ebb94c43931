package b2c

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// What the buttons of a page do; those of a control have its id behind a colon.
const (
	doSend     = "send"
	doVerify   = "verify"
	doChange   = "change"
	doContinue = "continue"
	doAnew     = "anew"
)

// fieldPrefix begins the names of fields that are claims.
const fieldPrefix = "claim."

// post does what the button says that was pressed, and shows the page with what came of it.
func (p *pages) post(v *visit) error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxBody)
	var large *http.MaxBytesError
	switch err := v.r.ParseForm(); {
	case errors.As(err, &large):
		return front.Unread(large)
	case err != nil:
		return front.Problem{Status: http.StatusBadRequest, Code: "malformed_form", Title: "Body is not a form",
			Detail: "The form could not be read."}
	}
	do, id, _ := strings.Cut(v.r.PostForm.Get("do"), ":")
	if do == doAnew {
		v.request.Session = p.fresh(v)
		return p.show(v)
	}
	page, err := p.Runner.Page(v.r.Context(), v.request)
	if err != nil {
		return err
	}
	s := sheet{typed: v.r.PostForm}
	switch do {
	case doContinue:
		if v.target.profile != "" {
			err = p.proceed(v, page, &s)
		}
	case doSend, doVerify, doChange:
		if c := controlOf(page, id); c != nil {
			err = p.press(v, do, c, &s)
		}
	}
	if err != nil {
		return err
	}
	if page, err = p.Runner.Page(v.r.Context(), v.request); err != nil {
		return err
	}
	status := http.StatusOK
	if s.Fault != "" {
		status = http.StatusUnprocessableEntity
	}
	return p.write(v, status, page, s)
}

// proceed runs the profile that the page is of.
func (p *pages) proceed(v *visit, page execute.Page, s *sheet) error {
	claims, ok := v.take(fieldsOf(page), s)
	if !ok {
		return nil
	}
	q := v.request
	q.Claims = claims
	result, err := p.Runner.Run(v.r.Context(), q)
	if err != nil {
		for _, line := range page.Lines {
			if line.Field != nil && sixDigits(*line.Field) {
				s.typed.Del(fieldPrefix + line.Field.Claim)
			}
		}
		return p.told(v, err, s)
	}
	s.finish(v.target.policy, result)
	return nil
}

func controlOf(page execute.Page, id string) *execute.PageControl {
	for _, line := range page.Lines {
		if line.Control != nil && strings.EqualFold(line.Control.ID, id) {
			return line.Control
		}
	}
	return nil
}

// inputsOf are the fields of a control that a person can fill now.
func inputsOf(c *execute.PageControl) (fields []execute.Field) {
	for _, f := range c.Fields {
		if !hidden(*c, f) && !locked(*c, f) {
			fields = append(fields, f)
		}
	}
	return fields
}

// fieldsOf are the fields of a page that can be filled now, those of its controls too.
func fieldsOf(page execute.Page) (fields []execute.Field) {
	for _, line := range page.Lines {
		if line.Control != nil {
			fields = append(fields, inputsOf(line.Control)...)
		} else {
			fields = append(fields, *line.Field)
		}
	}
	return fields
}

// press runs an action of a display control.
func (p *pages) press(v *visit, do string, c *execute.PageControl, s *sheet) error {
	s.at, s.do = c.ID, do
	if do == doChange {
		if kept := v.request.Session.Controls[trustframework.Fold(c.ID)]; kept != nil {
			kept.Sent, kept.Verified = false, false
		}
		s.forget(c)
		return nil
	}
	claims, ok := v.take(inputsOf(c), s)
	if !ok {
		return nil
	}
	q := v.request
	q.Profile, q.Control, q.Action, q.Claims = "", c.ID, "SendCode", claims
	if do == doVerify {
		q.Action = "VerifyCode"
	}
	if v.target.profile != "" {
		q.Host = v.target.profile
	}
	_, err := p.Runner.Run(v.r.Context(), q)
	s.forget(c)
	if err != nil {
		return p.told(v, err, s)
	}
	return nil
}

// told keeps what the person is told; any other error goes on.
func (p *pages) told(v *visit, err error, s *sheet) error {
	var told *execute.Told
	if !errors.As(err, &told) {
		return err
	}
	p.logRefusal(v.r, v.target, told)
	s.Fault, s.wrong = told.Text, told.Failure.Claim
	return nil
}

// take reads the claims that the page asks for, and no others. What is only shown is never taken from a form: it may be
// masked, and is whatever somebody writes into the request.
func (v *visit) take(fields []execute.Field, s *sheet) (*claim.Bag, bool) {
	claims := &claim.Bag{}
	for _, f := range fields {
		values, given := v.r.PostForm[fieldPrefix+f.Claim]
		declared, known := v.target.policy.Claim(f.Claim)
		if shownOnly(f) || !given || !known {
			continue
		}
		t := claim.TypeOf(declared.DataType)
		if valueless(t, strings.Join(values, "")) {
			continue
		}
		value, err := valueOf(t, values)
		if err != nil {
			s.Fault, s.wrong = f.Label+": "+err.Error()+".", f.Claim
			return nil, false
		}
		claims.Set(declared.ID, value)
	}
	return claims, true
}

// valueOf is what a form has of a claim. Boxes that are ticked come one by one, and an empty one with them, so that no box
// at all is told from no such field.
func valueOf(t claim.Type, values []string) (claim.Value, error) {
	values = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" })
	if err := fit(values); err != nil {
		return claim.Value{}, err
	}
	if t == claim.StringCollection {
		return claim.List(values...), nil
	}
	return claim.Parse(t, strings.Join(values, ","))
}

// shownOnly reports whether a field takes no input.
func shownOnly(f execute.Field) bool {
	return f.ReadOnly || strings.EqualFold(f.Input, "Readonly") || strings.EqualFold(f.Input, "Paragraph")
}

// forget drops the code that was typed into a control: it is not the one that comes now, or was wrong, and the next would be
// typed in front of it.
func (s *sheet) forget(c *execute.PageControl) {
	for _, f := range c.Fields {
		if isCode(f) {
			s.typed.Del(fieldPrefix + f.Claim)
		}
	}
}
