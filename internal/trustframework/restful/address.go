package restful

import (
	"net/url"
	"strings"

	"github.com/otpost/otpost/internal/egress"
	"github.com/otpost/otpost/internal/trustframework"
)

// address reads the ServiceUrl.
func (r *reader) address() {
	item, there := r.item("ServiceUrl")
	if !there {
		r.broken(r.profile.At, "ServiceUrl is missing; write the URL of the service")
		return
	}
	t, err := parseTarget(item.Value)
	if err != nil {
		r.broken(item.At, "ServiceUrl %v", err)
		return
	}
	r.settings.target = t
	u, _ := url.Parse(t.origin)
	if u.Scheme == "http" && !r.client.options.AllowHTTP {
		r.broken(item.At, "ServiceUrl shows claims and credentials to the network, since it is http; use https, or let this server call services over http")
	}
	if !r.client.options.AllowPrivate && egress.CheckHost(u.Hostname()) != nil {
		r.broken(item.At, "ServiceUrl leads inside: %v; use a public one, or let this server call private addresses", egress.ErrPrivate)
	}
	if strings.Contains(item.Value, "#") {
		r.odd(item.At, "ServiceUrl has a fragment (#), which is never sent")
	}
	r.placeholders(item.At)
}

// placeholders holds the claims in ServiceUrl to the InputClaims.
func (r *reader) placeholders(at trustframework.Origin) {
	names := r.settings.target.claims()
	if len(names) > 0 && r.settings.place != inURL {
		r.broken(at, "ServiceUrl has claims in it, which only SendClaimsIn Url puts in")
		return
	}
	for _, name := range names {
		switch {
		case strings.Contains(name, ":"):
			r.broken(at, "ServiceUrl has a claim resolver in it; give it to an InputClaim as DefaultValue with AlwaysUseDefaultValue, and write that claim in the URL")
		case !r.hasInput(name):
			r.broken(at, "ServiceUrl has the claim %s in it, which is not among the InputClaims; add it there", name)
		}
	}
}
