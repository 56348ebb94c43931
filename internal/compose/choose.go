package compose

import (
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/otpost/otpost/internal/outbox"
)

// Choose finds the template for a message, nil when none fits and the built-in wording is said. A template fits when
// it is enabled, is for the channel, and its application, purpose and language are empty or the message's own. Of
// those that fit the most specific wins: one for the application before one for any, then one for the purpose, then
// one for a language, an earlier of the languages before a later. Equals are told apart by name.
//
// applications are the id and the name of the application, either of which may be empty. languages are tags in their
// canonical form, best first; see Composer.Languages.
func Choose(templates []*Template, applications []string, purpose string, channel outbox.Channel, languages []string) *Template {
	purpose = purposeOf(purpose).String()
	var best *Template
	var least rank
	for _, t := range templates {
		d := &t.Document
		if d.Disabled || d.Channel != channel || d.Application != "" && !slices.Contains(applications, d.Application) ||
			d.Purpose != "" && d.Purpose != purpose {
			continue
		}
		r := rank{application: index(d.Application == ""), purpose: index(d.Purpose == ""), language: len(languages)}
		if t.language != "" {
			if r.language = slices.Index(languages, t.language); r.language < 0 {
				continue
			}
		}
		if best == nil || r.before(least) || r == least && d.Name < best.Document.Name {
			best, least = t, r
		}
	}
	return best
}

// rank is how specific a template is for a message; less is more specific.
type rank struct{ application, purpose, language int }

func (r rank) before(o rank) bool {
	switch {
	case r.application != o.application:
		return r.application < o.application
	case r.purpose != o.purpose:
		return r.purpose < o.purpose
	}
	return r.language < o.language
}

// Languages are the languages that a template for a person may be in, best first. preference is a BCP 47 tag, an
// Accept-Language list or empty, as in Content. Each wish stands for itself ("de-AT"), for the language of the
// catalogues that it comes to ("de"), and for its own more general forms ("zh-Hant-HK", "zh-Hant") as long as these
// come to the same. The list ends with the language of the built-in wording, which serves the person well. Nobody is given a language that the built-in wording would not have given or the person not named.
func (c *Composer) Languages(preference string) []string {
	var all []string
	for _, wish := range []string{preference, c.Language, "en"} {
		spoken, found := c.Catalogues.Find(wish)
		for _, tag := range wished(wish) {
			all = append(all, tag.String())
			l, ok := c.Catalogues.Find(tag.String())
			if ok != found || l != spoken {
				continue // of the whole wish the catalogues made something else
			}
			if found {
				all = append(all, spoken.Tag())
			}
			for general := tag.Parent(); general != language.Und; general = general.Parent() {
				if l, ok := c.Catalogues.Find(general.String()); ok == found && l == spoken {
					all = append(all, general.String())
				}
			}
			if found {
				return all
			}
		}
		if found {
			return append(all, spoken.Tag())
		}
	}
	return all
}

// wished reads a preference as Catalogues.Match does, as far as it is well-formed.
func wished(preference string) []language.Tag {
	if len(preference) > 256 {
		return nil
	}
	if tag, err := language.Parse(preference); err == nil {
		return []language.Tag{tag}
	}
	tags, _, err := language.ParseAcceptLanguage(preference)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(tags, func(tag language.Tag) bool { return tag == language.Und || strings.HasPrefix(tag.String(), "mul") })
}
