package trustframework

func (r *reader) contentDefinition(e *element) *ContentDefinition {
	c := &ContentDefinition{
		At:          e.at,
		ID:          e.get("Id"),
		LoadURI:     e.textOf("LoadUri"),
		RecoveryURI: e.textOf("RecoveryUri"),
		DataURI:     e.textOf("DataUri"),
		Metadata:    r.metadata(e.child("Metadata")),
	}
	for _, l := range e.child("LocalizedResourcesReferences").each("LocalizedResourcesReference") {
		if language := r.need(l, "Language"); language != "" {
			c.Resources = append(c.Resources, LocalizedReference{At: l.at, Language: language, Resources: l.get("LocalizedResourcesReferenceId")})
		}
	}
	return c
}

// localization reads all texts. Resources go by Id, or by Culture where they have none.
func (r *reader) localization(e *element) Localization {
	languages := e.child("SupportedLanguages")
	l := Localization{
		At:      e.at,
		Enabled: r.flag(e, "Enabled", false),
		Default: languages.get("DefaultLanguage"),
		byID:    map[string]*LocalizedResources{},
	}
	for _, language := range languages.each("SupportedLanguage") {
		l.Languages = append(l.Languages, language.text)
	}
	for _, resources := range e.each("LocalizedResources") {
		made := once(r, resources, r.resources)
		if made.ID == "" {
			r.problems.add(resources.at, Broken, "LocalizedResources has neither Id nor Culture and is left out")
			continue
		}
		l.Resources, l.byID[Fold(made.ID)] = append(l.Resources, made), made
	}
	return l
}

func (r *reader) resources(e *element) *LocalizedResources {
	made := &LocalizedResources{At: e.at, ID: e.get("Id"), Language: e.get("Culture")}
	if made.ID == "" {
		made.ID = made.Language
	}
	for _, s := range e.child("LocalizedStrings").each("LocalizedString") {
		if id := r.need(s, "StringId"); id != "" {
			made.Strings = append(made.Strings,
				LocalizedString{At: s.at, ElementType: s.get("ElementType"), Element: s.get("ElementId"), ID: id, Text: s.text})
		}
	}
	for _, c := range e.child("LocalizedCollections").each("LocalizedCollection") {
		made.Collections = append(made.Collections, LocalizedCollection{
			At:          c.at,
			ElementType: c.get("ElementType"),
			Element:     c.get("ElementId"),
			Target:      c.get("TargetCollection"),
			Choices:     r.choices(c.each("Item")),
		})
	}
	return made
}
