package config

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"regexp/syntax"
	"strconv"
)

var (
	languageForm = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`)
	guidForm     = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	labelForm    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// checkForm holds text against the form that a setting's tag names.
func checkForm(form, text string) error {
	switch form {
	case "address":
		return checkAddress(text)
	case "alphabet":
		return checkAlphabet(text)
	case "language":
		return matches(languageForm, text, "it is not a language tag")
	case "guid":
		return matches(guidForm, text, "it is not a GUID")
	case "label":
		return matches(labelForm, text, "it is not one label of a host name")
	case "line":
		return checkLine(text)
	case "azureconnection":
		return checkAzureConnection(text)
	case "sendgridkey":
		return matches(sendgridKeyForm, text, "it is not an API key of SendGrid, which begins with SG.")
	case "sendgridtemplate":
		return matches(sendgridTemplateForm, text, "it is not the id of a dynamic template, which begins with d-")
	default:
		panic("config: unknown form " + form)
	}
}

func matches(form *regexp.Regexp, text, what string) error {
	if !form.MatchString(text) {
		return errors.New(what)
	}
	return nil
}

func checkAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New("it is not host:port (a port alone is written :8080)")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	return nil
}

// checkAlphabet wants the body of one character class with at least ten printable ASCII characters. The engine checks
// it again; here it is refused beside every other wrong setting.
func checkAlphabet(text string) error {
	re, err := syntax.Parse("["+text+"]", syntax.Perl)
	if err != nil || (re.Op != syntax.OpCharClass && re.Op != syntax.OpLiteral) {
		return errors.New("it is not the body of a regular-expression character class")
	}
	count := 0
	for i := 0; re.Op == syntax.OpCharClass && i < len(re.Rune); i += 2 {
		if re.Rune[i] <= ' ' || re.Rune[i+1] > '~' {
			return errors.New("it holds characters that are not printable ASCII")
		}
		count += int(re.Rune[i+1]-re.Rune[i]) + 1
	}
	if count < 10 {
		return errors.New("it has fewer than 10 distinct characters")
	}
	return nil
}
