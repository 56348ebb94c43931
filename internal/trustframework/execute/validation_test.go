package execute_test

import (
	"strings"
	"testing"
)

func TestValidationsGoOnAsThePolicySays(t *testing.T) {
	profiles := profile("One", metadata("answer other", "1")+outputs("other")) + profile("Two", inputs("other")) +
		profile("Refuses", metadata("Fail", "UserMessageIfX", "Default", "No.")) + profile("Breaks", metadata("Break", "the wire is cut"))
	for name, c := range map[string]struct {
		order []string
		// ran are the profiles that ran; key is the refusal's, "" for none.
		ran, key string
	}{
		"in the order of the policy":      {[]string{"Two", "One"}, "Two One", ""},
		"to the first refusal":            {[]string{"One", "Refuses", "Two"}, "One Refuses", "UserMessageIfX"},
		"past a refusal":                  {[]string{"One", `Refuses ContinueOnError="true"`, "Two"}, "One Refuses Two", ""},
		"past one refusal to the next":    {[]string{`Refuses ContinueOnError="true"`, "Refuses", "Two"}, "Refuses Refuses", "UserMessageIfX"},
		"to the end by a success":         {[]string{`One ContinueOnSuccess="false"`, "Two"}, "One", ""},
		"on after a refusal all the same": {[]string{`Refuses ContinueOnError="true" ContinueOnSuccess="false"`, "One"}, "Refuses One", ""},
		"on with a success as it is":      {[]string{`One ContinueOnSuccess="true"`, "Two"}, "One Two", ""},
		"a refusal is not a success":      {[]string{`Refuses ContinueOnSuccess="false"`, "One"}, "Refuses", "UserMessageIfX"},
		"with one alone":                  {[]string{`One ContinueOnError="false"`}, "One", ""},
		"with none":                       {nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOf(t, "", profiles+page("Page", outputs("email")+validations(c.order...)))
			if c.key == "" {
				w.must("Page", "email=a")
			} else {
				equal(t, "text", w.told(c.key, "Page", "email=a"), "No.")
			}
			var ran []string
			for _, call := range strings.Split(w.calls(), "; ") {
				id, _, _ := strings.Cut(call, " ")
				ran = append(ran, id)
			}
			equal(t, "ran", strings.Join(ran, " "), c.ran)
		})
	}
	t.Run("not past what is broken", func(t *testing.T) {
		w := worldOf(t, "", profiles+page("Page", outputs("email")+validations(`Breaks ContinueOnError="true"`, "One")))
		if _, err := w.run("Page", "email=a"); err == nil || err.Error() != "the wire is cut" {
			t.Error(err)
		}
		equal(t, "calls", w.calls(), "Breaks")
	})
}

// A profile that is nowhere harms those alone who come to it: published policies have such references.
func TestADanglingReferenceIsAnErrorWhenItIsReached(t *testing.T) {
	w := worldOf(t, "", profile("Refuses", metadata("Fail", "UserMessageIfX"))+
		page("Before", outputs("email")+validations("Refuses", "Nowhere"))+page("Reached", outputs("email")+validations("Nowhere"))+
		page("Skipped", outputs("email")+`<ValidationTechnicalProfiles><ValidationTechnicalProfile ReferenceId="Nowhere"><Preconditions>`+
			exists("false", "objectId")+`</Preconditions></ValidationTechnicalProfile></ValidationTechnicalProfiles>`))
	w.told("UserMessageIfX", "Before", "email=a")
	w.misused("validation technical profile Nowhere: is defined in no file", "Reached", "email=a")
	w.must("Skipped", "email=a")
}

// Claims of a validation profile are there for those after it, and are over with the page unless it puts them out
// (validation-technical-profile.md).
func TestClaimsOfValidationsEndWithThePage(t *testing.T) {
	profiles := profile("Make", metadata("answer code", "c0de", "answer other", "kept")+outputs("code", "other")) + profile("Use", inputs("code", "email"))
	w := worldOf(t, "", profiles+page("Page", outputs("email", "other")+validations("Make", "Use")))
	equal(t, "claims", w.must("Page", "email=a"), "email=a other=kept")
	equal(t, "calls", w.calls(), "Make; Use code=c0de email=a")
	equal(t, "session", said(&w.session.Claims), "email=a other=kept")
	w.must("Use")
	equal(t, "the next call", w.calls(), "Use email=a")
}

