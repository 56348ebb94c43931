package emulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/otpost/otpost/internal/extension"
)

// DefaultIssuer lets a receiver on the same machine trust an emulator that runs with Defaults.
func DefaultIssuer() extension.TrustedIssuer {
	o := Defaults()
	return extension.DevelopmentIssuer(o.base(o.Listen), o.Tenant, o.Version)
}

// printIssuer writes what a receiver must be told to trust the emulator. The issuer's name holds its address, so the
// port has to be a fixed one.
func printIssuer(o Options, out io.Writer) (exitCode int, err error) {
	if _, port, err := net.SplitHostPort(o.Listen); err != nil || port == "0" || port == "" {
		if o.IssuerURL == "" {
			return ExitFailed, errors.New("listen: give the issuer a fixed address such as 127.0.0.1:8084, so that a receiver can be told of it")
		}
	}
	key, err := signingKey(o.KeyFile)
	if err != nil {
		return ExitFailed, err
	}
	issuer, err := extension.NewIssuer(o.base(o.Listen), o.Tenant, key, nil)
	if err != nil {
		return ExitFailed, err
	}
	facts := struct {
		Issuer   string `json:"issuer"`
		Metadata string `json:"metadata"`
		Audience string `json:"audience"`
		Tenant   string `json:"tenant"`
		Party    string `json:"authorized_party"`
	}{issuer.Name(o.Version), issuer.Metadata(o.Version), o.Audience, strings.ToLower(o.Tenant), extension.EntraClient}
	if o.JSON {
		err = json.NewEncoder(out).Encode(facts)
	} else {
		_, err = fmt.Fprintf(out, "issuer    %s\nmetadata  %s\naudience  %s\ntenant    %s\nparty     %s\n",
			facts.Issuer, facts.Metadata, facts.Audience, facts.Tenant, facts.Party)
	}
	if err != nil {
		return ExitFailed, fmt.Errorf("write issuer: %w", err)
	}
	return 0, nil
}
