package config

import (
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

var durationType = reflect.TypeFor[time.Duration]()

// assign reads text into the field, and returns what is wrong with it.
func (f field) assign(text string, from Origin) *Problem {
	err := f.parse(text)
	if err == nil {
		err = f.bounds()
	}
	if err == nil {
		return nil
	}
	p := &Problem{Setting: f.Name, Origin: from, Value: text, What: err.Error(), Do: f.advice()}
	if f.Secret {
		p.Value = ""
	}
	return p
}

func (f field) parse(text string) error {
	if len(f.Choices) > 0 && !slices.Contains(f.Choices, text) {
		return errors.New("it is none of the choices")
	}
	if f.form != "" {
		if err := checkForm(f.form, text); err != nil {
			return err
		}
	}
	switch target := f.value.Addr().Interface().(type) {
	case **url.URL:
		return parsePublicURL(text, target)
	case *mail.Address:
		address, err := mail.ParseAddress(text)
		if err != nil {
			return errors.New("it is not a mail address")
		}
		*target = *address
		return nil
	case *slog.Level:
		if err := target.UnmarshalText([]byte(text)); err != nil {
			return errors.New("it is not a level")
		}
		return nil
	case *time.Duration:
		return parseDuration(text, target)
	case *[]netip.Prefix:
		return parseList(text, target, parsePrefix)
	case *[]string:
		return parseList(text, target, func(s string) (string, error) { return s, nil })
	case *[]Issuer:
		return parseList(text, target, func(s string) (i Issuer, err error) { return i, i.UnmarshalText([]byte(s)) })
	case encoding.TextUnmarshaler:
		return target.UnmarshalText([]byte(text))
	default:
		return f.parseKind(text)
	}
}

func (f field) parseKind(text string) error {
	switch f.value.Kind() {
	case reflect.Bool:
		b, err := parseBool(text)
		if err != nil {
			return err
		}
		f.value.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("it is not a whole number")
		}
		f.value.SetInt(int64(n))
	case reflect.String:
		f.value.SetString(text)
	default:
		panic("config: no text form for " + f.value.Type().String())
	}
	return nil
}

// bounds holds numbers and durations against the field's least and greatest value.
func (f field) bounds() error {
	if f.min == "" {
		return nil
	}
	low, high := f.bound(f.min), f.bound(f.max)
	switch n := f.value.Int(); {
	case n < low:
		return fmt.Errorf("it is below %s", f.min)
	case n > high:
		return fmt.Errorf("it is above %s", f.max)
	}
	return nil
}

// bound reads a limit in the tags; a test reads each of them.
func (f field) bound(text string) int64 {
	if f.value.Type() == durationType {
		d, err := time.ParseDuration(text)
		if err != nil {
			panic(err)
		}
		return int64(d)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// advice is what to write instead.
func (f field) advice() string {
	switch {
	case len(f.Choices) > 0:
		return "write one of " + strings.Join(f.Choices, ", ")
	case f.min != "" && f.value.Type() == durationType:
		return "write a duration from " + f.min + " to " + f.max + ", such as " + f.Default
	case f.min != "":
		return "write a number from " + f.min + " to " + f.max
	case f.Bool:
		return "write true or false"
	case f.value.Type() == reflect.TypeFor[Limits]():
		return "write counts and windows such as " + f.Default + ", or off"
	default:
		return "write " + f.example()
	}
}

// example is a value that works, for settings whose form is not plain from their kind.
func (f field) example() string {
	switch f.Name {
	case "public_url":
		return "a URL such as https://otp.example.com"
	case "trusted_proxies":
		return "networks such as 10.0.0.0/8,fd00::/8"
	case "database":
		return "sqlite:otpost.db or postgres://user:password@host/name"
	case "log_level":
		return "debug, info, warn or error"
	case "mail_url":
		return "a URL such as smtp://user:password@mail.example.com:587?tls=starttls"
	case "mail_from":
		return "an address such as code@example.com, or Shop <code@example.com>"
	case "b2c_settings":
		return "pairs such as Tenant=contoso.onmicrosoft.com,Environment=test"
	case "entra_issuers":
		return "pairs such as https://login.example.com/v2.0=https://login.example.com/v2.0/.well-known/openid-configuration"
	case "entra_subdomain":
		return "the first part of the host, such as contoso for contoso.ciamlogin.com"
	}
	if f.form == "guid" {
		return "a GUID such as 11111111-2222-3333-4444-555555555555"
	}
	if f.Default != "" {
		return "a value such as " + f.Default
	}
	return "a value such as " + f.Placeholder
}

// parseBool takes YAML's older words for true and false as well.
func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	default:
		return false, errors.New("it is neither true nor false")
	}
}

func parseDuration(text string, to *time.Duration) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("it is not a duration")
	}
	*to = d
	return nil
}

// parsePublicURL wants an absolute http or https URL without what a base cannot carry. A slash at its end is dropped.
func parsePublicURL(text string, to **url.URL) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return errors.New("it is not an http or https URL")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("a base URL has no user, query or fragment")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	*to = u
	return nil
}

// parsePrefix reads a network, or one address as the network of itself. The network of everybody is refused: whoever
// is trusted to name the client's address can name any.
func parsePrefix(text string) (netip.Prefix, error) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		if prefix.Bits() == 0 {
			return netip.Prefix{}, fmt.Errorf("%q would let anybody choose the address that limits count", text)
		}
		return prefix.Masked(), nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a network", text)
	}
	return netip.PrefixFrom(address, address.BitLen()), nil
}

// parseList reads a comma-separated list; empty parts are skipped.
func parseList[T any](text string, to *[]T, parse func(string) (T, error)) error {
	var list []T
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		item, err := parse(part)
		if err != nil {
			return err
		}
		list = append(list, item)
	}
	*to = list
	return nil
}

// show is the text form of the field's value, secrets masked. Reading it again gives the same value, secrets aside.
func (f field) show() string {
	switch v := f.value.Interface().(type) {
	case *url.URL:
		if v == nil {
			return ""
		}
		return v.String()
	case mail.Address:
		return showSender(v)
	case slog.Level:
		return strings.ToLower(v.String())
	case time.Duration:
		return shortDuration(v)
	case []netip.Prefix:
		return join(v, netip.Prefix.String)
	case []string:
		return strings.Join(v, ",")
	case []Issuer:
		return join(v, Issuer.String)
	default:
		return fmt.Sprint(v)
	}
}

// showSender leaves a name in any script readable, where mail.Address would encode it.
func showSender(a mail.Address) string {
	switch {
	case a.Name == "":
		return a.Address
	case strings.ContainsAny(a.Name, `"\\`), strings.ContainsFunc(a.Name, unicode.IsControl):
		return a.String()
	default:
		return `"` + a.Name + `" <` + a.Address + ">"
	}
}

func join[T any](list []T, text func(T) string) string {
	parts := make([]string, len(list))
	for i, item := range list {
		parts[i] = text(item)
	}
	return strings.Join(parts, ",")
}
