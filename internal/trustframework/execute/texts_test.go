package execute_test

import (
	"testing"

	"github.com/otpost/otpost/internal/trustframework/execute"
)

// words are the texts of one page in English and in German, where German lacks some.
const words = `<ContentDefinitions><ContentDefinition Id="api.page"><LoadUri>~/page.html</LoadUri>
<LocalizedResourcesReferences><LocalizedResourcesReference Language="en" LocalizedResourcesReferenceId="page.en"/><LocalizedResourcesReference Language="de" LocalizedResourcesReferenceId="page.de"/></LocalizedResourcesReferences>
</ContentDefinition><ContentDefinition Id="api.bare"><LoadUri>~/page.html</LoadUri></ContentDefinition></ContentDefinitions>
<Localization Enabled="true"><SupportedLanguages DefaultLanguage="en"><SupportedLanguage>en</SupportedLanguage><SupportedLanguage>de</SupportedLanguage><SupportedLanguage>pt-BR</SupportedLanguage></SupportedLanguages>
<LocalizedResources Id="page.en"><LocalizedCollections><LocalizedCollection ElementType="ClaimType" ElementId="mfaType" TargetCollection="Restriction"><Item Text="By text" Value="sms"/><Item Text="By mail" Value="email"/></LocalizedCollection></LocalizedCollections><LocalizedStrings>
<LocalizedString ElementType="ErrorMessage" StringId="UserMessageIfBoth">English {0} and {1}.</LocalizedString>
<LocalizedString ElementType="ErrorMessage" StringId="UserMessageIfBlank"> </LocalizedString>
<LocalizedString ElementType="ErrorMessage" StringId="UserMessageIfEnglish">English alone.</LocalizedString>
<LocalizedString ElementType="ClaimType" ElementId="email" StringId="DisplayName">Your email</LocalizedString>
<LocalizedString ElementType="UxElement" StringId="button_continue">Go on</LocalizedString>
<LocalizedString ElementType="DisplayControl" ElementId="ctl" StringId="but_send_code">Send it</LocalizedString>
<LocalizedString ElementType="DisplayControl" ElementId="ctl" StringId="failure_send_code_msg">It was not sent.</LocalizedString>
<LocalizedString ElementType="DisplayControl" ElementId="another" StringId="but_verify_code">Not this</LocalizedString>
</LocalizedStrings></LocalizedResources>
<LocalizedResources Id="page.de"><LocalizedCollections><LocalizedCollection ElementType="ClaimType" ElementId="mfaType" TargetCollection="Restriction"><Item Text="Per Brief" Value="post"/></LocalizedCollection></LocalizedCollections><LocalizedStrings>
<LocalizedString ElementType="ErrorMessage" StringId="usermessageifboth">Deutsch {1} und {0}.</LocalizedString>
<LocalizedString ElementType="ClaimType" ElementId="Email" StringId="DisplayName">Ihre Adresse</LocalizedString>
<LocalizedString ElementType="ClaimType" ElementId="email" StringId="UserHelpText">Wohin der Code geht.</LocalizedString>
<LocalizedString ElementType="DisplayControl" ElementId="CTL" StringId="BUT_SEND_CODE">Senden</LocalizedString>
</LocalizedStrings></LocalizedResources></Localization>`

// refusing is a page whose validation refuses with a key.
func refusing(t *testing.T, key, fallback, pageMetadata string) *world {
	t.Helper()
	return worldOf(t, words, profile("No", metadata("Fail", key, "Default", fallback, "Argument", "one two", key, "On the profile itself."))+
		page("Page", pageMetadata+outputs("email")+validations("No")))
}

