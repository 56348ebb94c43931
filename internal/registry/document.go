package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/suggest"
)

// Kind is what a document is about, in the singular: "provider".
type Kind string

// The kinds of documents.
const (
	ProviderKind    Kind = "provider"
	RouteKind       Kind = "route"
	PolicyKind      Kind = "policy"
	ApplicationKind Kind = "application"
	HouseKind       Kind = "house"
	TemplateKind    Kind = "template"
	GuardKind       Kind = "guard"
	// SubscriptionKind is who is told of what happens.
	SubscriptionKind Kind = "subscription"
)

// Kinds lists every kind in the order in which documents depend on each other: what comes later names what comes before.
func Kinds() []Kind {
	return []Kind{ProviderKind, RouteKind, PolicyKind, ApplicationKind, HouseKind, TemplateKind, GuardKind, SubscriptionKind}
}

// Plural is the kind's name in paths and files, such as "providers" and "policies".
func (k Kind) Plural() string {
	if stem, ok := strings.CutSuffix(string(k), "y"); ok {
		return stem + "ies"
	}
	return string(k) + "s"
}

// blank returns an empty document body of a kind, nil for a kind that there is not.
func blank(k Kind) any {
	switch k {
	case ProviderKind:
		return &Provider{}
	case RouteKind:
		return &Route{}
	case PolicyKind:
		return &Policy{}
	case ApplicationKind:
		return &Application{}
	case HouseKind:
		return &House{}
	case TemplateKind:
		return &compose.TemplateDocument{}
	case GuardKind:
		return &Guard{}
	case SubscriptionKind:
		return &Subscription{}
	}
	return nil
}

// Provider is one account with a company that sends messages.
type Provider struct {
	// Kind is a provider.Kind's name.
	Kind string `json:"kind"`
	// Disabled takes the provider out of every route without deleting it.
	Disabled bool `json:"disabled,omitempty"`
	// Settings are the kind's own. Secrets among them are Secret.
	Settings map[string]json.RawMessage `json:"settings"`
	// Rate bounds what the provider is given, over all nodes.
	Rate *Rate `json:"rate,omitempty"`
}

// Rate is at most Messages in any window of Per.
type Rate struct {
	Messages int      `json:"messages"`
	Per      Duration `json:"per"`
}

// Route says which providers a message is tried with, in which order.
type Route struct {
	Channel outbox.Channel `json:"channel"`
	// Disabled takes the route away without deleting it: messages go the way they would go without it.
	Disabled bool `json:"disabled,omitempty"`
	// Match says which messages the route is for; an empty member matches all.
	Match Match `json:"match,omitzero"`
	// Priority decides between routes that match: the highest wins, then the narrower match, then the name.
	Priority  int        `json:"priority,omitempty"`
	Providers []RouteLeg `json:"providers"`
	// Hedge is how long a provider may be silent before the next is asked as well; none is never.
	Hedge Duration `json:"hedge,omitempty"`
}

// Match is which messages a route is for. Within a list one member must fit, and each list that is not empty must.
type Match struct {
	Applications []string `json:"applications,omitempty"`
	Purposes     []string `json:"purposes,omitempty"`
	// Countries are ISO 3166-1 codes of two letters, Prefixes the beginnings of E.164 numbers such as "+33".
	Countries []string `json:"countries,omitempty"`
	Prefixes  []string `json:"prefixes,omitempty"`
	// Domains are mail domains; one that begins with a dot is all below it.
	Domains []string `json:"domains,omitempty"`
}

// RouteLeg is one provider of a route.
type RouteLeg struct {
	Provider string `json:"provider"`
	// Weight shares messages among neighbours that have one: of weights 3 and 1 the first is tried first three times out
	// of four. Without a weight the order is as written.
	Weight int `json:"weight,omitempty"`
}

// Policy is passcode.Policy as it is written. A member that is missing is the default's.
type Policy struct {
	Alphabet       *string   `json:"alphabet,omitempty"`
	Length         *int      `json:"length,omitempty"`
	Lifetime       *Duration `json:"lifetime,omitempty"`
	Tries          *int      `json:"tries,omitempty"`
	Resends        *int      `json:"resends,omitempty"`
	ResendInterval *Duration `json:"resend_interval,omitempty"`
	FreshCode      *bool     `json:"fresh_code,omitempty"`
	Lockout        *Duration `json:"lockout,omitempty"`
}

// Application is what is set for an application beside its keys. The document's name is the application's.
type Application struct {
	// Domain is the host on the origin-bound last line of its messages.
	Domain string `json:"domain,omitempty"`
	// Policy names the policy of requests that name none.
	Policy string `json:"policy,omitempty"`
}

// Duration is a length of time, written as "90s" or "10m".
type Duration time.Duration

// MarshalText writes it in Go's form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads it in Go's form.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return errors.New("want a duration such as 90s or 10m")
	}
	*d = Duration(parsed)
	return nil
}

const (
	maxName = 64
	maxBody = 256 << 10
)

// checkName refuses what could not stand in a path, a log or a route.
func checkName(name string) error {
	bad := strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	})
	if name == "" || len(name) > maxName || bad || strings.Trim(name, ".") == "" {
		return fmt.Errorf("the name must be 1 to %d letters, digits, dots, hyphens and underscores", maxName)
	}
	return nil
}

// decode reads a body strictly: an unknown member, one that comes twice and one of the wrong type are errors that say
// where.
func decode(body []byte, into any) error {
	if len(body) > maxBody {
		return fmt.Errorf("the document has %d bytes, at most %d are taken", len(body), maxBody)
	}
	if err := onceEach(body); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &typed) && typed.Field != "":
		return fmt.Errorf("%s: want a %s", typed.Field, typeWord(typed.Type))
	case errors.As(err, &typed):
		return errors.New("want a JSON object")
	case err != nil:
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return fmt.Errorf("unknown member %s%s", name, suggest.For(strings.Trim(name, `"`), members(reflect.TypeOf(into))))
		}
		return fmt.Errorf("not a JSON object of this kind: %w", err)
	}
	return nil
}

func typeWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "whole number"
	case reflect.Slice:
		return "list"
	case reflect.Map, reflect.Struct:
		return "JSON object"
	}
	return "string"
}

// members are the names of all members of a type and of what it holds.
func members(t reflect.Type) (names []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(append(names, name), members(f.Type)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// onceEach refuses an object that has a member twice, and text after the value.
func onceEach(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := walk(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text after the JSON value")
	}
	return nil
}

const maxDepth = 32

func walk(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return errors.New("not JSON")
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth > maxDepth {
		return errors.New("nested too deep")
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return errors.New("not JSON")
			}
			name, _ := key.(string)
			if seen[name] {
				return fmt.Errorf("member %q comes twice", name)
			}
			seen[name] = true
		}
		if err := walk(d, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errors.New("not JSON")
	}
	return nil
}
