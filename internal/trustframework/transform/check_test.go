package transform_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/transform"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		e      example
		weight trustframework.Weight
		want   string
	}{
		{example{method: "CopyClam", in: "inputClaim=Text1", out: "outputClaim=Text2"}, trustframework.Broken, "the method CopyClam is not one that can be run; did you mean CopyClaim?"},
		{example{method: "CopyClaim", in: "inputClam=Text1", out: "outputClaim=Text2"}, trustframework.Odd, "has no InputClaim inputClam, so that it is not looked at; did you mean inputClaim?"},
		{example{method: "CopyClaim", in: "inputClam=Text1", out: "outputClaim=Text2"}, trustframework.Broken, "needs an InputClaim with TransformationClaimType inputClaim"},
		{example{method: "CopyClaim", in: "inputClaim=Text1"}, trustframework.Broken, "needs an OutputClaim with TransformationClaimType outputClaim"},
		{example{method: "CopyClaim", in: "inputClaim=Text1; inputClaim=Text2", out: "outputClaim=Text2"}, trustframework.Odd, "before this one, which is not looked at"},
		{example{method: "CopyClaim", in: "inputClaim=Text1", out: "outputClaim=Txt2"}, trustframework.Broken, "the claim type Txt2 is not in the policy; declare it in ClaimsSchema; did you mean Text2?"},
		{example{method: "CopyClaim", in: "inputClaim=Int1", out: "outputClaim=Long1"}, trustframework.Odd, "between claims of one type"},
		{example{method: "FormatStringClaim", in: "inputClaim=List1", with: "stringFormat={0}", out: "outputClaim=Text1"}, trustframework.Broken, "is a string, and the claim type List1 is a stringCollection"},
		{example{method: "DoesClaimExist", in: "inputClaim=Text1", out: "outputClaim=Time1"}, trustframework.Broken, "is a boolean, and the claim type Time1 is a dateTime"},
		{example{method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat={0", out: "outputClaim=Text1"}, trustframework.Broken, "the parameter stringFormat has a { without a } after it"},
		{example{method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat=0}", out: "outputClaim=Text1"}, trustframework.Broken, "has a } without a {"},
		{example{method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat={0 1}", out: "outputClaim=Text1"}, trustframework.Broken, "String.Format does not read"},
		{example{method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat={}", out: "outputClaim=Text1"}, trustframework.Broken, "neither the number of a claim nor an expression"},
		{example{method: "FormatStringClaim", in: "inputClaim=Text1", with: "format={0}", out: "outputClaim=Text1"}, trustframework.Broken, "needs an InputParameter stringFormat"},
		{example{method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat={0}; stringformt=x", out: "outputClaim=Text1"}, trustframework.Odd, "has no parameter stringformt, so that it is not looked at; did you mean stringFormat?"},
		{example{method: "CreateRandomString", with: "randomGeneratorType=INTEGER; seed/int=7", out: "outputClaim=Text1"}, trustframework.Odd, "never use it for a code or a secret"},
		{example{method: "CreateRandomString", with: "randomGeneratorType=GUID; maximumNumber/int=7", out: "outputClaim=Text1"}, trustframework.Odd, "not looked at for a GUID"},
		{example{method: "CreateRandomString", with: "randomGeneratorType=INTEGER; maximumNumber=many", out: "outputClaim=Text1"}, trustframework.Broken, "the parameter maximumNumber is not a whole number"},
		{example{method: "CopyClaimIfPredicateMatch", in: "inputClaim=Text1", out: "outputClaim=Text2"}, trustframework.Odd, "every value is copied"},
		{example{method: "SetClaimsIfRegexMatch", in: "claimToMatch=Text1", with: "matchTo=[0-9", out: "outputClaim=Text2"}, trustframework.Broken, "the parameter matchTo is not a regular expression of .NET"},
		{example{method: "SetClaimsIfRegexMatch", in: "claimToMatch=Text1", with: "matchTo=(?<Text3>.)", out: "_=Text3"}, trustframework.Odd, "the group Text3 is not read without"},
		{example{method: "SetClaimsIfRegexMatch", in: "claimToMatch=Text1", with: "matchTo=(?<Text2>.); extractGroups/boolean=true", out: "_=Text3"}, trustframework.Odd, "has no group Text3"},
		{example{method: "AssertStringClaimsAreEqual", in: "inputClaim1=Text1; inputClaim2=Text2", with: "stringComparison=Culture"}, trustframework.Broken, "must be one of: Ordinal, OrdinalIgnoreCase"},
		{example{method: "StringReplace", in: "inputClaim=Text1", with: "oldValue=; newValue=x", out: "outputClaim=Text2"}, trustframework.Broken, "the parameter oldValue is empty"},
		{example{method: "NullClaim", with: "value=x", out: "claim_to_null=Text1"}, trustframework.Odd, "has no parameter value, so that it is not looked at"},
		{example{method: "Hash", in: "plaintext=Text1; salt=Text2", with: "randomizerSecret=B2C_1A_Key", out: "hash=Text3"}, trustframework.Odd, "not the one that B2C makes"},
		{example{method: "GenerateJson", in: "_=Text1", out: "outputClaim=Text3"}, trustframework.Odd, "its path is its own name"},
	} {
		policy, tested := c.e.read(t)
		var all []string
		for _, p := range transform.Check(policy, tested) {
			if p.At.File != "policy.xml" || p.At.Line == 0 || !strings.HasPrefix(p.Reason, "claims transformation Tested: ") {
				t.Errorf("%+v", p)
			}
			all = append(all, fmt.Sprint(p.Weight, " ", p.Reason))
		}
		if text := strings.Join(all, "\n"); !strings.Contains(text, c.want) || !strings.Contains(text, c.weight.String()+" claims") {
			t.Errorf("%s: %q, want %v with %q", c.e.method, all, c.weight, c.want)
		}
	}
}

// What the check calls broken does not run, and all else that the examples have does or is refused for its claims.
func TestWhatRunsIsWhatTheCheckLetsPass(t *testing.T) {
	broken := 0
	for _, e := range examples {
		policy, tested := e.read(t)
		found := false
		for _, p := range transform.Check(policy, tested) {
			found = found || p.Weight == trustframework.Broken
		}
		if found {
			broken++
			if err := transform.Apply(tested, bagOf(t, policy, e.bag), e.scene(policy)); err == nil {
				t.Errorf("%s %s is broken, and ran", e.method, e.name)
			}
			if e.misuse == "" {
				t.Errorf("%s %s is said to be broken", e.method, e.name)
			}
		}
	}
	if broken == 0 {
		t.Error("no example is broken")
	}
}

// A seed gives the same number in every run, and other numbers for other seeds.
func TestASeedIsTheSameSequence(t *testing.T) {
	drawn := map[string]bool{}
	for seed := range 50 {
		e := example{method: "CreateRandomString", with: fmt.Sprintf("randomGeneratorType=INTEGER; seed/int=%d", seed), out: "outputClaim=Text1"}
		policy, tested := e.read(t)
		var first string
		for range 2 {
			bag := &claim.Bag{}
			if err := transform.Apply(tested, bag, transform.Scene{Policy: policy}); err != nil {
				t.Fatal(err)
			}
			if first != "" && first != bag.Text("Text1") {
				t.Errorf("seed %d gave %s and then %s", seed, first, bag.Text("Text1"))
			}
			first = bag.Text("Text1")
		}
		drawn[first] = true
	}
	if len(drawn) < 40 {
		t.Errorf("50 seeds gave %d numbers", len(drawn))
	}
}

type noRand struct{}

func (noRand) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

func TestWithoutRandomnessNothingIsDrawn(t *testing.T) {
	for _, e := range []example{
		{method: "CreateOtpSecret", out: "outputClaim=Text1"},
		{method: "CreateRandomString", with: "randomGeneratorType=GUID", out: "outputClaim=Text1"},
		{method: "CreateRandomString", with: "randomGeneratorType=INTEGER", out: "outputClaim=Text1"},
	} {
		policy, tested := e.read(t)
		bag := &claim.Bag{}
		if err := transform.Apply(tested, bag, transform.Scene{Policy: policy, Rand: noRand{}}); err == nil || bag.Len() != 0 {
			t.Errorf("%s: %v, and the bag has %s", e.method, err, show(bag))
		}
	}
}

// Whatever a format is, the check and the run agree, and the result has what was put in.
func FuzzFormat(f *testing.F) {
	policy := load(f, strings.Replace(schema, "%TRANSFORMATIONS%", "", 1))
	f.Add("{0} and {1}", "a", "b")
	f.Add("{{{0,-7:x}}}", "{0}", "")
	f.Add("{1,3}{", "\xff", "\u2028")
	f.Fuzz(func(t *testing.T, format, first, second string) {
		tested := &trustframework.ClaimsTransformation{
			ID: "T", Method: "FormatStringMultipleClaims",
			Inputs:     []trustframework.TransformationClaim{{Claim: "Text1", Name: "inputClaim1"}, {Claim: "Text2", Name: "inputClaim2"}},
			Parameters: []trustframework.Parameter{{ID: "stringFormat", DataType: "string", Value: format}},
			Outputs:    []trustframework.TransformationClaim{{Claim: "Text3", Name: "outputClaim"}},
		}
		bag := &claim.Bag{}
		bag.Set("Text1", claim.Text(first))
		bag.Set("Text2", claim.Text(second))
		err := transform.Apply(tested, bag, transform.Scene{Policy: policy, Resolve: func(string) string { return "" }})
		broken := len(transform.Check(policy, tested)) > 0
		if broken && err == nil {
			t.Fatal("the check says that it is broken, and it ran")
		}
		if err != nil && !broken && !strings.Contains(err.Error(), "longer than 4000") {
			t.Fatalf("the check says nothing, and it ended with %v", err)
		}
		if err == nil && strings.Contains(strings.ReplaceAll(format, "{{", ""), "{0}") && !strings.Contains(bag.Text("Text3"), first) {
			t.Errorf("%q of %q is %q", format, first, bag.Text("Text3"))
		}
	})
}

func TestEveryMethodHasAnExample(t *testing.T) {
	shown := map[string]bool{"generatejson": true} // in testdata/json.txtar
	for _, e := range examples {
		shown[strings.ToLower(e.method)] = true
	}
	for _, name := range transform.Methods() {
		if !shown[strings.ToLower(name)] {
			t.Errorf("%s has no example", name)
		}
	}
}
