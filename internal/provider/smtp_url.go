package provider

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
)

// ParseMailURL reads a mail server's URL into the settings of the smtp kind:
//
//	smtp://user:password@host:587?tls=starttls
//	smtps://user:password@host:465
//
// Every part may be percent-encoded. The scheme smtp means port 587 with STARTTLS and smtps means port 465 with
// implicit TLS, unless the URL says otherwise. The query takes every other setting of the kind by its name. Errors
// never quote the URL, which holds a password.
func ParseMailURL(raw string) (map[string]string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("mail URL: not a URL; percent-encode the characters of user name and password " +
			"that are neither letters nor digits")
	}
	settings := map[string]string{}
	switch u.Scheme {
	case "smtp":
		settings["port"], settings["tls"] = "587", "starttls"
	case "smtps":
		settings["port"], settings["tls"] = "465", "implicit"
	default:
		return nil, errors.New("mail URL: want smtp://user:password@host:587 or smtps://…")
	}
	if u.Hostname() == "" || u.Opaque != "" {
		return nil, errors.New("mail URL: the host is missing")
	}
	if strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return nil, errors.New("mail URL: text after the host; percent-encode / ? and # in user name and password")
	}
	settings["host"] = u.Hostname()
	if u.Port() != "" {
		settings["port"] = u.Port()
	}
	if u.User != nil {
		settings["username"] = u.User.Username()
		settings["password"], _ = u.User.Password()
	}
	if err := addMailQuery(settings, u.RawQuery); err != nil {
		return nil, fmt.Errorf("mail URL: %w", err)
	}
	return settings, nil
}

func addMailQuery(settings map[string]string, rawQuery string) error {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return errors.New("the part after ? is not name=value&name=value")
	}
	known := map[string]bool{}
	var names []string
	for _, f := range smtp().Fields() {
		switch f.Name {
		case "host", "port", "username", "password":
		default:
			known[f.Name] = true
			names = append(names, f.Name)
		}
	}
	for name, values := range query {
		switch {
		case !known[name]:
			return fmt.Errorf("unknown parameter %q%s", name, suggest.For(name, names))
		case len(values) != 1:
			return fmt.Errorf("parameter %s comes twice", name)
		}
		settings[name] = values[0]
	}
	return nil
}
