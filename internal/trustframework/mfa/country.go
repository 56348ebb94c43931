package mfa

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// phoneFactor begins the ids of the content definition whose countryList B2C holds text messages to, and by custom of the
// texts for it (phone-based-mfa.md, "Mitigate fraudulent sign-ups for custom policy").
const phoneFactor = "api.phonefactor"

// countryList is a JSON object of ISO 3166-1 alpha-2 codes and names: the countries that a policy lets messages go to.
type countryList struct {
	at    trustframework.Origin
	codes map[string]bool
}

// permit refuses a number of a country that the policy leaves out. The country is the one that gave out the number; which
// one B2C takes a number of a shared calling code for, such as +1, is UNCONFIRMED, and so is the key.
func permit(c *execute.Call, to passcode.Address) error {
	lists, found := countryLists(c.Policy)
	if len(found) > 0 {
		return &trustframework.Misuse{At: found[0].At, Element: "technical profile " + c.Profile.ID, Reason: found[0].Reason}
	}
	country := (&passcode.Destination{Channel: to.Channel, To: to.Deliverable}).Country()
	for _, l := range lists {
		if !l.codes[country] {
			return failure(couldntSendSMS, errors.New("the countryList at "+l.at.String()+" leaves out the country of the number"))
		}
	}
	return nil
}

// countryLists reads the lists of a policy's own file; those of its parents have no effect in B2C. There should be one, for
// one language alone. A country must be in all that there are: else whoever chooses the language would choose the
// countries.
func countryLists(p *trustframework.Policy) (lists []countryList, found []trustframework.Problem) {
	for _, s := range countryStrings(p) {
		if s.At.File != p.At.File {
			continue
		}
		codes, err := parseCountries(s.Text)
		if err != nil {
			found = append(found, trustframework.Problem{At: s.At, Weight: trustframework.Broken,
				Reason: "the countryList " + err.Error() + `; write such as {"DEFAULT":"Country/Region","FR":"France"}, or no text message is sent`})
			continue
		}
		lists = append(lists, countryList{s.At, codes})
	}
	return lists, found
}

// countryStrings are all lists that the policy has or inherits.
func countryStrings(p *trustframework.Policy) (all []trustframework.LocalizedString) {
	used := map[string]bool{}
	for _, d := range p.ContentDefinitions {
		for _, r := range d.Resources {
			if isPhoneFactor(d.ID) {
				used[strings.ToLower(r.Resources)] = true
			}
		}
	}
	for _, r := range p.Localization.Resources {
		if !used[strings.ToLower(r.ID)] && !isPhoneFactor(r.ID) {
			continue
		}
		for _, s := range r.Strings {
			if strings.EqualFold(s.ElementType, "UxElement") && strings.EqualFold(s.ID, "countryList") {
				all = append(all, s)
			}
		}
	}
	return all
}

func isPhoneFactor(id string) bool {
	return len(id) >= len(phoneFactor) && strings.EqualFold(id[:len(phoneFactor)], phoneFactor)
}

// parseCountries reads a list. Its errors go on from its name.
func parseCountries(text string) (map[string]bool, error) {
	var names map[string]string
	if err := json.Unmarshal([]byte(text), &names); err != nil || names == nil {
		return nil, errors.New("is not a JSON object of country codes and names")
	}
	codes := map[string]bool{}
	for code := range names {
		switch {
		case strings.EqualFold(code, "DEFAULT"): // what the page shows before one is chosen
		case len(code) != 2 || strings.ContainsFunc(code, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }):
			return nil, errors.New("has a name that is not a country's two letters (ISO 3166-1)")
		default:
			codes[strings.ToUpper(code)] = true
		}
	}
	return codes, nil
}
