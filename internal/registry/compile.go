package registry

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/suggest"
)

// Rules are what documents are compiled with: what the deploy-time settings say.
type Rules struct {
	// Given are providers that the deploy-time settings name. Without a route in the documents, each channel tries those
	// that can carry it, in this order. Their names cannot be taken by documents.
	Given []Given
	// Policy is the default policy, unless a document of that name changes it.
	Policy passcode.Policy
	// Composer is what templates are tried with; without it there can be none.
	Composer *compose.Composer

	templates *templates
}

// Given is a provider that is no document.
type Given struct {
	Name     string
	Kind     string
	Settings map[string]string
	// Channels are the channels it is tried for when there is no route, in the order of Rules.Given.
	Channels []outbox.Channel
}

// DefaultPolicy is the name of the policy of requests that name none.
const DefaultPolicy = "default"

// Snapshot is a whole of settings that can run. It does not change.
type Snapshot struct {
	Revision int64
	// Documents are what it was compiled from, sorted by kind and name.
	Documents []Document

	providers     map[string]*compiledProvider
	routes        []compiledRoute
	policies      map[string]passcode.Policy
	applications  map[string]Application
	guard         *compiledGuard // nil for none
	subscriptions []compiledSubscription
	templates     []*compose.Template
	house         compose.House
}

// compiledProvider is a provider as it can be opened.
type compiledProvider struct {
	name     string
	kind     provider.Kind
	settings any
	// identity tells whether an open sender is still the one that these settings mean.
	identity string
	disabled bool
	given    bool
	channels []outbox.Channel // of a given one
	rate     *Rate
}

// compiler collects what is wrong with documents while it compiles them.
type compiler struct {
	*Snapshot
	invalid Invalid
	// broken are providers that are left out; routes that name them do without.
	broken map[string]bool
	// failed are documents that are wrong. What is only wrong because of them is not said as well.
	failed map[string]bool
	stored bool
	// templateKeys are what templates are for, and their names.
	templateKeys map[string]string
}

func about(kind Kind, name string) string { return string(kind) + " " + name }

// compile makes a snapshot of documents, or says everything that is wrong with them.
//
// broken are names of providers that routes may name though they are not there. It is nil for a change; otherwise the
// documents passed when they were stored, and templates need no trial.
func compile(rules Rules, documents []Document, revision int64, broken map[string]bool) (*Snapshot, error) {
	c := &compiler{broken: broken, failed: map[string]bool{}, stored: broken != nil, templateKeys: map[string]string{}, Snapshot: &Snapshot{Revision: revision, Documents: slices.Clone(documents), providers: map[string]*compiledProvider{},
		policies: map[string]passcode.Policy{DefaultPolicy: rules.Policy}, applications: map[string]Application{}}}
	sortDocuments(c.Documents)
	for _, g := range rules.Given {
		if err := c.given(g); err != nil {
			return nil, err // of the deploy-time settings, which no change of documents mends
		}
	}
	for _, d := range c.Documents {
		if err := c.document(rules, d); err != nil {
			c.invalid.add(d.Kind, d.Name, err)
			c.failed[about(d.Kind, d.Name)] = true
		}
	}
	if err := c.invalid.orNil(); err != nil {
		return nil, err
	}
	c.sortRoutes()
	return c.Snapshot, nil
}

// sortDocuments sorts by kind, what others depend on first, and by name.
func sortDocuments(documents []Document) {
	order := map[Kind]int{}
	for i, k := range Kinds() {
		order[k] = i
	}
	slices.SortFunc(documents, func(a, b Document) int {
		return cmp.Or(order[a.Kind]-order[b.Kind], strings.Compare(a.Name, b.Name))
	})
}

func (c *compiler) document(rules Rules, d Document) error {
	into := blank(d.Kind)
	if into == nil {
		return fmt.Errorf("unknown kind %q", d.Kind)
	}
	if err := decode(d.Body, into); err != nil {
		return err
	}
	switch body := into.(type) {
	case *Provider:
		return c.provider(d, body)
	case *Route:
		return c.route(d.Name, body)
	case *Policy:
		return c.policy(d.Name, body, rules.Policy)
	case *Application:
		return c.application(d.Name, body)
	case *House:
		return c.ourHouse(d.Name, body)
	case *compose.TemplateDocument:
		return c.template(d, body, rules)
	case *Guard:
		return c.guard(d.Name, body)
	case *Subscription:
		return c.subscription(d.Name, body)
	}
	return nil
}

