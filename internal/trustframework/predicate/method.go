package predicate

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// test is one predicate, ready to look at a value.
type test func(v claim.Value, today time.Time) (bool, error)

// predicate looks at a value.
func (r Rules) predicate(p *trustframework.Predicate, v claim.Value) (bool, error) {
	ready, err := prepare(p)
	if err == nil {
		var ok bool
		if ok, err = ready(v, r.Today); err == nil {
			return ok, nil
		}
	}
	return false, misuse(p.At, "predicate "+p.ID, err)
}

// method is one of predicates.md, "Predicate methods".
type method struct {
	name       string
	parameters []string
	prepare    func(parameters map[string]string) (test, error)
}

var methods = []method{
	{"IsDateRange", []string{"Minimum", "Maximum"}, isDateRange},
	{"IsLengthRange", []string{"Minimum", "Maximum"}, isLengthRange},
	{"IncludesCharacters", []string{"CharacterSet"}, includesCharacters},
	{"MatchesRegex", []string{"RegularExpression"}, matchesRegex},
}

// prepare reads a predicate's method and parameters. All parameters are required (predicates.md).
func prepare(p *trustframework.Predicate) (test, error) {
	var names []string
	for _, m := range methods {
		if !strings.EqualFold(m.name, p.Method) {
			names = append(names, m.name)
			continue
		}
		values := map[string]string{}
		for _, a := range p.Parameters {
			values[strings.ToLower(a.ID)] = a.Value
		}
		for _, name := range m.parameters {
			if strings.TrimSpace(values[strings.ToLower(name)]) == "" {
				return nil, fmt.Errorf("the method %s needs a parameter %s", m.name, name)
			}
		}
		return m.prepare(values)
	}
	return nil, fmt.Errorf("the method %s is not known%s", p.Method, suggest.For(p.Method, names))
}

func matchesRegex(parameters map[string]string) (test, error) {
	e, err := Compile(parameters["regularexpression"])
	if err != nil {
		return nil, fmt.Errorf("the parameter RegularExpression %w", err)
	}
	return func(v claim.Value, _ time.Time) (bool, error) { return e.Match(v.String()) }, nil
}

// isLengthRange counts as .NET does, in units of UTF-16.
func isLengthRange(parameters map[string]string) (test, error) {
	least, err := strconv.Atoi(strings.TrimSpace(parameters["minimum"]))
	most, err2 := strconv.Atoi(strings.TrimSpace(parameters["maximum"]))
	switch {
	case err != nil || err2 != nil || least < 0:
		return nil, errors.New("the parameters Minimum and Maximum must be whole numbers, of characters")
	case most < least:
		return nil, errors.New("the parameter Maximum is less than Minimum, so that no text has such a length")
	}
	return func(v claim.Value, _ time.Time) (bool, error) {
		n := len(utf16.Encode([]rune(v.String())))
		return least <= n && n <= most, nil
	}, nil
}

// includesCharacters wants one character of a set at least: the one of predicates.md with a-z "validates that the
// password contains a lowercase letter".
func includesCharacters(parameters map[string]string) (test, error) {
	set, err := readSet(parameters["characterset"])
	if err != nil {
		return nil, fmt.Errorf("the parameter CharacterSet %w", err)
	}
	return func(v claim.Value, _ time.Time) (bool, error) { return strings.ContainsFunc(v.String(), set.has), nil }, nil
}

// isDateRange holds a day between two, with both; each may be Today. A value that is no date is not between them.
func isDateRange(parameters map[string]string) (test, error) {
	for _, name := range []string{"minimum", "maximum"} {
		if _, err := dayOf(parameters[name], time.Time{}); err != nil {
			return nil, errors.New("the parameters Minimum and Maximum must be days such as 1970-01-31, or Today")
		}
	}
	return func(v claim.Value, today time.Time) (bool, error) {
		day, err := claim.Parse(claim.Date, v.String())
		if err != nil {
			return false, nil
		}
		least, _ := dayOf(parameters["minimum"], today)
		most, _ := dayOf(parameters["maximum"], today)
		return least <= day.String() && day.String() <= most, nil
	}, nil
}

// dayOf is a day as text that is in the order of days.
func dayOf(text string, today time.Time) (string, error) {
	text = strings.TrimSpace(text)
	if strings.EqualFold(text, "Today") {
		return today.UTC().Format(time.DateOnly), nil
	}
	day, err := time.Parse(time.DateOnly, text)
	return day.Format(time.DateOnly), err
}
