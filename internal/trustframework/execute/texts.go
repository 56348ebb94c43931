package execute

import (
	"strings"

	"golang.org/x/text/language"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/wording"
)

// texts are what a page says in the language of a journey. They are looked up when the first of them is needed, since most
// requests need none.
type texts struct {
	policy *trustframework.Policy
	host   *trustframework.TechnicalProfile
	locale string

	ready bool
	// tag is the language, as the policy writes it, or else "en".
	tag string
	// own are the page's texts in that language, fallback those in the policy's default language.
	own, fallback []*trustframework.LocalizedResources
}

// look chooses a language among those that the policy supports, and finds the texts of the host's page in it: a content
// definition names them language by language (localization.md).
func (t *texts) look() *texts {
	if t.ready {
		return t
	}
	t.ready = true
	p, definition := t.policy, definitionOf(t.policy, t.host)
	t.tag = chosen(p, definition, t.locale)
	if definition == nil || !p.Localization.Enabled {
		return t
	}
	t.own = resources(p, definition, t.tag)
	if fallback := p.Localization.Default; !strings.EqualFold(fallback, t.tag) {
		t.fallback = resources(p, definition, fallback)
	}
	return t
}

// language is a BCP 47 tag.
func (t *texts) language() string { return t.look().tag }

func definitionOf(p *trustframework.Policy, host *trustframework.TechnicalProfile) *trustframework.ContentDefinition {
	if host == nil {
		return nil
	}
	item, _ := host.Metadata.Get("ContentDefinitionReferenceId")
	definition, _ := p.ContentDefinition(item.Value)
	return definition
}

// chosen is the best of the supported languages for a person, the default one for those that understand none of them.
func chosen(p *trustframework.Policy, definition *trustframework.ContentDefinition, locale string) string {
	supported := p.Localization.Languages
	if len(supported) == 0 && definition != nil {
		for _, r := range definition.Resources {
			supported = append(supported, r.Language)
		}
	}
	// The matcher answers with the first where none matches.
	all := append([]string{p.Localization.Default}, supported...)
	if all[0] == "" {
		all[0] = "en"
	}
	tags := make([]language.Tag, len(all))
	for i, text := range all {
		tags[i] = language.Make(text)
	}
	wanted, _, err := language.ParseAcceptLanguage(locale)
	if err != nil || len(wanted) == 0 {
		return all[0]
	}
	_, i, confidence := language.NewMatcher(tags).Match(wanted...)
	if confidence == language.No {
		return all[0]
	}
	return all[i]
}

func resources(p *trustframework.Policy, d *trustframework.ContentDefinition, language string) (found []*trustframework.LocalizedResources) {
	for _, ref := range d.Resources {
		if !strings.EqualFold(ref.Language, language) {
			continue
		}
		if r, ok := p.Localization.Find(ref.Resources); ok {
			found = append(found, r)
		}
	}
	return found
}

// exact finds a text in the journey's language alone (GetLocalizedStringsTransformation knows no other).
func (t *texts) exact(elementType, element, id string) (string, bool) {
	return search(t.look().own, elementType, element, id)
}

// find finds a text in the journey's language, or else in the default one.
func (t *texts) find(elementType, element, id string) (string, bool) {
	if text, ok := t.exact(elementType, element, id); ok {
		return text, true
	}
	return search(t.look().fallback, elementType, element, id)
}

func search(in []*trustframework.LocalizedResources, elementType, element, id string) (string, bool) {
	for _, r := range in {
		if s, ok := r.String(elementType, element, id); ok {
			return s.Text, true
		}
	}
	return "", false
}

// message is what the person is told: a service's own words, or the localised text, or the one in the metadata of the
// self-asserted profile, or the default one in the journey's language. Which of the localised text and the metadata counts
// first is UNCONFIRMED for B2C. A default text that has not been translated gives way to the policy's own in its default
// language.
func (t *texts) message(f *trustframework.Failure) string {
	if f.Message != "" {
		return f.Message
	}
	return trustframework.Format(t.said(f.Key, f.Default), f.Arguments...)
}

func (t *texts) said(key, otherwise string) string {
	if key == "" {
		return otherwise
	}
	// A text that says nothing is none: who is refused must be told something, and B2C takes no userMessage that is empty.
	if text, ok := t.exact("ErrorMessage", "", key); ok && strings.TrimSpace(text) != "" {
		return text
	}
	if t.host != nil {
		if item, ok := t.host.Metadata.Get(key); ok && strings.TrimSpace(item.Value) != "" {
			return strings.TrimSpace(item.Value)
		}
	}
	if text, ok := wording.In(t.language(), otherwise); ok {
		return text
	}
	if text, ok := t.find("ErrorMessage", "", key); ok && strings.TrimSpace(text) != "" {
		return text
	}
	return otherwise
}