func (c *compiler) given(g Given) error {
	kind, err := provider.Find(g.Kind)
	if err != nil {
		return err
	}
	settings, err := kind.Parse(g.Settings)
	if err != nil {
		return err
	}
	c.providers[g.Name] = &compiledProvider{name: g.Name, kind: kind, settings: settings, identity: "given " + g.Name, given: true,
		channels: g.Channels}
	for _, channel := range g.Channels {
		c.routes = append(c.routes, compiledRoute{name: g.Name, channel: channel, providers: []RouteLeg{{Provider: g.Name}}, fallback: true})
	}
	return nil
}

func (c *compiler) provider(d Document, p *Provider) error {
	if taken, ok := c.providers[d.Name]; ok && taken.given {
		return fmt.Errorf("the deploy-time settings have a provider of this name; choose another")
	}
	kind, err := provider.Find(p.Kind)
	if err != nil {
		return fmt.Errorf("kind: %w", err)
	}
	plain, err := p.plain(kind)
	if err != nil {
		return err
	}
	settings, err := kind.ParseJSON(plain)
	if err != nil {
		return settingError(kind, err)
	}
	if p.Rate != nil && (p.Rate.Messages < 1 || time.Duration(p.Rate.Per) < time.Second || time.Duration(p.Rate.Per) > 31*24*time.Hour) {
		return fmt.Errorf("rate: want at least 1 message per 1s to 744h")
	}
	c.providers[d.Name] = &compiledProvider{name: d.Name, kind: kind, settings: settings, disabled: p.Disabled, rate: p.Rate,
		identity: string(d.Body)}
	return nil
}

// aboutSetting is how package provider begins an error about one setting.
var aboutSetting = regexp.MustCompile(`^(unknown )?setting "?([A-Za-z0-9_-]+)"?:? ?(.*)$`)

// settingError puts the place of a setting before what is wrong with it.
func settingError(kind provider.Kind, err error) error {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "provider "+kind.Name+": "), "settings: ")
	parts := aboutSetting.FindStringSubmatch(text)
	if parts == nil {
		return fmt.Errorf("settings: %s", text)
	}
	if parts[1] != "" {
		return fmt.Errorf("settings.%s: unknown setting%s", parts[2], parts[3])
	}
	return fmt.Errorf("settings.%s: %s", parts[2], parts[3])
}

func (c *compiler) policy(name string, p *Policy, usual passcode.Policy) error {
	made := usual
	set(&made.Alphabet, p.Alphabet)
	set(&made.Length, p.Length)
	setDuration(&made.Lifetime, p.Lifetime)
	set(&made.Tries, p.Tries)
	set(&made.Resends, p.Resends)
	setDuration(&made.ResendInterval, p.ResendInterval)
	set(&made.FreshCode, p.FreshCode)
	setDuration(&made.Lockout, p.Lockout)
	if err := made.Validate(); err != nil {
		return err
	}
	c.policies[name] = made
	return nil
}

func set[T any](into, from *T) {
	if from != nil {
		*into = *from
	}
}

func setDuration(into *time.Duration, from *Duration) {
	if from != nil {
		*into = time.Duration(*from)
	}
}

func (c *compiler) application(name string, a *Application) error {
	if a.Domain != "" {
		if err := compose.CheckDomain(a.Domain); err != nil {
			return fmt.Errorf("domain: %w", err)
		}
	}
	if _, ok := c.policies[a.Policy]; !ok && a.Policy != "" && !c.failed[about(PolicyKind, a.Policy)] {
		return fmt.Errorf("policy: unknown policy %q%s", a.Policy, suggest.For(a.Policy, slices.Collect(maps.Keys(c.policies))))
	}
	c.applications[name] = *a
	return nil
}

// Policy finds the policy that an application's request names; an empty name is the application's own, or the default.
func (s *Snapshot) Policy(a passcode.Application, name string) (passcode.Policy, bool) {
	if name == "" {
		name = s.applications[a.Name].Policy
	}
	if name == "" {
		name = DefaultPolicy
	}
	p, ok := s.policies[name]
	return p, ok
}

// Document finds a document.
func (s *Snapshot) Document(kind Kind, name string) (Document, bool) {
	for _, d := range s.Documents {
		if d.Kind == kind && d.Name == name {
			return d, true
		}
	}
	return Document{}, false
}

// Decode reads a document's body into its kind's struct.
func (d Document) Decode(into any) error { return json.Unmarshal(d.Body, into) }
