package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/outbox"
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
	Kind     string `json:"kind" required:"true" help:"What it is, one of the kinds that otpost provider kinds lists."`
	Disabled bool   `json:"disabled,omitempty" help:"Takes the provider out of every route without deleting it."`
	// Settings are the kind's own. Secrets among them are Secret.
	Settings map[string]json.RawMessage `json:"settings" help:"The kind's own settings."`
	Rate     *Rate                      `json:"rate,omitempty" help:"Bounds what the provider is given, over all nodes."`
}

// Rate is at most Messages in a window of Per, which begins with its first message.
type Rate struct {
	Messages int      `json:"messages" required:"true" help:"Most messages in a window, which begins with its first."`
	Per      Duration `json:"per" required:"true" help:"Length of the window, 1s to 744h."`
}

// Route says which providers a message is tried with, in which order.
type Route struct {
	Channel   outbox.Channel `json:"channel" required:"true" oneof:"email sms" help:"Which messages: email or sms."`
	Disabled  bool           `json:"disabled,omitempty" help:"Takes the route away without deleting it: messages go the way they would go without it."`
	Match     Match          `json:"match,omitzero" help:"Which of them; a list that is missing takes all, and of each list that is there one must fit."`
	Priority  int            `json:"priority,omitempty" help:"Decides between routes that match: the highest wins, then the narrower match, then the name."`
	Providers []RouteLeg     `json:"providers" required:"true" help:"Providers in the order in which they are tried, 1 to 8."`
	Hedge     Duration       `json:"hedge,omitempty" help:"How long a provider may be silent before the next is asked as well; none is never."`
}

// Match is which messages a route is for. Within a list one member must fit, and each list that is not empty must.
type Match struct {
	Applications []string `json:"applications,omitempty" help:"Names of applications."`
	Purposes     []string `json:"purposes,omitempty" oneof:"sign_up sign_in password_reset mfa verify" help:"What the codes are for."`
	Countries    []string `json:"countries,omitempty" help:"ISO 3166-1 codes of two capitals, for sms."`
	Prefixes     []string `json:"prefixes,omitempty" help:"Beginnings of E.164 numbers such as +33, for sms."`
	Domains      []string `json:"domains,omitempty" help:"Mail domains; one that begins with a dot is all below it."`
}

// RouteLeg is one provider of a route.
type RouteLeg struct {
	Provider string `json:"provider" required:"true" help:"Name of the provider."`
	// Of weights 3 and 1 the first is tried first three times out of four. Without a weight the order is as written.
	Weight int `json:"weight,omitempty" help:"Shares messages among neighbours that have one, 1 to 1000; without one the order is as written."`
}

// Policy is passcode.Policy as it is written. A member that is missing is the default's.
type Policy struct {
	Alphabet       *string   `json:"alphabet,omitempty" help:"Characters a code is drawn from, as the body of a regular-expression character class; at least 10 distinct ones."`
	Length         *int      `json:"length,omitempty" help:"Number of characters, 4 to 12."`
	Lifetime       *Duration `json:"lifetime,omitempty" help:"How long a code can be used, 30s to 24h."`
	Tries          *int      `json:"tries,omitempty" help:"How many codes may be tried before the passcode locks, 1 to 20."`
	Resends        *int      `json:"resends,omitempty" help:"How many messages may follow the first one, 0 to 20."`
	ResendInterval *Duration `json:"resend_interval,omitempty" help:"Least time between two messages of one passcode, up to 1h."`
	FreshCode      *bool     `json:"fresh_code,omitempty" help:"Makes a resend draw a new code."`
	Lockout        *Duration `json:"lockout,omitempty" help:"How long a recipient gets no new code after too many wrong ones, up to 24h."`
}

// Application is what is set for an application beside its keys. The document's name is the application's.
type Application struct {
	Domain string `json:"domain,omitempty" help:"Host that the last line of its messages binds the code to."`
	Policy string `json:"policy,omitempty" help:"Policy of requests that name none."`
}

// Duration is a length of time, written as "90s" or "10m".
type Duration time.Duration

// MarshalText writes it in Go's form, without parts that are zero: "10m" rather than "10m0s".
func (d Duration) MarshalText() ([]byte, error) {
	text := time.Duration(d).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return []byte(text), nil
}

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

// onceEach refuses an object that has a member twice, and text after the value.
func onceEach(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := walk(d, 0, ""); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text after the JSON value")
	}
	return nil
}

const maxDepth = 32

func walk(d *json.Decoder, depth int, place string) error {
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
	for i := 0; d.More(); i++ {
		inner := fmt.Sprintf("%s[%d]", place, i)
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return errors.New("not JSON")
			}
			name, _ := key.(string)
			inner = join(place, name)
			if seen[name] {
				return fmt.Errorf("%s: comes twice", inner)
			}
			seen[name] = true
		}
		if err := walk(d, depth+1, inner); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errors.New("not JSON")
	}
	return nil
}
