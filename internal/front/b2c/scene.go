package b2c

import (
	"cmp"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

const (
	// defaultWait is how long a call waits for a provider to take a message, so that a policy can say that it could not be
	// sent; maxWait is the longest that may be asked for.
	defaultWait, maxWait = 5 * time.Second, 10 * time.Second
	maxParameters        = 32
	maxParameter         = 1024 // bytes
)

// oidc are the parameters of a sign-in request that claim resolvers have names for (claim-resolver-overview.md, "OpenID
// Connect"). A password has no business in a URL, so {OIDC:Password} stays empty.
var oidc = map[string]string{
	"acr_values": "authenticationcontextreferences", "client_id": "clientid", "domain_hint": "domainhint",
	"login_hint": "loginhint", "max_age": "maxage", "nonce": "nonce", "prompt": "prompt", "redirect_uri": "redirecturi",
	"resource": "resource", "scope": "scope", "username": "username",
}

// sceneOf is what a call says of the person, and the profile whose page the person is at. What a member of the body says
// wins over the query. The address of the caller is nobody's: it is a server.
func (h *Handler) sceneOf(r *http.Request, in *input) (execute.Scene, string, error) {
	query, err := parameters(r)
	if err != nil {
		return execute.Scene{}, "", err
	}
	scene := execute.Scene{Host: cmp.Or(h.Host, r.Host), CorrelationID: in.correlation, Wait: defaultWait, OIDC: map[string]string{}, Query: map[string]string{}}
	if scene.CorrelationID == "" {
		scene.CorrelationID = front.RequestID(r.Context())
	}
	if len(scene.CorrelationID) > maxParameter {
		return scene, "", invalid(front.FieldError{Field: correlationMember, Detail: "is too long"})
	}
	var host string
	ip := in.ip
	for name, value := range query {
		switch name {
		case "host":
			host = value
		case "ip":
			if ip == "" {
				ip = value
			}
		case "wait_ms":
			if scene.Wait, err = waitOf(value); err != nil {
				return scene, "", err
			}
		default:
			scene.Query[name] = value
			if resolver, ok := oidc[strings.ToLower(name)]; ok {
				scene.OIDC[resolver] = value
			}
		}
	}
	scene.Locale = localeOf(r, in.locale, query)
	if ip == "" {
		return scene, host, nil
	}
	scene.IP, err = addressOf(ip)
	return scene, host, err
}

// parameters are those of the query, each once.
func parameters(r *http.Request) (map[string]string, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badQuery("The query cannot be read: write names and values percent-encoded.")
	}
	if len(values) > maxParameters {
		return nil, badQuery("The query has more than " + strconv.Itoa(maxParameters) + " parameters.")
	}
	once := make(map[string]string, len(values))
	for name, list := range values {
		switch {
		case len(list) != 1:
			return nil, badQuery("The parameter " + cut(name) + " is given twice.")
		case len(name)+len(list[0]) > maxParameter:
			return nil, badQuery("The parameter " + cut(name) + " is longer than " + strconv.Itoa(maxParameter) + " bytes.")
		}
		once[name] = list[0]
	}
	return once, nil
}

// localeOf is the language of texts: what the body says, else ui_locales (OpenID Connect Core §3.1.2.1, tags with blanks
// between), else lang, else Accept-Language.
func localeOf(r *http.Request, given string, query map[string]string) string {
	const most = 256
	for _, text := range []string{given, strings.Join(strings.Fields(query["ui_locales"]), ","), query["lang"], r.Header.Get("Accept-Language")} {
		if text != "" && len(text) <= most {
			return text
		}
	}
	return ""
}

func waitOf(text string) (time.Duration, error) {
	ms, err := strconv.Atoi(text)
	if wait := time.Duration(ms) * time.Millisecond; err == nil && ms >= 0 && wait <= maxWait {
		return wait, nil
	}
	return 0, badQuery("wait_ms must be a number of milliseconds from 0 to " + strconv.FormatInt(maxWait.Milliseconds(), 10) + ".")
}

// addressOf reads the address of the person's device.
func addressOf(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
		return netip.Addr{}, invalid(front.FieldError{Field: ipMember,
			Detail: "must be the IPv4 or IPv6 address of the person's device, without a port or a zone"})
	}
	return a.Unmap(), nil
}

func badQuery(detail string) error {
	return front.Problem{Status: http.StatusBadRequest, Code: "invalid_query", Title: "Query not valid", Detail: detail}
}
