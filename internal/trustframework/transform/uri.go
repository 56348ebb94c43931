package transform

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// addresses are methods that write URIs.
var addresses = []method{
	{
		name:   "BuildUri",
		inputs: []slot{str("path")},
		parameters: []parameter{
			param("scheme").checked(matching("a scheme", regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`))),
			param("host").checked(matching("a host", regexp.MustCompile(`^[A-Za-z0-9._-]+(:[0-9]+)?$`))),
		},
		outputs: []slot{str("outputClaim")},
		free:    free{inputs: isQuery, parameters: isQuery},
		run:     buildURI,
	},
}

func matching(what string, expression *regexp.Regexp) func(string) error {
	return func(value string) error {
		if !expression.MatchString(value) {
			return fmt.Errorf("is not %s of a URI", what)
		}
		return nil
	}
}

// isQuery tells the names of query.NAME.
func isQuery(name string) bool {
	const prefix = "query."
	return len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// buildURI writes scheme://host/path?query, the query first from claims and then from parameters. The documented result
// is otpauth://totp/Contoso%20demo:emily@fabrikam.com?secret=fay2lj7ynpntjgqa&issuer=Contoso+demo: a blank is %20 in the
// path and a plus in the query, : and @ of the path stay. How B2C escapes other characters is UNCONFIRMED. An input claim
// without a value has no place in the query: UNCONFIRMED.
func buildURI(r *run) error {
	path, err := r.need("path")
	if err != nil {
		return err
	}
	var query []string
	add := func(name, value string) {
		query = append(query, url.QueryEscape(name[len("query."):])+"="+url.QueryEscape(value))
	}
	for _, in := range r.transformation.Inputs {
		if name := nameOf(in); isQuery(name) && r.bag.Has(in.Claim) {
			add(name, r.bag.Text(in.Claim))
		}
	}
	for _, p := range r.transformation.Parameters {
		if isQuery(p.ID) {
			add(p.ID, r.resolve(p.Value))
		}
	}
	made := r.string("scheme") + "://" + r.string("host") + "/" + url.PathEscape(strings.TrimPrefix(path.String(), "/"))
	if len(query) > 0 {
		made += "?" + strings.Join(query, "&")
	}
	r.output("outputClaim", claim.Text(made))
	return nil
}
