package b2c

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// The members of a body that are no claims. Their names are such that no policy has claims of the same.
const (
	sessionMember     = "otpost_session"
	ipMember          = "otpost_ip"
	localeMember      = "otpost_locale"
	correlationMember = "otpost_correlation_id"
)

// input is the body of a call.
type input struct {
	claims *claim.Bag
	// session is the token, ip the person's address, locale what the person reads; each may be empty.
	session, ip, locale, correlation string
}

// read reads claims by their ids: a flat JSON object, as a RESTful technical profile posts it with SendClaimsIn Body, or
// a form, as with SendClaimsIn Form (restful-technical-profile.md). Its error is a front.Problem.
func read(w http.ResponseWriter, r *http.Request, p *trustframework.Policy) (*input, error) {
	body, form, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	c := collector{input: &input{claims: &claim.Bag{}}, policy: p, seen: map[string]bool{}}
	switch {
	case form:
		err = c.form(body)
	case len(body) > 0:
		err = c.object(body)
	}
	if err == nil && len(c.faults) > 0 {
		err = invalid(c.faults...)
	}
	return c.input, err
}

// collector gathers claims and what is wrong with them.
type collector struct {
	*input
	policy *trustframework.Policy
	seen   map[string]bool
	faults []front.FieldError
}

// maxFaults is how many members an answer names.
const maxFaults = 16

func (c *collector) fault(field, format string, args ...any) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, front.FieldError{Field: cut(field), Detail: fmt.Sprintf(format, args...)})
	}
}

// object reads JSON. A member that comes twice would have two meanings, so it is refused, which encoding/json is not.
func (c *collector) object(body []byte) error {
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	if open, err := in.Token(); err != nil || open != json.Delim('{') {
		return malformed("Send one flat JSON object of claims by claim id.")
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return notJSON(in)
		}
		var value any
		if err := in.Decode(&value); err != nil {
			return notJSON(in)
		}
		c.take(name.(string), value) // a member's name is a string (RFC 8259 §4)
	}
	if _, err := in.Token(); err != nil {
		return notJSON(in)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return malformed("There is more after the end of the object.")
	}
	return nil
}

// notJSON names the place alone: the decoder's own words repeat what it read.
func notJSON(in *json.Decoder) error {
	return malformed(fmt.Sprintf("It is no JSON from byte %d on.", in.InputOffset()))
}

// form reads a form. A name that comes twice is a list.
func (c *collector) form(body []byte) error {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return front.Problem{Status: http.StatusBadRequest, Code: "malformed_form", Title: "Body is not a form",
			Detail: "Send names and values as application/x-www-form-urlencoded has them."}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list := values[name]
		if len(list) == 1 {
			c.take(name, list[0])
			continue
		}
		items := make([]any, len(list))
		for i, item := range list {
			items[i] = item
		}
		c.take(name, items)
	}
	return nil
}

// take keeps one member.
func (c *collector) take(name string, value any) {
	key := strings.ToLower(strings.TrimSpace(name))
	if c.seen[key] {
		c.fault(name, "is given twice; claims are told apart without case")
		return
	}
	c.seen[key] = true
	if value == nil {
		return // a claim without a value is one that is not there, as in B2C
	}
	if to := c.reserved(key); to != nil {
		text, ok := value.(string)
		if !ok {
			c.fault(name, "must be a string")
		}
		*to = text
		return
	}
	declared, ok := c.policy.Claim(name)
	if !ok && len(c.faults) == maxFaults {
		return // looking for what is near costs more than the rest
	}
	if !ok {
		c.fault(name, "is no claim of the policy %s%s", c.policy.ID, near(name, c.names()))
		return
	}
	t := claim.TypeOf(declared.DataType)
	if text, ok := value.(string); ok && valueless(t, text) {
		return
	}
	v, err := claim.FromJSON(t, value)
	if err != nil {
		c.fault(name, "%v", err)
		return
	}
	if err := fit(v.Items()); err != nil {
		c.fault(name, "%v", err)
		return
	}
	c.claims.Set(declared.ID, v)
}

// fit refuses what no claim may hold. A form can have both, percent-encoded.
func fit(texts []string) error {
	for _, text := range texts {
		switch {
		case strings.ContainsRune(text, 0):
			return errors.New("holds the character U+0000")
		case !utf8.ValidString(text):
			return errors.New("is not valid UTF-8")
		}
	}
	return nil
}

// valueless reports whether a text says that there is no value: of a number or a date, which cannot be empty, a form has
// one all the same.
func valueless(t claim.Type, text string) bool {
	return text == "" && slices.Contains([]claim.Type{claim.Boolean, claim.Int, claim.Long, claim.DateTime, claim.Date}, t)
}

func (c *collector) reserved(key string) *string {
	switch key {
	case sessionMember:
		return &c.session
	case ipMember:
		return &c.ip
	case localeMember:
		return &c.locale
	case correlationMember:
		return &c.correlation
	}
	return nil
}

// names are those that a member can have.
func (c *collector) names() []string {
	names := []string{sessionMember, ipMember, localeMember, correlationMember}
	for _, declared := range c.policy.Claims {
		names = append(names, declared.ID)
	}
	return names
}

// invalid is the problem of members that cannot be used.
func invalid(faults ...front.FieldError) error {
	detail := "See errors for the members at fault."
	if len(faults) == 1 {
		detail = sentence(faults[0].Field + " " + faults[0].Detail)
	}
	return front.Problem{Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Request not valid",
		Detail: detail, Errors: faults}
}
