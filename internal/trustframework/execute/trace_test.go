package execute_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

func text(s string) claim.Value { return claim.Text(s) }

// full is the trace with its claims.
func (w *world) full() string {
	var out strings.Builder
	for _, s := range w.trace.Steps {
		fmt.Fprintf(&out, "%d %s %s: %s", s.Depth, s.What, s.ID, s.Outcome)
		for _, v := range s.In {
			fmt.Fprintf(&out, " <%s=%s", v.Name, v.Value)
		}
		for _, v := range s.Out {
			fmt.Fprintf(&out, " >%s=%s", v.Name, v.Value)
		}
		out.WriteString("\n")
	}
	return out.String()
}

func TestATraceNamesEveryStep(t *testing.T) {
	w := worldOf(t, displayControl("ctl", "VerificationControl", emailAndCode, action("SendCode", "One", "No", "Two"), action("VerifyCode", "One")),
		profile("One", inputs(`email PartnerClaimType="to"`)+metadata("answer other", "1")+outputs("other"))+profile("No", metadata("Fail", "UserMessageIfX"))+profile("Two", ""))
	w.told("UserMessageIfX", "ctl SendCode", "email=a")
	equal(t, "trace", w.full(), `0 display control ctl SendCode: refused: No: UserMessageIfX
1 technical profile One: done <to=a >other=1
1 technical profile No: refused: No: UserMessageIfX
`)
	if at := w.trace.Steps[1].At; at.File != "one.xml" || at.Line == 0 {
		t.Errorf("the step is at %v", at)
	}
}

// What a handler calls secret is hidden in what was told before and after, and in texts that have it in them.
func TestATraceHidesSecrets(t *testing.T) {
	w := worldOf(t, "", profile("Before", inputs("code", "body")+metadata("answer other", "code 4711-0815 it is")+outputs("other"))+
		profile("Knows", inputs("code")+metadata("Secret", "code"))+profile("After", inputs("code", "body", "email", "other"))+
		page("Page", outputs("email", "code", "body", "password")+validations("Before", "Knows", "After")))
	w.must("Page", "email=a", "code=4711-0815", `body={"otp":"4711-0815"}`, `password=p"w d`)
	if trace := w.full(); strings.Contains(trace, "4711") || strings.Contains(trace, "p\"w") {
		t.Errorf("the trace shows a secret:\n%s", trace)
	}
	if trace := w.full(); !strings.Contains(trace, "<email=a") || strings.Count(trace, "***") < 8 {
		t.Errorf("the trace hides too much or too little:\n%s", trace)
	}
	// A body has it as JSON and as forms have it.
	w.must("Page", "email=a", `password=p"w d`, `body={"p":"p\"w d"}`, "code=p%22w+d")
	if trace := w.full(); strings.Contains(trace, `p\"w`) || strings.Contains(trace, "%22") {
		t.Errorf("the trace shows a secret:\n%s", trace)
	}
}

func TestATraceHidesTheCodeThatIsTyped(t *testing.T) {
	w := worldOf(t, displayControl("ctl", "VerificationControl", emailAndCode, action("SendCode", "Use"), action("VerifyCode", "Use")), profile("Use", inputs("email", "code")))
	for _, action := range []string{"SendCode", "VerifyCode"} {
		w.must("ctl "+action, "email=a", "code=471108")
		if trace := w.full(); strings.Contains(trace, "471108") || !strings.Contains(trace, "<code=***") {
			t.Errorf("the trace of %s: %s", action, trace)
		}
	}
}

// A page draws the secret of an authenticator app before it is shown.
func TestATraceOfAPageHidesWhatItDraws(t *testing.T) {
	w := worldOf(t, `<ClaimsTransformations><ClaimsTransformation Id="Draw" TransformationMethod="CreateOtpSecret"><OutputClaims><OutputClaim ClaimTypeReferenceId="other" TransformationClaimType="outputClaim"/></OutputClaims></ClaimsTransformation></ClaimsTransformations>`,
		page("Page", `<InputClaimsTransformations><InputClaimsTransformation ReferenceId="Draw"/></InputClaimsTransformations>`+outputs("email")))
	w.runner.Rand, w.trace = strings.NewReader("0123456789"), &execute.Trace{}
	w.page("Page")
	equal(t, "trace", w.full(), "0 transformation Draw: done >other=***\n")
}

// A short secret hides itself, and not every text that has it somewhere.
func TestAShortSecretHidesItselfAlone(t *testing.T) {
	w := worldOf(t, "", profile("Knows", inputs("code", "body")+metadata("Secret", "code")))
	w.must("Knows", "code=12", "body=2012")
	equal(t, "trace", w.full(), "0 technical profile Knows: done <code=*** <body=2012\n")
}
