package execute_test

import "testing"

// begins are the input claims transformations of a page: one copies what the page shows, one refuses an address.
const begins = `<ClaimsTransformations>
<ClaimsTransformation Id="Copy" TransformationMethod="CopyClaim"><InputClaims><InputClaim ClaimTypeReferenceId="shown" TransformationClaimType="inputClaim"/></InputClaims><OutputClaims><OutputClaim ClaimTypeReferenceId="other" TransformationClaimType="outputClaim"/></OutputClaims></ClaimsTransformation>
<ClaimsTransformation Id="Same" TransformationMethod="AssertStringClaimsAreEqual"><InputClaims><InputClaim ClaimTypeReferenceId="email" TransformationClaimType="inputClaim1"/><InputClaim ClaimTypeReferenceId="code" TransformationClaimType="inputClaim2"/></InputClaims><InputParameters><InputParameter Id="stringComparison" DataType="string" Value="ordinal"/></InputParameters></ClaimsTransformation>
</ClaimsTransformations>`

func beginning(ids ...string) string {
	var entries []string
	for _, id := range ids {
		entries = append(entries, `ReferenceId="`+id+`"`)
	}
	return list("InputClaimsTransformations", "InputClaimsTransformation", entries...)
}

// A page begins once: what its input transformations made then stays, whatever is posted later.
func TestAPageBeginsOnce(t *testing.T) {
	w := worldOf(t, begins, profile("Use", inputs("other"))+page("Page", beginning("Copy")+outputs("email")+validations("Use")))
	w.must("Page", "email=a", "shown=first")
	w.must("Page", "email=a", "shown=second")
	equal(t, "calls", w.calls(), "Use other=first; Use other=first")
	equal(t, "session", said(&w.session.Claims), "email=a other=first")
	// Neither what was given with the request nor another page belongs to it.
	w.session.Opened = nil
	w.must("Page", "email=a", "shown=third")
	equal(t, "begun anew", w.calls(), "Use other=third")
}

// What the page does not let anybody change is not taken from a post when it begins, either.
func TestAPageBeginsWithWhatTheJourneyHas(t *testing.T) {
	w := worldOf(t, begins, profile("Set", metadata("answer shown", "known")+outputs("shown"))+profile("Use", inputs("other"))+
		page("Page", beginning("Copy")+outputs("email", "shown")+validations("Use")))
	w.must("Set")
	w.must("Page", "email=a", "shown=forged")
	equal(t, "calls", w.calls(), "Set; Use other=known")
}

// A page whose transformations refuse has not begun, and is begun by the next call.
func TestAPageThatIsRefusedAtItsBeginningHasNotBegun(t *testing.T) {
	w := worldOf(t, begins, page("Page", beginning("Copy", "Same")+outputs("email")))
	const key = "UserMessageIfClaimsTransformationStringsAreNotEqual"
	w.told(key, "Page", "email=a", "code=b", "shown=first")
	w.told(key, "Page", "email=a", "code=b", "shown=second")
	equal(t, "session", said(&w.session.Claims), "")
	if _, err := w.runner.Page(t.Context(), w.request("Page", "email=a", "code=b")); err == nil {
		t.Error("the page is shown")
	}
	w.must("Page", "email=a", "code=a", "shown=third")
	equal(t, "session", said(&w.session.Claims), "email=a other=third")
}
