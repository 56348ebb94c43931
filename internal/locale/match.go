package locale

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

const (
	// maxPreferences bounds what is read of a stranger's list of languages, in bytes.
	maxPreferences = 256
	// maxMatched bounds the memory of past matches; past it the memory starts anew.
	maxMatched = 1024
)

// readAs are languages without a catalogue whose readers read one of ours, where the distances of CLDR that
// golang.org/x/text has hold them for too far apart: it would prefer any other language of a list, or find none.
var readAs = [...]struct{ asked, read string }{
	{"nn", "nb"},       // the two written forms of Norwegian
	{"sr", "sr-Latn"},  // who reads Serbian in Cyrillic reads it in Latin letters too
	{"yue", "zh-Hant"}, // Cantonese is spoken; its speakers write Chinese, in traditional characters
}

// match is what a list of preferences came to; found is false when no language of ours suits it.
type match struct {
	language Language
	found    bool
}

// Match chooses a language: the first of the given preferences that suits, else English. A preference is a BCP 47 tag
// in any case and with hyphens or underscores ("fr-FR", "fr_ca"), a list as in an Accept-Language field
// (RFC 9110 §12.5.4), empty, or rubbish, which suits nothing. A region or script without a catalogue of its own comes
// to the closest one (RFC 4647 §3.4 and CLDR's language distances), so "fr-CA" is "fr".
//
// Give the person's wish first and the house's default after it: Match(asked, house).
func (c *Catalogues) Match(preferences ...string) Language {
	for _, p := range preferences {
		if l, ok := c.Find(p); ok {
			return l
		}
	}
	return c.english
}

// Find is Match for one preference without the fallback: false means that nothing suits. Past answers are remembered.
func (c *Catalogues) Find(preference string) (Language, bool) {
	if preference == "" {
		return Language{}, false
	}
	if len(preference) > maxPreferences {
		preference = cutList(preference)
	}
	c.mu.RLock()
	m, known := c.matched[preference]
	c.mu.RUnlock()
	if !known {
		m = c.find(preference)
		c.remember(preference, m)
	}
	return m.language, m.found
}

func (c *Catalogues) remember(preference string, m match) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.matched) >= maxMatched {
		clear(c.matched)
	}
	c.matched[strings.Clone(preference)] = m
}

func (c *Catalogues) find(preference string) match {
	tags, _, err := language.ParseAcceptLanguage(preference)
	if err != nil {
		tags = salvage(preference)
	}
	if len(tags) == 0 {
		return match{}
	}
	_, i, confidence := c.matcher.Match(withoutGeneral(tags)...)
	if confidence == language.No || c.answers[i] == c.english && !slices.ContainsFunc(tags, isEnglish) {
		return match{}
	}
	return match{c.answers[i], true}
}

// newMatcher makes what c.matcher and c.answers are: the tags that may be asked for, and the language each comes to.
func newMatcher(languages []Language) (language.Matcher, []Language) {
	var tags []language.Tag
	byTag := make(map[string]Language, len(languages))
	for _, l := range languages {
		tags = append(tags, l.c.tag)
		byTag[l.Tag()] = l
	}
	answers := slices.Clone(languages)
	for _, r := range readAs {
		l, ours := byTag[r.read]
		if _, itself := byTag[r.asked]; ours && !itself {
			tags = append(tags, language.MustParse(r.asked))
			answers = append(answers, l)
		}
	}
	return language.NewMatcher(tags), answers
}

// withoutGeneral leaves out a language named without script or region after it was named with one. Browsers append it
// as the next best ("zh-HK,zh;q=0.9"), but the matcher would take it for the better wish: simplified Chinese for a
// person in Hong Kong.
func withoutGeneral(tags []language.Tag) []language.Tag {
	kept := make([]language.Tag, 0, len(tags))
	for _, tag := range tags {
		base, _ := tag.Base()
		named := func(earlier language.Tag) bool {
			other, _ := earlier.Base()
			return other == base
		}
		if tag.String() != base.String() || !slices.ContainsFunc(kept, named) {
			kept = append(kept, tag)
		}
	}
	return kept
}

// isEnglish tells English asked for from English supposed: CLDR holds that speakers of many languages read it, but
// before that comes the house's default.
func isEnglish(tag language.Tag) bool {
	base, _ := tag.Base()
	return base.String() == english
}

// salvage reads what can be read of a list that is not well-formed, such as "fr_CA.UTF-8" or "x!, de": of each member
// as many leading subtags as make a tag, in the order written.
func salvage(list string) []language.Tag {
	var tags []language.Tag
	for member := range strings.SplitSeq(list, ",") {
		member = strings.TrimSpace(member)
		if end := strings.IndexFunc(member, func(r rune) bool { return !isTagRune(r) }); end >= 0 {
			member = member[:end]
		}
		for member != "" {
			if tag, err := language.Parse(member); err == nil {
				tags = append(tags, tag)
				break
			}
			member = member[:max(0, strings.LastIndexAny(member, "-_"))]
		}
	}
	return tags
}

func isTagRune(r rune) bool {
	return r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// cutList shortens a list to whole members.
func cutList(list string) string {
	list = list[:maxPreferences]
	return list[:max(0, strings.LastIndexByte(list, ','))]
}
