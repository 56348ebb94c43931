package config

import (
	"errors"
	"net/url"
	"strings"
)

// mask stands for a secret wherever settings are shown.
const mask = "********"

// Secret is a text that is never shown: only Reveal returns it.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// GoString keeps the secret out of %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText keeps the secret out of JSON and logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// SecretURL is a URL that may hold a password: only Reveal returns it whole.
type SecretURL struct{ url *url.URL }

// Reveal returns the URL with its password, nil when none was set.
func (u SecretURL) Reveal() *url.URL { return u.url }

// IsZero reports whether none was set.
func (u SecretURL) IsZero() bool { return u.url == nil }

func (u SecretURL) String() string {
	if u.url == nil {
		return ""
	}
	return maskURL(u.url)
}

// GoString keeps the password out of %#v.
func (u SecretURL) GoString() string { return u.String() }

// MarshalText keeps the password out of JSON and logs.
func (u SecretURL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText wants a scheme and a host. Its error never repeats the text.
func (u *SecretURL) UnmarshalText(text []byte) error {
	parsed, err := parseSecretURL(string(text))
	if err != nil {
		return err
	}
	if parsed.Host == "" {
		return errors.New("it names no host")
	}
	u.url = parsed
	return nil
}

// parseSecretURL is url.Parse with an error that does not repeat the text, since the text may hold a password.
func parseSecretURL(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("it is not a URL (a password needs percent-encoding: @ is %40, / is %2F, # is %23)")
	}
	if parsed.Scheme == "" || parsed.Opaque != "" {
		return nil, errors.New("it does not begin with a scheme and ://")
	}
	return parsed, nil
}

// maskURL is the URL with the password and every query value that could be one masked. What is not known to be
// harmless is taken for a secret.
func maskURL(u *url.URL) string {
	shown := *u
	if password, set := u.User.Password(); set && password != "" {
		shown.User = url.UserPassword(u.User.Username(), mask)
	}
	query := shown.Query()
	for name, values := range query {
		if harmless(name) {
			continue
		}
		for i := range values {
			values[i] = mask
		}
	}
	shown.RawQuery = query.Encode()
	return strings.ReplaceAll(shown.String(), url.QueryEscape(mask), mask)
}

// harmless names the query parameters of mail servers and PostgreSQL that may be shown.
func harmless(parameter string) bool {
	switch parameter {
	case "tls", "auth", "host", "port", "user", "dbname", "sslmode", "application_name", "connect_timeout",
		"target_session_attrs", "search_path", "pool_max_conns", "pool_min_conns", "timezone":
		return true
	default:
		return false
	}
}
