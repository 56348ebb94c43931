// Package doctor looks for the mistakes that keep messages from arriving, and says what to do about each.
package doctor

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// Report is what was found, by what was looked at.
type Report struct {
	Sections []Section `json:"sections"`
}

// Section is what was found about one thing, such as a provider.
type Section struct {
	Name     string             `json:"name"`
	Findings []provider.Finding `json:"findings"`
}

// Count counts the findings of a verdict.
func (r *Report) Count(v provider.FindingVerdict) (n int) {
	for _, s := range r.Sections {
		for _, f := range s.Findings {
			if f.Verdict == v {
				n++
			}
		}
	}
	return n
}

// Provider is one provider that is set up.
type Provider struct {
	Name string
	Kind provider.Kind
	// Settings are those that are no secrets; see provider.Kind.Public.
	Settings map[string]string
	Sender   outbox.Sender
	Disabled bool
	// Events tells that it is told what happens, and so may be in no route.
	Events bool
	// Reports tells whether its settings say how delivery reports are to be believed.
	Reports bool
	// DownUntil is until when it is left alone after failures in a row, zero when it is not.
	DownUntil time.Time
}

// title is the provider's section.
func (p *Provider) title() string { return fmt.Sprintf("provider %s (%s)", p.Name, p.Kind.Name) }

// Route is one route, in the words of package registry.
type Route struct {
	Name      string
	Channel   outbox.Channel
	Providers []string
	// Everything tells that no message of the channel is left out.
	Everything bool
}

// Look is one thing to be looked at.
type Look struct {
	Name string
	// At looks at it, and ends soon after ctx does.
	At func(ctx context.Context) []provider.Finding
}

// Doctor is what is to be examined.
type Doctor struct {
	Providers []Provider
	Routes    []Route
	// Unread tells that there may be providers and routes that are not known, so that nothing is said of missing ones.
	Unread bool
	// PublicURL tells whether the server knows the address that others reach it at.
	PublicURL bool
	// Resolver asks for DNS records, nil for the system's.
	Resolver *net.Resolver
	// Now is the clock, nil for time.Now.
	Now func() time.Time
	// Patience is how long one look may take, 20 s when 0.
	Patience time.Duration
	// First are further looks, whose findings are told first.
	First []Look
}

// abreast is how many looks are under way at once: each holds a connection or a few questions to a name server.
const abreast = 8

// lateness is how long after its time a look may still tell what it found.
const lateness = time.Second

// Examine looks at everything. told, which may be nil, is called by many goroutines with the name of each look that has
// ended and how many there are.
func (d *Doctor) Examine(ctx context.Context, told func(name string, of int)) Report {
	looks := d.looks()
	return Report{Sections: d.run(ctx, looks, told)}
}

// ExamineProvider looks at one provider alone, and at the domain it sends from.
func (d *Doctor) ExamineProvider(ctx context.Context, name string, told func(name string, of int)) (Report, bool) {
	if p := d.find(name); p != nil {
		return Report{Sections: d.run(ctx, d.looksOf(p), told)}, true
	}
	return Report{}, false
}

// ExamineAccount looks at one provider alone, and not at the domain it sends from. There is nothing for an unknown one.
func (d *Doctor) ExamineAccount(ctx context.Context, name string) []provider.Finding {
	p := d.find(name)
	if p == nil {
		return nil
	}
	return d.bounded(ctx, Look{p.title(), func(ctx context.Context) []provider.Finding { return d.provider(ctx, p) }})
}

func (d *Doctor) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

func (d *Doctor) looks() []Look {
	looks := slices.Clone(d.First)
	if !d.Unread {
		looks = append(looks, Look{"routes", func(context.Context) []provider.Finding { return d.routes() }})
	}
	for i := range d.Providers {
		p := &d.Providers[i]
		if p.Disabled {
			looks = append(looks, Look{p.title(), func(context.Context) []provider.Finding {
				return []provider.Finding{{Subject: "use", Verdict: provider.Good, Found: "It is disabled, so nothing was looked at. Name it with --provider to look all the same."}}
			}})
			continue
		}
		looks = append(looks, d.looksOf(p)...)
	}
	return looks
}

func (d *Doctor) looksOf(p *Provider) []Look {
	looks := []Look{{p.title(), func(ctx context.Context) []provider.Finding { return d.provider(ctx, p) }}}
	if domain := p.domain(); domain != "" {
		look := func(ctx context.Context) []provider.Finding { return d.domain(ctx, p, domain) }
		looks = append(looks, Look{fmt.Sprintf("sender domain %s, by %s", domain, p.Name), look})
	}
	return looks
}

// run makes the looks, some at a time, and keeps their order.
func (d *Doctor) run(ctx context.Context, looks []Look, told func(string, int)) []Section {
	sections := make([]Section, len(looks))
	slots := make(chan struct{}, abreast)
	var all sync.WaitGroup
	for i, look := range looks {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			sections[i] = Section{Name: look.Name, Findings: d.bounded(ctx, look)}
			if told != nil {
				told(look.Name, len(looks))
			}
		})
	}
	all.Wait()
	return slices.DeleteFunc(sections, func(s Section) bool { return len(s.Findings) == 0 })
}

// bounded makes a look that may take too long, or panic: a provider's answer is a stranger's.
func (d *Doctor) bounded(ctx context.Context, look Look) []provider.Finding {
	patience := d.Patience
	if patience == 0 {
		patience = 20 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found := make(chan []provider.Finding, 1)
	go func() {
		defer func() {
			if broken := recover(); broken != nil {
				found <- []provider.Finding{unseen("look", "Looking at it failed inside otpost", "Report this as a mistake of otpost.")}
			}
		}()
		found <- look.At(ctx)
	}()
	late := time.NewTimer(patience + lateness)
	defer late.Stop()
	select {
	case list := <-found:
		return list
	case <-late.C:
		return []provider.Finding{unseen("look", fmt.Sprintf("Looking at it took longer than %s", patience), "Check the way from this machine to it, and try again.")}
	}
}

// unseen is the finding about something that could not be looked at.
func unseen(subject, found, do string) provider.Finding {
	return provider.Finding{Subject: subject, Verdict: provider.Doubtful, Found: found + ".", Do: do}
}
