package execute_test

import (
	"strings"
	"testing"
)

// when is a page with one validation profile that stands behind preconditions.
func when(t *testing.T, preconditions string) *world {
	t.Helper()
	return worldOf(t, "", profile("Behind", "")+
		page("Page", outputs("email")+`<ValidationTechnicalProfiles><ValidationTechnicalProfile ReferenceId="Behind"><Preconditions>`+
			preconditions+`</Preconditions></ValidationTechnicalProfile></ValidationTechnicalProfiles>`))
}

func exists(executeIf string, names ...string) string {
	return precondition("ClaimsExist", executeIf, names...)
}

func equals(executeIf string, values ...string) string {
	return precondition("ClaimEquals", executeIf, values...)
}

func precondition(kind, executeIf string, values ...string) string {
	out := `<Precondition Type="` + kind + `" ExecuteActionsIf="` + executeIf + `">`
	for _, v := range values {
		out += "<Value>" + v + "</Value>"
	}
	return out + "<Action>SkipThisValidationTechnicalProfile</Action></Precondition>"
}

// What is not said in userjourneys.md, "Preconditions", is the field's: a ClaimEquals on a claim that is not set counts
// for nothing in either direction.
func TestPreconditionsSkipTheProfileThatTheyStandAt(t *testing.T) {
	for name, c := range map[string]struct {
		preconditions string
		claims        []string
		// skipped is the outcome, "" if the profile runs.
		skipped string
	}{
		"exists, and it is there":               {exists("true", "objectId"), []string{"objectId=1"}, "skipped: claim objectId is there"},
		"exists, and it is not there":           {exists("true", "objectId"), nil, ""},
		"exists, and it is empty":               {exists("true", "objectId"), []string{"objectId="}, ""},
		"does not exist, and it is there":       {exists("false", "objectId"), []string{"objectId=1"}, ""},
		"does not exist, and it is not there":   {exists("false", "objectId"), nil, "skipped: claim objectId is not there"},
		"exists in other letters":               {exists("true", "OBJECTID"), []string{"objectId=1"}, "skipped: claim OBJECTID is there"},
		"both exist, and one is there":          {exists("true", "objectId", "other"), []string{"objectId=1"}, ""},
		"both exist, and both are there":        {exists("true", "objectId", "other"), []string{"objectId=1", "other=2"}, "skipped: claim objectId, other is there"},
		"equals, and it does":                   {equals("true", "other", "sms"), []string{"other=sms"}, "skipped: claim other is sms"},
		"equals, and it does not":               {equals("true", "other", "sms"), []string{"other=email"}, ""},
		"equals in other letters":               {equals("true", "other", "sms"), []string{"other=SMS"}, ""},
		"equals without the claim":              {equals("true", "other", "sms"), nil, ""},
		"does not equal, and it does":           {equals("false", "other", "sms"), []string{"other=sms"}, ""},
		"does not equal, and it does not":       {equals("false", "other", "sms"), []string{"other=email"}, "skipped: claim other is not sms"},
		"does not equal without the claim":      {equals("false", "other", "sms"), nil, ""},
		"does not equal the empty claim":        {equals("false", "other", "sms"), []string{"other="}, ""},
		"equals True":                           {equals("true", "newUser", "True"), []string{"newUser=true"}, "skipped: claim newUser is True"},
		"equals true":                           {equals("true", "newUser", "true"), []string{"newUser=true"}, ""},
		"equals False":                          {equals("true", "newUser", "False"), []string{"newUser=false"}, "skipped: claim newUser is False"},
		"equals a number":                       {equals("true", "tries", "3"), []string{"tries=3"}, "skipped: claim tries is 3"},
		"the value is no name of a claim":       {equals("true", "other", "objectId"), []string{"other=1", "objectId=1"}, ""},
		"the second is satisfied":               {equals("true", "other", "sms") + exists("true", "objectId"), []string{"other=email", "objectId=1"}, "skipped: claim objectId is there"},
		"both are, and the first decides":       {exists("false", "objectId") + equals("true", "other", "sms"), []string{"other=sms"}, "skipped: claim objectId is not there"},
		"the first counts for nothing":          {equals("false", "other", "sms") + exists("false", "objectId"), nil, "skipped: claim objectId is not there"},
		"none is satisfied":                     {exists("false", "objectId") + equals("false", "other", "sms"), []string{"objectId=1", "other=sms"}, ""},
		"the action of a step":                  {strings.ReplaceAll(exists("true", "other"), "ValidationTechnicalProfile", "OrchestrationStep"), []string{"other=2"}, "skipped: claim other is there"},
		"two blocks of them, and the second is": {exists("true", "objectId") + "</Preconditions><Preconditions>" + exists("true", "other"), []string{"other=2"}, "skipped: claim other is there"},
	} {
		t.Run(name, func(t *testing.T) {
			w := when(t, c.preconditions)
			w.must("Page", c.claims...)
			if ran := strings.HasPrefix(w.calls(), "Behind"); ran != (c.skipped == "") {
				t.Errorf("the profile ran: %v", ran)
			}
			want := c.skipped
			if want == "" {
				want = "done"
			}
			equal(t, "trace", w.steps(), "0 Page: done\n1 Behind: "+want)
		})
	}
}

func TestAPreconditionThatMeansNothingIsNotPassedOver(t *testing.T) {
	for name, preconditions := range map[string]string{
		"no value":       exists("true"),
		"one value":      equals("true", "other"),
		"three values":   equals("true", "other", "a", "b"),
		"unknown type":   precondition("ClaimMatches", "true", "other", "a"),
		"no claim there": equals("false"),
		"no action":      strings.ReplaceAll(exists("true", "other"), "<Action>SkipThisValidationTechnicalProfile</Action>", ""),
		"unknown action": strings.ReplaceAll(exists("true", "other"), "SkipThis", "RunThis"),
	} {
		t.Run(name, func(t *testing.T) {
			w := when(t, preconditions)
			w.misused("precondition", "Page", "other=a")
			equal(t, "calls", w.calls(), "")
		})
	}
}