// Localised before metadata before default: which of the first two B2C takes first is UNCONFIRMED.
func TestWhatThePersonIsTold(t *testing.T) {
	const definition = "ContentDefinitionReferenceId"
	for name, c := range map[string]struct {
		key, fallback, metadata, locale, want string
	}{
		"the default":                               {"UserMessageIfX", "Default {1} {0}.", "", "", "Default two one."},
		"the page's metadata":                       {"UserMessageIfX", "Default.", metadata("UserMessageIfX", "Metadata {0}."), "", "Metadata one."},
		"its metadata under other letters":          {"UserMessageIfX", "Default.", metadata("usermessageifx", " Metadata. "), "", "Metadata."},
		"not an empty text of its metadata":         {"UserMessageIfX", "Default.", metadata("UserMessageIfX", ""), "", "Default."},
		"not an empty text of its language":         {"UserMessageIfBlank", "Default.", metadata(definition, "api.page"), "", "Default."},
		"nor one of the default language":           {"UserMessageIfBlank", "Default.", metadata(definition, "api.page"), "de", "Default."},
		"the localised text":                        {"UserMessageIfBoth", "Default.", metadata(definition, "api.page"), "", "English one and two."},
		"the localised text before the metadata":    {"UserMessageIfBoth", "Default.", metadata(definition, "api.page", "UserMessageIfBoth", "Metadata."), "", "English one and two."},
		"in the person's language":                  {"UserMessageIfBoth", "Default.", metadata(definition, "api.page"), "de-AT, en;q=0.5", "Deutsch two und one."},
		"in a language that there is":               {"UserMessageIfBoth", "Default.", metadata(definition, "api.page"), "fr, de;q=0.5", "Deutsch two und one."},
		"in the default language of policies":       {"UserMessageIfBoth", "Default.", metadata(definition, "api.page"), "fr", "English one and two."},
		"in that language where one has no texts":   {"UserMessageIfBoth", "Default.", metadata(definition, "api.page"), "pt-BR", "English one and two."},
		"in that language what the other lacks":     {"UserMessageIfEnglish", "Default.", metadata(definition, "api.page"), "de", "English alone."},
		"of no language":                            {"UserMessageIfBoth", "Default.", metadata(definition, "api.page"), "?;;q", "English one and two."},
		"nothing localised of a page without texts": {"UserMessageIfBoth", "Default.", metadata(definition, "api.bare"), "de", "Default."},
		"nothing localised of no page":              {"UserMessageIfBoth", "Default.", metadata(definition, "api.nowhere"), "de", "Default."},
		"an argument that is not there":             {"UserMessageIfX", "{0} {2} {x}.", "", "", "one {2} {x}."},
	} {
		t.Run(name, func(t *testing.T) {
			w := refusing(t, c.key, c.fallback, c.metadata)
			w.scene.Locale = c.locale
			equal(t, "text", w.told(c.key, "Page", "email=a"), c.want)
		})
	}
}

func TestAProfileAloneSpeaksForThePageThatReachesItFirst(t *testing.T) {
	w := worldOf(t, words+displayControl("ctl", "VerificationControl", emailAndCode, action("SendCode", "InControl"), action("VerifyCode", "InControl")),
		profile("InPage", metadata("Fail", "UserMessageIfX", "Default", "Default."))+profile("InControl", metadata("Fail", "UserMessageIfX", "Default", "Default."))+
			profile("Nowhere", metadata("Fail", "UserMessageIfX", "Default", "Default."))+
			page("First", metadata("UserMessageIfX", "First.")+outputs("email")+validations("InPage"))+
			page("Second", metadata("UserMessageIfX", "Second.")+`<DisplayClaims><DisplayClaim DisplayControlReferenceId="CTL"/></DisplayClaims>`+outputs("email")+validations("InPage")))
	equal(t, "a validation", w.told("UserMessageIfX", "InPage"), "First.")
	equal(t, "of a control", w.told("UserMessageIfX", "InControl"), "Second.")
	equal(t, "the control", w.told("UserMessageIfX", "ctl SendCode", "email=a"), "Second.")
	equal(t, "of none", w.told("UserMessageIfX", "Nowhere"), "Default.")
	q := w.request("InPage")
	q.Host = "second"
	_, err := w.runner.Run(t.Context(), q)
	equal(t, "of the one that was named", told(t, "UserMessageIfX")(execute.Result{}, err), "Second.")
}

// A refusal without any text has the control's for all that goes wrong.
func TestAControlSpeaksForThoseWithoutAText(t *testing.T) {
	w := worldOf(t, words+displayControl("ctl", "VerificationControl", emailAndCode, action("SendCode", "No"), action("VerifyCode", "No")),
		profile("No", metadata("Fail", "UserMessageIfX"))+
			page("Page", metadata("ContentDefinitionReferenceId", "api.page")+`<DisplayClaims><DisplayClaim DisplayControlReferenceId="ctl"/></DisplayClaims>`))
	equal(t, "localised", w.told("UserMessageIfX", "ctl SendCode", "email=a"), "It was not sent.")
	equal(t, "default", w.told("UserMessageIfX", "ctl VerifyCode", "email=a", "code=1"), "We are having trouble verifying your email address. Please try again.")
}

func TestChoicesAreThoseOfEveryLanguage(t *testing.T) {
	w := worldOf(t, words, page("Page", metadata("ContentDefinitionReferenceId", "api.page")+outputs("mfaType")))
	w.scene.Locale = "de"
	w.must("Page", "mfaType=post")
	w.must("Page", "mfaType=sms")
	w.told("UserMessageIfInvalidInput", "Page", "mfaType=pigeon")
}
