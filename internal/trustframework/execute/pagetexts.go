package execute

import (
	"slices"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/wording"
)

// label is what a claim is called.
func (t *texts) label(c *trustframework.ClaimType) string {
	name := c.DisplayName
	if name == "" {
		name = c.ID
	}
	return t.claim(c.ID, "DisplayName", name)
}

func (t *texts) claim(id, what, otherwise string) string {
	if text, ok := t.find("ClaimType", id, what); ok {
		return text
	}
	return otherwise
}

func (t *texts) ui(id, otherwise string) string {
	if text, ok := t.exact("UxElement", "", id); ok {
		return text
	}
	if text, ok := wording.In(t.language(), otherwise); ok {
		return text
	}
	if text, ok := t.find("UxElement", "", id); ok {
		return text
	}
	return otherwise
}

// choices are a claim's enumeration in the page's language.
func (t *texts) choices(c *trustframework.ClaimType) []trustframework.Choice {
	for _, r := range slices.Concat(t.look().own, t.fallback) {
		for _, l := range r.Collections {
			if trustframework.Fold(l.ElementType) == "claimtype" && trustframework.Fold(l.Element) == trustframework.Fold(c.ID) && trustframework.Fold(l.Target) == "restriction" {
				return l.Choices
			}
		}
	}
	return c.Choices
}

// controlTexts are the defaults of display controls (localization-string-ids.md, "Verification display control user
// interface elements" and "TOTP MFA controls display control user interface elements").
var controlTexts = map[string]map[string]string{
	"verificationcontrol": {
		"intro_msg":               "Verification is necessary. Please click Send button.",
		"success_send_code_msg":   "Verification code has been sent. Please copy it to the input box below.",
		"failure_send_code_msg":   "We are having trouble verifying your email address. Please enter a valid email address and try again.",
		"success_verify_code_msg": "E-mail address verified. You can now continue.",
		"failure_verify_code_msg": "We are having trouble verifying your email address. Please try again.",
		"but_send_code":           "Send verification code",
		"but_verify_code":         "Verify code",
		"but_send_new_code":       "Send new code",
		"but_change_claims":       "Change e-mail",
	},
	"authenticatorappiconcontrol": {
		"title_text":       "Download the Microsoft Authenticator using the download links for iOS and Android or use any other authenticator app of your choice.",
		"instruction_text": "Once you've downloaded the Authenticator app, you can use any of the methods below to continue with enrollment.",
	},
	"qrcodecontrol": {
		"title_text": "Scan the QR code",
		"info_msg":   "You can download the Microsoft Authenticator app or use any other authenticator app of your choice.",
		"link_text":  "Can't scan? Try this",
	},
	"authenticatorinfocontrol": {
		"title_text":     "Enter the account details manually",
		"account_name":   "Account Name:",
		"display_prefix": "Secret",
		"collapse_text":  "Still having trouble?",
	},
}

// control are a display control's texts: the policy's own in the journey's language, or the default ones in it, or those of
// the policy in its default language.
func (t *texts) control(c *trustframework.DisplayControl) map[string]string {
	said := map[string]string{}
	for id, text := range controlTexts[trustframework.Fold(c.Type)] {
		said[id] = text
	}
	t.overwrite(said, c, t.look().fallback)
	for id, text := range controlTexts[trustframework.Fold(c.Type)] {
		if text, ok := wording.In(t.language(), text); ok {
			said[id] = text
		}
	}
	t.overwrite(said, c, t.own)
	return said
}

// overwrite puts in what a policy says itself.
func (t *texts) overwrite(said map[string]string, c *trustframework.DisplayControl, resources []*trustframework.LocalizedResources) {
	for _, r := range slices.Backward(resources) {
		for _, s := range r.Strings {
			if trustframework.Fold(s.ElementType) == "displaycontrol" && trustframework.Fold(s.Element) == trustframework.Fold(c.ID) {
				said[trustframework.Fold(s.ID)] = s.Text
			}
		}
	}
}
