package review

import (
	"slices"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// lintPage holds the page of a self-asserted profile with display controls to its contract: display controls came with
// 2.0.0 (page-layout.md), those of authenticator apps with 2.1.9 (display-control-time-based-one-time-password.md).
func (j *judge) lintPage(t *trustframework.TechnicalProfile) {
	item, _ := t.Metadata.Get("ContentDefinitionReferenceId")
	page, there := j.policy.ContentDefinition(item.Value)
	if kindOf(t) != execute.SelfAsserted || !there {
		return
	}
	version, known := contract(page.DataURI)
	for _, c := range t.DisplayClaims {
		d, there := j.policy.DisplayControl(c.Control)
		if !known || !there {
			continue
		}
		least := [3]int{2, 0, 0}
		if !same(d.Type, "VerificationControl") {
			least = [3]int{2, 1, 9}
		}
		if slices.Compare(version[:], least[:]) < 0 {
			j.odd(page.At, "the page %s of %s has the contract %d.%d.%d, and B2C shows the display control %s from %d.%d.%d on; raise the DataUri. otpost has pages of its own",
				page.ID, t.ID, version[0], version[1], version[2], d.ID, least[0], least[1], least[2])
		}
	}
}

// contract is the version at the end of a DataUri, such as urn:com:microsoft:aad:b2c:elements:contract:selfasserted:2.1.7.
func contract(uri string) (version [3]int, known bool) {
	if !strings.Contains(strings.ToLower(uri), ":contract:selfasserted:") {
		return version, false
	}
	parts := strings.Split(uri[strings.LastIndexByte(uri, ':')+1:], ".")
	if len(parts) != 3 {
		return version, false
	}
	for i, part := range parts {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return version, false
		}
		version[i] = n
	}
	return version, true
}
