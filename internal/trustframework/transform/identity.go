package transform

import (
	"bytes"
	"encoding/base64"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// identities are methods of social-transformations.md.
var identities = []method{
	{
		// The issuer is the identity provider, issuerUserId the key in base64. The example writes the issuer in lower case
		// and has an issuerUserId that is not the key's; neither is followed. The encoding of the key is UTF-8: the other
		// examples of the document are.
		name:    "CreateAlternativeSecurityId",
		inputs:  []slot{str("key"), str("identityProvider")},
		outputs: []slot{str("alternativeSecurityId")},
		run: func(r *run) error {
			key, err := r.need("key")
			if err != nil {
				return err
			}
			provider, err := r.need("identityProvider")
			if err != nil {
				return err
			}
			var made bytes.Buffer
			made.WriteString(`{"issuer":`)
			writeText(&made, provider.String())
			made.WriteString(`,"issuerUserId":`)
			writeText(&made, base64.StdEncoding.EncodeToString([]byte(key.String())))
			made.WriteString(`}`)
			r.output("alternativeSecurityId", claim.Text(made.String()))
			return nil
		},
	},
}