// A page whose output claim is the code keeps it for the next page (active-directory-b2c-custom-policy-starterpack#87).
func TestAPageMayKeepACodeForTheNextOne(t *testing.T) {
	w := worldOf(t, "", profile("Make", metadata("answer code", "c0de")+outputs("code"))+profile("Use", inputs("code"))+
		page("One", outputs("email", "code")+validations("Make"))+page("Two", outputs("email")+validations("Use")))
	w.must("One", "email=a")
	w.must("Two", "email=a")
	equal(t, "calls", w.calls(), "Make; Use code=c0de")
}

func TestAPageIsNoValidationOfAnother(t *testing.T) {
	w := worldOf(t, "", page("Inner", outputs("email"))+page("Outer", outputs("email")+validations("Inner")))
	w.misused("technical profile Inner: is a page", "Outer", "email=a")
}

// setting.retryLimit counts refusals of one page, and a success begins anew.
func TestAPageIsRefusedAfterItsRetries(t *testing.T) {
	w := worldOf(t, "", profile("Guard", metadata("Fail", "UserMessageIfX")+"")+
		page("Page", metadata("setting.retryLimit", "2")+outputs("email")+
			`<ValidationTechnicalProfiles><ValidationTechnicalProfile ReferenceId="Guard"><Preconditions>`+equals("true", "email", "right")+
			`</Preconditions></ValidationTechnicalProfile></ValidationTechnicalProfiles>`)+page("Other", outputs("email")))
	for range 2 {
		w.told("UserMessageIfX", "Page", "email=wrong")
		w.must("Page", "email=right")
		w.told("UserMessageIfX", "Page", "email=wrong")
		w.told("UserMessageIfX", "Page", "email=wrong")
		equal(t, "text", w.told("AADB2C90157", "Page", "email=right"), "User has exceeded the maximum number for retries for a self-asserted step.")
		w.must("Other", "email=a")
		w.session.Retries = nil
	}
}

// A page alone validates. What another profile would be validated by must not be passed over.
func TestValidationsOfWhatIsNoPageAreRefused(t *testing.T) {
	w := worldOf(t, "", profile("Guard", metadata("Fail", "UserMessageIfX"))+profile("Guarded", outputs("email")+validations("Guard"))+
		page("Page", outputs("email")+validations("Guarded")))
	for _, id := range []string{"Guarded", "Page"} {
		w.misused("technical profile Guarded: is no page and has ValidationTechnicalProfiles", id, "email=a")
	}
	equal(t, "calls", w.calls(), "")
}

func TestWhatIsNoRefusalIsNoRetry(t *testing.T) {
	w := worldOf(t, "", profile("Breaks", metadata("Break", "the wire is cut"))+page("Page", metadata("setting.retryLimit", "1")+outputs("email")+validations("Breaks"))+
		page("Lost", metadata("setting.retryLimit", "1")+outputs("email")+validations("Nowhere")))
	for range 2 {
		if _, err := w.run("Page", "email=a"); err == nil || err.Error() != "the wire is cut" {
			t.Error(err)
		}
		w.misused("Nowhere", "Lost", "email=a")
	}
}

func TestARetryLimitThatIsNoneIsRefused(t *testing.T) {
	for _, limit := range []string{"", "many", "0", "-1", "2.5"} {
		w := worldOf(t, "", page("Page", metadata("setting.retryLimit", limit)+outputs("email")))
		w.misused("technical profile Page: has a setting.retryLimit that is not a whole number", "Page", "email=a")
	}
	worldOf(t, "", page("Page", metadata("setting.retryLimit", " 1 ")+outputs("email"))).must("Page", "email=a")
}
