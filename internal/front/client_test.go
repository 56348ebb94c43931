package front_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/front"
)

func trusted(prefixes ...string) (out []netip.Prefix) {
	for _, p := range prefixes {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// Vikunja CVE-2026-29794 (GO-2026-4791), Fleet CVE-2026-24000 (GO-2026-5455), authentik CVE-2023-36456: the client's
// address was taken from headers that any client can write.
func TestAdvisory_CVE_2026_29794_OnlyConfiguredProxiesNameTheClient(t *testing.T) {
	ours := trusted("10.0.0.0/8", "fd00::/8")
	for name, c := range map[string]struct {
		trusted   []netip.Prefix
		forwarded bool
		peer      string
		xff, fwd  []string
		want      string
	}{
		"nobody trusted":                 {nil, false, "10.0.0.1:5", []string{"9.9.9.9"}, []string{"for=9.9.9.9"}, "10.0.0.1"},
		"peer is not a proxy":            {ours, false, "8.8.8.8:5", []string{"9.9.9.9"}, nil, "8.8.8.8"},
		"one proxy":                      {ours, false, "10.0.0.1:5", []string{"9.9.9.9"}, nil, "9.9.9.9"},
		"client wrote one itself":        {ours, false, "10.0.0.1:5", []string{"1.1.1.1, 9.9.9.9"}, nil, "9.9.9.9"},
		"client claims to be a proxy":    {ours, false, "10.0.0.1:5", []string{"10.0.0.7, 9.9.9.9"}, nil, "9.9.9.9"},
		"two proxies":                    {ours, false, "10.0.0.1:5", []string{"1.1.1.1, 9.9.9.9, 10.0.0.2"}, nil, "9.9.9.9"},
		"two header lines":               {ours, false, "10.0.0.1:5", []string{"1.1.1.1", "9.9.9.9", "10.0.0.2"}, nil, "9.9.9.9"},
		"proxies all the way":            {ours, false, "10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, nil, "10.0.0.3"},
		"no header":                      {ours, false, "10.0.0.1:5", nil, nil, "10.0.0.1"},
		"empty header":                   {ours, false, "10.0.0.1:5", []string{""}, nil, "10.0.0.1"},
		"nonsense at the right":          {ours, false, "10.0.0.1:5", []string{"9.9.9.9, unknown"}, nil, "10.0.0.1"},
		"nonsense past a proxy":          {ours, false, "10.0.0.1:5", []string{"9.9.9.9, <x>, 10.0.0.2"}, nil, "10.0.0.2"},
		"with a port":                    {ours, false, "10.0.0.1:5", []string{"9.9.9.9:1234"}, nil, "9.9.9.9"},
		"IPv6":                           {ours, false, "[fd00::1]:5", []string{"2001:db8::1"}, nil, "2001:db8::1"},
		"IPv6 in brackets":               {ours, false, "[fd00::1]:5", []string{"[2001:db8::1]"}, nil, "2001:db8::1"},
		"IPv6 with a port":               {ours, false, "[fd00::1]:5", []string{"[2001:db8::1]:80"}, nil, "2001:db8::1"},
		"mapped peer is the same host":   {ours, false, "[::ffff:10.0.0.1]:5", []string{"::ffff:9.9.9.9"}, nil, "9.9.9.9"},
		"a zone is dropped":              {ours, false, "10.0.0.1:5", []string{"fe80::1%eth0"}, nil, "fe80::1"},
		"the other header is the client": {ours, false, "10.0.0.1:5", nil, []string{"for=9.9.9.9"}, "10.0.0.1"},
		"and the other way round":        {ours, true, "10.0.0.1:5", []string{"9.9.9.9"}, nil, "10.0.0.1"},
		"forwarded":                      {ours, true, "10.0.0.1:5", nil, []string{"for=1.1.1.1, For=9.9.9.9;proto=https"}, "9.9.9.9"},
		"forwarded quoted":               {ours, true, "10.0.0.1:5", nil, []string{`by=x;for="[2001:db8::1]:4711"`}, "2001:db8::1"},
		"forwarded hidden":               {ours, true, "10.0.0.1:5", nil, []string{"for=9.9.9.9, for=_hidden"}, "10.0.0.1"},
		"forwarded twice in one":         {ours, true, "10.0.0.1:5", nil, []string{"for=9.9.9.9;for=1.1.1.1"}, "10.0.0.1"},
		"forwarded comma in quotes":      {ours, true, "10.0.0.1:5", nil, []string{`for="1.1.1.1, for=6.6.6.6"`}, "10.0.0.1"},
		"unix socket":                    {ours, false, "@", []string{"9.9.9.9"}, nil, "invalid IP"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
			r.Header["X-Forwarded-For"], r.Header["Forwarded"] = c.xff, c.fwd
			got := front.Proxies{Trusted: c.trusted, Forwarded: c.forwarded}.Client(r)
			if got.String() != c.want {
				t.Errorf("client is %v, want %s", got, c.want)
			}
		})
	}
}

// Whatever a client writes into the header, what the proxy appended decides.
func FuzzClient(f *testing.F) {
	for _, seed := range []string{"", "1.1.1.1", "10.0.0.1, 10.0.0.2", "for=1.1.1.1", `for="`, ",,,", "::1%x", "[", "\x00"} {
		f.Add(seed)
	}
	proxies := front.Proxies{Trusted: trusted("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, written string) {
		r := &http.Request{RemoteAddr: "10.0.0.1:5", Header: http.Header{"X-Forwarded-For": {written + ", 203.0.113.9"}}}
		if got := proxies.Client(r); got.String() != "203.0.113.9" {
			t.Errorf("X-Forwarded-For %q: client is %v", written, got)
		}
		r.Header = http.Header{"X-Forwarded-For": {written}, "Forwarded": {written}}
		got := proxies.Client(r)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("client is %v, want a plain address", got)
		}
		if got.String() != "10.0.0.1" && !strings.Contains(written, ".") && !strings.Contains(written, ":") {
			t.Errorf("X-Forwarded-For %q: client is %v, made of nothing", written, got)
		}
		elsewhere := &http.Request{RemoteAddr: "203.0.113.7:5", Header: r.Header}
		if got := proxies.Client(elsewhere); got.String() != "203.0.113.7" {
			t.Errorf("a stranger's header was read: client is %v", got)
		}
		forwarded := front.Proxies{Trusted: proxies.Trusted, Forwarded: true}
		r.Header = http.Header{"Forwarded": {written + ", for=203.0.113.9"}}
		if got := forwarded.Client(r); got.String() != "203.0.113.9" {
			t.Errorf("Forwarded %q: client is %v", written, got)
		}
	})
}
