package execute

import (
	"github.com/otpost/otpost/internal/trustframework"
)

// hosts says for the profiles and display controls of a policy, by their ids, which self-asserted profile reaches them
// first.
type hosts struct {
	controls, profiles map[string]*trustframework.TechnicalProfile
}

// hostOf finds the self-asserted profile that a request is run for.
func (r *Runner) hostOf(q *Request) (*trustframework.TechnicalProfile, error) {
	if q.Host != "" {
		host, ok := q.Policy.TechnicalProfile(q.Host)
		if !ok || !selfAsserted(host) {
			return nil, &trustframework.Misuse{At: q.Policy.At, Element: "host " + q.Host,
				Reason: "is no self-asserted technical profile of policy " + q.Policy.ID}
		}
		return host, nil
	}
	all := r.hostsOf(q.Policy)
	if q.Control != "" {
		return all.controls[trustframework.Fold(q.Control)], nil
	}
	if t, ok := q.Policy.TechnicalProfile(q.Profile); ok && selfAsserted(t) {
		return t, nil
	}
	return all.profiles[trustframework.Fold(q.Profile)], nil
}

func (r *Runner) hostsOf(p *trustframework.Policy) *hosts {
	if known, ok := r.hosts.Load(p); ok {
		return known.(*hosts)
	}
	h := &hosts{controls: map[string]*trustframework.TechnicalProfile{}, profiles: map[string]*trustframework.TechnicalProfile{}}
	for _, t := range p.TechnicalProfiles {
		if !selfAsserted(t) {
			continue
		}
		h.reach(t, t.Validations)
		for _, d := range t.DisplayClaims {
			control, ok := p.DisplayControl(d.Control)
			if d.Control == "" || !ok {
				continue
			}
			first(h.controls, d.Control, t)
			for _, a := range control.Actions {
				h.reach(t, a.Validations)
			}
		}
	}
	known, _ := r.hosts.LoadOrStore(p, h)
	return known.(*hosts)
}

func (h *hosts) reach(host *trustframework.TechnicalProfile, list []trustframework.Validation) {
	for _, v := range list {
		first(h.profiles, v.TechnicalProfile, host)
	}
}

func first(in map[string]*trustframework.TechnicalProfile, id string, host *trustframework.TechnicalProfile) {
	if _, ok := in[trustframework.Fold(id)]; !ok {
		in[trustframework.Fold(id)] = host
	}
}

// open begins the page of the host where that was not done: its input claims transformations run once, on the claims of
// the journey, before the page is shown. Display controls have none of their own and count on the host's, such as the one
// that fetches the texts of an email.
func (x *run) open() error {
	if x.host == nil || x.q.Session.open(x.host.ID) {
		return nil
	}
	work := x.q.Session.Claims.Clone()
	lines := x.displayed(x.host)
	if control, ok := x.q.Policy.DisplayControl(x.q.Control); ok {
		lines = append(lines, control.DisplayClaims...)
	}
	x.given(lines, work)
	before := work.Clone()
	if err := x.transformations(x.host, x.host.InputTransformations, work); err != nil {
		x.q.Session.Opened = x.q.Session.Opened[:len(x.q.Session.Opened)-1]
		return err
	}
	x.q.Session.Claims.Retain(work)
	// What was given with the request belongs to the request; what was computed belongs to the journey.
	for name, v := range work.All() {
		if old, ok := before.Get(name); !ok || !old.Equal(v) {
			x.q.Session.Claims.Set(name, v)
		}
	}
	return nil
}
