package auth0

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
)

// wanted is the body of POST and PATCH (npm auth0 7.1.0, CreateEmailProviderRequestContent). Nil means not given.
type wanted struct {
	name          *string
	enabled       *bool
	from          *string
	credentials   map[string]json.RawMessage
	settings      map[string]json.RawMessage // by dotted path of two
	settingsGiven bool
}

const maxBody = 64 << 10

// fields are the members of an email provider, in the order they are answered.
func fields() []string {
	return []string{"name", "enabled", "default_from_address", "credentials", "settings"}
}

func read(w http.ResponseWriter, r *http.Request) (*wanted, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, errMedia
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			return nil, errTooLarge
		}
		return nil, badBody("the body could not be read")
	}
	given, err := object("", body)
	if err != nil {
		return nil, badBody(err.Error())
	}
	asked := &wanted{}
	for member, value := range given {
		if err := asked.take(member, value); err != nil {
			return nil, badBody(err.Error())
		}
	}
	return asked, nil
}

// take reads one member. A null is as good as absent, but for settings, which it takes away.
func (a *wanted) take(member string, value json.RawMessage) (err error) {
	null := string(value) == "null"
	switch member {
	case "name":
		err = scalar(value, &a.name, "a string")
	case "enabled":
		err = scalar(value, &a.enabled, "true or false")
	case "default_from_address":
		err = scalar(value, &a.from, "a string")
	case "credentials":
		if !null {
			a.credentials, err = object("credentials", value)
		}
		return err
	case "settings":
		a.settingsGiven = true
		if !null {
			a.settings, err = nested(value)
		}
		return err
	default:
		return fmt.Errorf("unknown member %q%s", member, suggest.For(member, fields()))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", member, err)
	}
	return nil
}

func scalar[T any](value json.RawMessage, into **T, want string) error {
	if json.Unmarshal(value, into) != nil {
		return errors.New("want " + want)
	}
	return nil
}

// nested reads an object of objects into dotted paths. A value that is no object keeps its own name.
func nested(raw json.RawMessage) (map[string]json.RawMessage, error) {
	outer, err := object("settings", raw)
	if err != nil {
		return nil, err
	}
	all := map[string]json.RawMessage{}
	for member, value := range outer {
		if !bytes.HasPrefix(value, []byte("{")) {
			all[member] = value
			continue
		}
		inner, err := object("settings."+member, value)
		if err != nil {
			return nil, err
		}
		for below, value := range inner {
			all[member+"."+below] = value
		}
	}
	return all, nil
}

// object reads the members of a JSON object. One that comes twice is refused: which of the two is meant, nobody knows.
func object(place string, raw []byte) (map[string]json.RawMessage, error) {
	at := func(text string) error {
		if place != "" {
			text = place + ": " + text
		}
		return errors.New(text)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, at("want a JSON object")
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, at("not JSON")
		}
		member, _ := key.(string) // an object's key is always a string
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, at("not JSON")
		}
		if _, twice := members[member]; twice {
			return nil, at(fmt.Sprintf("member %q comes twice", member))
		}
		members[member] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, at("not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, at("there is text after the JSON object")
	}
	return members, nil
}

// shownProvider is what is answered.
type shownProvider struct {
	Name        *string        `json:"name,omitempty"`
	Enabled     *bool          `json:"enabled,omitempty"`
	From        *string        `json:"default_from_address,omitempty"`
	Credentials map[string]any `json:"credentials,omitzero"`
	Settings    map[string]any `json:"settings,omitzero"`
}

// choose leaves the fields that the query asks for: name and enabled when it names none, those it names, or, with
// include_fields=false, the others (npm auth0 7.1.0, GetEmailProviderRequestParameters).
func choose(p shownProvider, query url.Values) (shownProvider, error) {
	chosen, include := []string{"name", "enabled"}, true
	for parameter, values := range query {
		switch {
		case parameter != "fields" && parameter != "include_fields":
			return p, badQuery(fmt.Sprintf("unknown parameter %q%s", parameter, suggest.For(parameter, []string{"fields", "include_fields"})))
		case len(values) > 1:
			return p, badQuery(parameter + " comes twice")
		}
	}
	if text := query.Get("fields"); text != "" {
		chosen = strings.Split(text, ",")
		for _, field := range chosen {
			if !slices.Contains(fields(), field) {
				return p, badQuery(fmt.Sprintf("fields: unknown field %q%s", field, suggest.For(field, fields())))
			}
		}
		switch query.Get("include_fields") {
		case "", "true":
		case "false":
			include = false
		default:
			return p, badQuery("include_fields: want true or false")
		}
	}
	if slices.Contains(chosen, "name") != include {
		p.Name = nil
	}
	if slices.Contains(chosen, "enabled") != include {
		p.Enabled = nil
	}
	if slices.Contains(chosen, "default_from_address") != include {
		p.From = nil
	}
	if slices.Contains(chosen, "credentials") != include {
		p.Credentials = nil
	}
	if slices.Contains(chosen, "settings") != include {
		p.Settings = nil
	}
	return p, nil
}

func list(words []string) string { return strings.Join(words, ", ") }
