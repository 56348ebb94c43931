package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// routes looks for messages that nobody would carry, and providers that are never tried.
func (d *Doctor) routes() (found []provider.Finding) {
	if len(d.Providers) == 0 {
		return []provider.Finding{{Subject: "providers", Verdict: provider.Bad, Found: "None is set up, so every passcode is refused.",
			Do: "Set mail_url and mail_from, or webhook_url, or add a provider with otpost apply."}}
	}
	for _, channel := range []outbox.Channel{outbox.Email, outbox.SMS} {
		found = append(found, d.channel(channel))
	}
	for i := range d.Routes {
		if f := d.route(&d.Routes[i]); f.Verdict != provider.Good {
			found = append(found, f)
		}
	}
	return append(found, d.unused()...)
}

func (d *Doctor) channel(channel outbox.Channel) provider.Finding {
	f := provider.Finding{Subject: string(channel)}
	carriers, routes, everything := 0, 0, false
	for i := range d.Providers {
		if p := &d.Providers[i]; !p.Disabled && !p.Events && slices.Contains(p.Kind.Channels, channel) {
			carriers++
		}
	}
	for i := range d.Routes {
		r := &d.Routes[i]
		if r.Channel == channel && len(d.enabled(r)) > 0 {
			routes++
			everything = everything || r.Everything
		}
	}
	switch {
	case everything:
		f.Verdict, f.Found = provider.Good, "Every message has a route."
	case routes > 0:
		f.Verdict, f.Found = provider.Doubtful, "Messages that none of the routes is for are refused."
		f.Do = "Add a route without match, if every message shall be sent."
	case carriers > 0:
		f.Verdict, f.Found = provider.Bad, "There are providers for it and no route, so every message is refused."
		f.Do = fmt.Sprintf("Add a route with channel: %s that names them.", channel)
	default:
		f.Verdict, f.Found = provider.Good, "No provider carries it, so a passcode to such a recipient is refused."
	}
	return f
}

// enabled are the providers of a route that are tried.
func (d *Doctor) enabled(r *Route) (names []string) {
	for _, name := range r.Providers {
		if p := d.find(name); p != nil && !p.Disabled {
			names = append(names, name)
		}
	}
	return names
}

func (d *Doctor) find(name string) *Provider {
	for i := range d.Providers {
		if d.Providers[i].Name == name {
			return &d.Providers[i]
		}
	}
	return nil
}

func (d *Doctor) route(r *Route) provider.Finding {
	f := provider.Finding{Subject: "route " + r.Name, Verdict: provider.Good}
	names := d.enabled(r)
	var down []string
	for _, name := range names {
		if d.find(name).DownUntil.After(d.now()) {
			down = append(down, name)
		}
	}
	switch {
	case len(names) == 0:
		f.Verdict, f.Found = provider.Bad, "All its providers are disabled, so it is passed over."
		f.Do = "Enable one of " + strings.Join(r.Providers, ", ") + ", or delete the route."
	case len(down) == len(names):
		f.Verdict, f.Found = provider.Bad, "All its providers are down: "+strings.Join(down, ", ")+"."
		f.Do = "See what is found about them below, and add one of another company."
	case len(down) > 0:
		f.Verdict, f.Found = provider.Doubtful, "Some of its providers are down: "+strings.Join(down, ", ")+"."
		f.Do = "See what is found about them below; the others carry its messages."
	}
	return f
}

// unused are the providers that no route names.
func (d *Doctor) unused() (found []provider.Finding) {
	for i := range d.Providers {
		p := &d.Providers[i]
		routed := slices.ContainsFunc(d.Routes, func(r Route) bool { return slices.Contains(r.Providers, p.Name) })
		if !routed && !p.Disabled && !p.Events {
			found = append(found, provider.Finding{Subject: "provider " + p.Name, Verdict: provider.Doubtful,
				Found: "It is in no route, so it is never tried.", Do: "Name it in a route, or disable it."})
		}
	}
	return found
}
