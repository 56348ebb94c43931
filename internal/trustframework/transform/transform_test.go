package transform_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/transform"
)

func TestMethods(t *testing.T) {
	for _, e := range examples {
		t.Run(strings.TrimSpace(e.method+" "+e.name), func(t *testing.T) {
			policy, transformation := e.read(t)
			bag := bagOf(t, policy, e.bag)
			before := show(bag)
			err := transform.Apply(transformation, bag, e.scene(policy))
			var failure *trustframework.Failure
			var misuse *trustframework.Misuse
			switch {
			case e.failure != "":
				if !errors.As(err, &failure) || failure.Key != e.failure || failure.Default == "" || failure.Profile != "Tested" {
					t.Fatalf("got %v, want the failure %s", err, e.failure)
				}
			case e.misuse != "":
				if !errors.As(err, &misuse) || !strings.Contains(misuse.Reason, e.misuse) || misuse.At.Line == 0 || misuse.Element != "claims transformation Tested" {
					t.Fatalf("got %v, want a misuse with %q and its place", err, e.misuse)
				}
			case err != nil:
				t.Fatal(err)
			}
			if err != nil && show(bag) != before {
				t.Errorf("after an error the bag is %q, and was %q", show(bag), before)
			}
			if after := show(bagOf(t, policy, e.want)); err == nil && show(bag) != after {
				t.Errorf("the bag is %q, want %q", show(bag), after)
			}
			for name, v := range bag.All() {
				if declared, _ := policy.Claim(name); v.Type() != claim.TypeOf(declared.DataType) {
					t.Errorf("%s is a %s, want a %s", name, v.Type(), declared.DataType)
				}
			}
		})
	}
}

// examples are those of the documents, as far as they have values, and what else a method has to do.
var examples = []example{
	{method: "CopyClaim", in: "inputClaim=Text1", out: "outputClaim=Text2", bag: "Text1=bob@contoso.com", want: "Text1=bob@contoso.com; Text2=bob@contoso.com"},
	{name: "of nothing", method: "copyclaim", in: "inputClaim=Text1", out: "outputClaim=Text2", bag: "Text2=old", want: ""},
	{name: "of a number", method: "CopyClaim", in: "inputClaim=Int1", out: "outputClaim=Long1", bag: "Int1=7", want: "Int1=7; Long1=7"},
	{name: "that cannot be converted", method: "CopyClaim", in: "inputClaim=Text1", out: "outputClaim=Int1", bag: "Text1=seven; Int1=7", misuse: "is not a whole number of 32 bits"},

	{method: "CreateStringClaim", with: "value=Contoso terms of service...", out: "createdClaim=Text1", want: "Text1=Contoso terms of service..."},
	{name: "with an expression", method: "CreateStringClaim", with: "value={AuthenticatorIssuer}", out: "createdClaim=Text1", want: "Text1=Contoso demo"},
	{name: "empty", method: "CreateStringClaim", with: "value=", out: "createdClaim=Text1", want: "Text1="},
	{name: "for a claim that takes it and one that does not", method: "CreateStringClaim", with: "value=x", out: "createdClaim=Text1; createdClaim=Int1", bag: "Text1=old", misuse: "for the claim type Int1 is not a whole number"},
	{name: "for a boolean", method: "CreateStringClaim", with: "value=true", out: "createdClaim=Flag1", want: "Flag1=True"},

	{method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat=cpim_{0}@{RelyingPartyTenantId}", out: "outputClaim=Text2",
		bag: "Text1=5164db16", want: "Text1=5164db16; Text2=cpim_5164db16@contoso.example"},
	{name: "with braces", method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat={{{0}}} {0,5}|{0,-5}|{Braces}", out: "outputClaim=Text2",
		bag: "Text1={0}", want: "Text1={0}; Text2={{0}}   {0}|{0}  |{0}"},
	{name: "of nothing", method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat=<{0}>", out: "outputClaim=Text2", want: "Text2=<>"},
	{name: "with an unknown expression", method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat={Tenant}", out: "outputClaim=Text2", misuse: "the expression {Tenant}"},
	{name: "too long", method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat={0}{0}", out: "outputClaim=Text2",
		bag: "Text1=" + strings.Repeat("x", 2001), misuse: "longer than 4000"},
	{name: "as long as may be", method: "FormatStringClaim", in: "inputClaim=Text1", with: "stringFormat={0}{0}", out: "outputClaim=Text2",
		bag: "Text1=" + strings.Repeat("x", 2000), want: "Text1=" + strings.Repeat("x", 2000) + "; Text2=" + strings.Repeat("x", 4000)},
	{method: "FormatStringMultipleClaims", in: "inputClaim1=Text1; inputClaim2=Text2", with: "stringFormat={0} {1}", out: "outputClaim=Text3",
		bag: "Text1=Joe; Text2=Fernando", want: "Text1=Joe; Text2=Fernando; Text3=Joe Fernando"},
	{name: "of claims that look like a format", method: "FormatStringMultipleClaims", in: "inputClaim1=Text1; inputClaim2=Text2", with: "stringFormat={0} {1}", out: "outputClaim=Text3",
		bag: "Text1={1}{RelyingPartyTenantId}; Text2={0}", want: "Text1={1}{RelyingPartyTenantId}; Text2={0}; Text3={1}{RelyingPartyTenantId} {0}"},
	{name: "beyond its claims", method: "FormatStringMultipleClaims", in: "inputClaim1=Text1; inputClaim2=Text2", with: "stringFormat={2}", out: "outputClaim=Text3", misuse: "there are 2, which count from {0}"},

	{method: "GetLocalizedStringsTransformation", out: "subject=Text1; message=Text2", bag: "Text2=old", want: "Text1=Your code; Text2="},
	{method: "FormatLocalizedString", in: "_=Text1; _=Text2", with: "stringFormatId=exists", out: "outputClaim=Text3",
		bag: "Text1=sarah@contoso.com; Text2=Sarah", want: "Text1=sarah@contoso.com; Text2=Sarah; Text3=sarah@contoso.com is here already, Sarah."},

	{method: "BuildUri", in: "path=Text1; query.secret=Text2", with: "scheme=otpauth; host=totp; query.issuer={AuthenticatorIssuer}", out: "outputClaim=Text3",
		bag:  "Text1=Contoso demo:emily@fabrikam.com; Text2=fay2lj7ynpntjgqa",
		want: "Text1=Contoso demo:emily@fabrikam.com; Text2=fay2lj7ynpntjgqa; Text3=otpauth://totp/Contoso%20demo:emily@fabrikam.com?secret=fay2lj7ynpntjgqa&issuer=Contoso+demo"},
	{name: "without its path", method: "BuildUri", in: "path=Text1", with: "scheme=otpauth; host=totp", out: "outputClaim=Text3", misuse: "needs one"},
	{name: "with a scheme that is none", method: "BuildUri", in: "path=Text1", with: "scheme=otp auth; host=totp", out: "outputClaim=Text3", misuse: "is not a scheme of a URI"},

	{method: "CreateOtpSecret", out: "outputClaim=Text1", want: "Text1=gaytemzugu3doobz"},

	{method: "CreateRandomString", with: "randomGeneratorType=GUID", out: "outputClaim=Text1", want: "Text1=30313233-3435-4637-b839-616263646566"},
	{name: "of the other name", method: "GuidAndRandomGenerator", with: "randomGeneratorType=guid", out: "outputClaim=Text1", want: "Text1=30313233-3435-4637-b839-616263646566"},
	{name: "of a number", method: "CreateRandomString", with: "randomGeneratorType=INTEGER; maximumNumber/int=1000; stringFormat=OTP_{0}; base64/boolean=false", out: "outputClaim=Text1", want: "Text1=OTP_487"},
	{name: "of fixed length", method: "CreateRandomString", with: "randomGeneratorType=INTEGER; maximumNumber/int=1000; stringFormat={0:D6}/{0:0000}", out: "outputClaim=Text1", want: "Text1=000487/0487"},
	{name: "in base64", method: "CreateRandomString", with: "randomGeneratorType=integer; maximumNumber/int=1000; stringFormat=ID_{0}; base64/boolean=true", out: "outputClaim=Text1", want: "Text1=SURfNDg3"},
	{name: "of no range", method: "CreateRandomString", with: "randomGeneratorType=integer; maximumNumber/int=0", out: "outputClaim=Text1", misuse: "must be 1 at least"},
	{name: "of no kind", method: "CreateRandomString", with: "randomGeneratorType=uuid", out: "outputClaim=Text1", misuse: "must be one of: GUID, INTEGER"},

	{method: "ConvertPhoneNumberClaimToString", in: "phoneNumber=Phone1", out: "phoneNumberString=Text1", bag: "Phone1=+11234567890", want: "Phone1=+11234567890; Text1=+11234567890"},
	{name: "local", method: "ConvertStringToPhoneNumberClaim", in: "phoneNumberString=Text1; country=Text2", out: "outputClaim=Phone1",
		bag: "Text1=033 456-7890; Text2=DK", want: "Text1=033 456-7890; Text2=DK; Phone1=+450334567890"},
	{name: "international", method: "ConvertStringToPhoneNumberClaim", in: "phoneNumberString=Text1", out: "outputClaim=Phone1",
		bag: "Text1=+1 (123) 456-7890", want: "Text1=+1 (123) 456-7890; Phone1=+11234567890"},
	{name: "by its older name", method: "ConvertStringToPhoneNumberClaim", in: "inputClaim=Text1", out: "outputClaim=Phone1", bag: "Text1=+11234567890", want: "Text1=+11234567890; Phone1=+11234567890"},
	{name: "without country", method: "ConvertStringToPhoneNumberClaim", in: "phoneNumberString=Text1; country=Text2", out: "outputClaim=Phone1",
		bag: "Text1=033 456-7890; Phone1=+1", failure: "UserMessageIfClaimsTransformationInvalidPhoneNumber"},
	{name: "of no country", method: "ConvertStringToPhoneNumberClaim", in: "phoneNumberString=Text1; country=Text2", out: "outputClaim=Phone1",
		bag: "Text1=033 456-7890; Text2=XX", failure: "UserMessageIfClaimsTransformationInvalidPhoneNumber"},
	{name: "with a letter", method: "ConvertStringToPhoneNumberClaim", in: "phoneNumberString=Text1", out: "outputClaim=Phone1", bag: "Text1=+1 123 4567x90", failure: "UserMessageIfClaimsTransformationInvalidPhoneNumber"},
	{name: "too long", method: "ConvertStringToPhoneNumberClaim", in: "phoneNumberString=Text1", out: "outputClaim=Phone1", bag: "Text1=+1234567890123456", failure: "UserMessageIfClaimsTransformationInvalidPhoneNumber"},
	{name: "too short", method: "ConvertStringToPhoneNumberClaim", in: "phoneNumberString=Text1", out: "outputClaim=Phone1", bag: "Text1=+45 123", failure: "UserMessageIfClaimsTransformationInvalidPhoneNumber"},
	{name: "of no calling code", method: "ConvertStringToPhoneNumberClaim", in: "phoneNumberString=Text1", out: "outputClaim=Phone1", bag: "Text1=+999 123 456", failure: "UserMessageIfClaimsTransformationInvalidPhoneNumber"},
	{name: "by country", method: "GetNationalNumberAndCountryCodeFromPhoneNumberString", in: "phoneNumber=Text1", with: "throwExceptionOnFailure/boolean=false; countryCodeType=ISO3166",
		out: "nationalNumber=Text2; countryCode=Text3", bag: "Text1=+49 (123) 456-7890", want: "Text1=+49 (123) 456-7890; Text2=1234567890; Text3=DE"},
	{name: "by calling code", method: "GetNationalNumberAndCountryCodeFromPhoneNumberString", in: "phoneNumber=Text1", with: "countryCodeType=CallingCode",
		out: "nationalNumber=Text2; countryCode=Text3", bag: "Text1=+49 (123) 456-7890", want: "Text1=+49 (123) 456-7890; Text2=1234567890; Text3=+49"},
	{name: "of a shared calling code", method: "GetNationalNumberAndCountryCodeFromPhoneNumberString", in: "phoneNumber=Text1", with: "countryCodeType=ISO3166",
		out: "nationalNumber=Text1; countryCode=Text3", bag: "Text1=+1 604 555 0123", want: "Text1=6045550123; Text3=CA"},
	{name: "of nobody's number", method: "GetNationalNumberAndCountryCodeFromPhoneNumberString", in: "phoneNumber=Text1", with: "countryCodeType=ISO3166",
		out: "nationalNumber=Text1; countryCode=Text3", bag: "Text1=+11234567890", want: "Text1=1234567890; Text3=US"},
	{name: "of no country", method: "GetNationalNumberAndCountryCodeFromPhoneNumberString", in: "phoneNumber=Text1", with: "countryCodeType=ISO3166",
		out: "nationalNumber=Text1; countryCode=Text3", bag: "Text1=+800 1234 5678", want: "Text1=+800 1234 5678"},
	{name: "of no number", method: "GetNationalNumberAndCountryCodeFromPhoneNumberString", in: "phoneNumber=Text1", out: "nationalNumber=Text1; countryCode=Text3",
		bag: "Text1=bob@contoso.com; Text3=old", want: "Text1=bob@contoso.com; Text3=old"},
	{name: "of no number, refused", method: "GetNationalNumberAndCountryCodeFromPhoneNumberString", in: "phoneNumber=Text1", with: "throwExceptionOnFailure/boolean=True",
		out: "nationalNumber=Text1; countryCode=Text3", bag: "Text1=bob@contoso.com", failure: "UserMessageIfPhoneNumberParseFailure"},

	{method: "AssertStringClaimsAreEqual", in: "inputClaim1=Text1; inputClaim2=Text2", with: "stringComparison=ordinalIgnoreCase",
		bag: "Text1=someone@contoso.com; Text2=someone@outlook.com", failure: "UserMessageIfClaimsTransformationStringsAreNotEqual"},
	{name: "without case", method: "AssertStringClaimsAreEqual", in: "inputClaim1=Text1; inputClaim2=Text2", with: "stringComparison=ordinalIgnoreCase",
		bag: "Text1=Someone@contoso.com; Text2=someone@contoso.com", want: "Text1=Someone@contoso.com; Text2=someone@contoso.com"},
	{name: "with case", method: "AssertStringClaimsAreEqual", in: "inputClaim1=Text1; inputClaim2=Text2", with: "stringComparison=Ordinal",
		bag: "Text1=Someone@contoso.com; Text2=someone@contoso.com", failure: "UserMessageIfClaimsTransformationStringsAreNotEqual"},
	{name: "of nothing", method: "AssertStringClaimsAreEqual", in: "inputClaim1=Text1; inputClaim2=Text2", with: "stringComparison=Ordinal", failure: "UserMessageIfClaimsTransformationStringsAreNotEqual"},
	{method: "AssertBooleanClaimIsEqualToValue", in: "inputClaim=Flag1", with: "valueToCompareTo/boolean=true", bag: "Flag1=false", failure: "UserMessageIfClaimsTransformationBooleanValueIsNotEqual"},
	{name: "that is", method: "AssertBooleanClaimIsEqualToValue", in: "inputClaim=Flag1", with: "valueToCompareTo/boolean=true", bag: "Flag1=true", want: "Flag1=true"},
	{name: "of nothing", method: "AssertBooleanClaimIsEqualToValue", in: "inputClaim=Flag1", with: "valueToCompareTo/boolean=false", failure: "UserMessageIfClaimsTransformationBooleanValueIsNotEqual"},

	{method: "AssertDateTimeIsGreaterThan", in: "leftOperand=Time1; rightOperand=Time2",
		bag: "Time1=2022-01-01T15:00:00Z; Time2=2022-01-22T15:00:00Z", failure: "DateTimeGreaterThan"},
	{name: "that is", method: "AssertDateTimeIsGreaterThan", in: "leftOperand=Text1; rightOperand=Text2",
		bag: "Text1=2022-01-22T15:00:00Z; Text2=2022-01-01T15:00:00Z", want: "Text1=2022-01-22T15:00:00Z; Text2=2022-01-01T15:00:00Z"},
	{name: "about equal", method: "AssertDateTimeIsGreaterThan", in: "leftOperand=Time1; rightOperand=Time2", with: "AssertIfEqualTo/boolean=false; TreatAsEqualIfWithinMillseconds/int=300000",
		bag: "Time1=2022-01-01T15:00:00Z; Time2=2022-01-01T15:05:00Z", want: "Time1=2022-01-01T15:00:00Z; Time2=2022-01-01T15:05:00Z"},
	{name: "equal by default", method: "AssertDateTimeIsGreaterThan", in: "leftOperand=Time1; rightOperand=Time2",
		bag: "Time1=2022-01-01T15:00:00Z; Time2=2022-01-01T15:00:00Z", failure: "DateTimeGreaterThan"},
	{name: "of one", method: "AssertDateTimeIsGreaterThan", in: "leftOperand=Time1; rightOperand=Time2", with: "AssertIfRightOperandIsNotPresent/boolean=true", bag: "Time1=2022-01-01T15:00:00Z", want: "Time1=2022-01-01T15:00:00Z"},
	{name: "of one by default", method: "AssertDateTimeIsGreaterThan", in: "leftOperand=Time1; rightOperand=Time2", bag: "Time1=2022-01-01T15:00:00Z", failure: "DateTimeGreaterThan"},
	{name: "of no date", method: "AssertDateTimeIsGreaterThan", in: "leftOperand=Text1; rightOperand=Time2", bag: "Text1=tomorrow", misuse: "is not a date"},

	{method: "DoesClaimExist", in: "inputClaim=Text1", out: "outputClaim=Flag1", bag: "Text1=someone@contoso.com", want: "Text1=someone@contoso.com; Flag1=true"},
	{name: "that is empty", method: "DoesClaimExist", in: "inputClaim=Text1", out: "outputClaim=Flag1", bag: "Text1=", want: "Text1=; Flag1=false"},
	{method: "NullClaim", out: "claim_to_null=Text1", bag: "Text1=Welcome; Text2=x", want: "Text2=x"},
	{method: "CopyClaimIfPredicateMatch", in: "inputClaim=Text1", out: "outputClaim=Phone1", bag: "Text1=bob@contoso.com; Phone1=+1", want: "Text1=bob@contoso.com; Phone1=+1"},
	{name: "that does", method: "CopyClaimIfPredicateMatch", in: "inputClaim=Text1", out: "outputClaim=Phone1", bag: "Text1=+11234567890", want: "Text1=+11234567890; Phone1=+11234567890"},

	{method: "GetSingleItemFromStringCollection", in: "collection=List1", out: "extractedItem=Text1", bag: "List1=someone@outlook.com|someone@contoso.com", want: "List1=someone@outlook.com|someone@contoso.com; Text1=someone@outlook.com"},
	{name: "of nothing", method: "GetSingleItemFromStringCollection", in: "collection=List1", out: "extractedItem=Text1", bag: "Text1=old", want: ""},
	{method: "AddItemToStringCollection", in: "item=Text1; collection=List1", out: "collection=List1", bag: "Text1=admin@contoso.com; List1=someone@outlook.com", want: "Text1=admin@contoso.com; List1=someone@outlook.com|admin@contoso.com"},
	{name: "that is in it", method: "AddItemToStringCollection", in: "item=Text1; collection=List1", out: "collection=List1", bag: "Text1=a; List1=a|b", want: "Text1=a; List1=a|b"},
	{name: "to nothing", method: "AddItemToStringCollection", in: "item=Text1; collection=List1", out: "collection=List1", bag: "Text1=a", want: "Text1=a; List1=a"},

	{method: "GetCurrentDateTime", out: "currentDateTime=Time1", want: "Time1=2026-01-31T12:00:00Z"},
	{name: "as a day", method: "GetCurrentDateTime", out: "currentDateTime=Date1", want: "Date1=2026-01-31"},
	{method: "DateTimeComparison", in: "firstDateTime=Time1; secondDateTime=Time2", with: "operator=later than; timeSpanInSeconds/int=7776000", out: "result=Flag1",
		bag: "Time1=2022-01-01T00:00:00.100000Z; Time2=2022-03-16T00:00:00.100000Z", want: "Time1=2022-01-01T00:00:00.100000Z; Time2=2022-03-16T00:00:00.100000Z; Flag1=true"},
	{name: "with now", method: "DateTimeComparison", in: "firstDateTime=Time1; secondDateTime=Time2", with: "operator=Earlier Than; timeSpanInSeconds/int=-80", out: "result=Flag1",
		bag: "Time1=2026-01-31T12:01:19Z", want: "Time1=2026-01-31T12:01:19Z; Flag1=true"},
	{name: "that is the same", method: "DateTimeComparison", in: "firstDateTime=Time1; secondDateTime=Time2", with: "operator=same", out: "result=Flag1",
		bag: "Time1=2026-01-31T12:00:01Z", want: "Time1=2026-01-31T12:00:01Z; Flag1=false"},
	{name: "of nothing", method: "DateTimeComparison", in: "firstDateTime=Time1; secondDateTime=Time2", with: "operator=same", out: "result=Flag1", misuse: "firstDateTime has no value"},

	{method: "CompareClaims", in: "inputClaim1=Text1; inputClaim2=Text2", with: "operator=NOT EQUAL; ignoreCase=true", out: "outputClaim=Flag1",
		bag: "Text1=someone@contoso.com; Text2=someone@outlook.com", want: "Text1=someone@contoso.com; Text2=someone@outlook.com; Flag1=true"},
	{name: "with case", method: "CompareClaims", in: "inputClaim1=Text1; inputClaim2=Text2", with: "operator=equal", out: "outputClaim=Flag1", bag: "Text1=a; Text2=A", want: "Text1=a; Text2=A; Flag1=false"},
	{name: "of nothing", method: "CompareClaims", in: "inputClaim1=Text1; inputClaim2=Text2", with: "operator=EQUAL", out: "outputClaim=Flag1", want: "Flag1=true"},
	{method: "CompareClaimToValue", in: "inputClaim1=Text1", with: "compareTo=V1; operator=EQUAL; ignoreCase=true", out: "outputClaim=Flag1", bag: "Text1=v1", want: "Text1=v1; Flag1=true"},
	{name: "of nothing", method: "CompareClaimToValue", in: "inputClaim1=Text1", with: "compareTo=; operator=not equal", out: "outputClaim=Flag1", want: "Flag1=true"},
	{method: "StringContains", in: "inputClaim=Text1", with: "contains=admin,; ignoreCase=true", out: "outputClaim=Flag1", bag: "Text1=Admin, Approver, Editor", want: "Text1=Admin, Approver, Editor; Flag1=true"},
	{name: "with case", method: "StringContains", in: "inputClaim=Text1", with: "contains=admin", out: "outputClaim=Text2", bag: "Text1=Admin, Approver, Editor", want: "Text1=Admin, Approver, Editor; Text2=False"},

	{method: "ChangeCase", in: "inputClaim1=Text1", with: "toCase=LOWER", out: "outputClaim=Text1", bag: "Text1=SomeOne@contoso.com", want: "Text1=someone@contoso.com"},
	{name: "upwards", method: "ChangeCase", in: "inputClaim1=Text1", with: "toCase=upper", out: "outputClaim=Text1", bag: "Text1=SomeOne@contoso.com", want: "Text1=SOMEONE@CONTOSO.COM"},
	{method: "ParseDomain", in: "emailAddress=Text1", out: "domain=Text2", bag: "Text1=joe@outlook.com", want: "Text1=joe@outlook.com; Text2=outlook.com"},
	{name: "of no address", method: "ParseDomain", in: "emailAddress=Text1", out: "domain=Text2", bag: "Text1=joe@outlook@com", want: "Text1=joe@outlook@com; Text2="},
	{method: "StringSubstring", in: "inputClaim=Text1", with: "startIndex/int=0; length/int=2", out: "outputClaim=Text2", bag: "Text1=+1644114520", want: "Text1=+1644114520; Text2=+1"},
	{name: "of the end", method: "StringSubstring", in: "inputClaim=Text1", with: "startIndex/int=2; length/int=0", out: "outputClaim=Text2", bag: "Text1=+1", want: "Text1=+1; Text2="},
	{name: "beyond the end", method: "StringSubstring", in: "inputClaim=Text1", with: "startIndex/int=1; length/int=2", out: "outputClaim=Text2", bag: "Text1=+1", misuse: "fewer characters"},
	{method: "StringReplace", in: "inputClaim=Text1", with: "oldValue=-; newValue=", out: "outputClaim=Text1", bag: "Text1=+164-411-452-054", want: "Text1=+164411452054"},

	{method: "LookupValue", in: "inputParameterId=Text1", with: "contoso.com=13c1; test.com=c702; errorOnFailedLookup/boolean=false", out: "outputClaim=Text2", bag: "Text1=test.com", want: "Text1=test.com; Text2=c702"},
	{name: "of nothing", method: "LookupValue", in: "inputParameterId=Text1", with: "test.com=c702", out: "outputClaim=Text2", bag: "Text1=live.com; Text2=old", want: "Text1=live.com; Text2="},
	{name: "of nothing, refused", method: "LookupValue", in: "inputParameterId=Text1", with: "test.com=c702; errorOnFailedLookup/boolean=true", out: "outputClaim=Text2", bag: "Text1=live.com", failure: "LookupNotFound"},
	{name: "of its own parameter", method: "LookupValue", in: "inputParameterId=Text1", with: "errorOnFailedLookup/boolean=true", out: "outputClaim=Text2", bag: "Text1=errorOnFailedLookup", failure: "LookupNotFound"},
	{name: "of nothing for a boolean", method: "LookupValue", in: "inputParameterId=Text1", with: "test.com=true", out: "outputClaim=Flag1", bag: "Text1=live.com; Flag1=true", want: "Text1=live.com"},
	{method: "SetClaimsIfStringsMatch", in: "claimToMatch=Text1", with: "matchTo=Minor; stringComparison=ordinalIgnoreCase; outputClaimIfMatched=B2C_V1_90001", out: "outputClaim=Text2; stringCompareResultClaim=Flag1",
		bag: "Text1=minor", want: "Text1=minor; Text2=B2C_V1_90001; Flag1=true"},
	{name: "that do not", method: "SetClaimsIfStringsMatch", in: "claimToMatch=Text1", with: "matchTo=Minor; stringComparison=Ordinal; outputClaimIfMatched=B2C_V1_90001", out: "outputClaim=Text2; stringCompareResultClaim=Flag1",
		bag: "Text1=minor; Text2=old", want: "Text1=minor; Flag1=false"},
	{method: "SetClaimsIfRegexMatch", in: "claimToMatch=Text1", with: "matchTo=^[0-9]{4,16}$; outputClaimIfMatched=iPhone", out: "outputClaim=Text2; regexCompareResultClaim=Flag1",
		bag: "Text1=64854114520", want: "Text1=64854114520; Text2=iPhone; Flag1=true"},
	{name: "with groups", method: "setClaimsIfRegexMatch", in: "claimToMatch=Text1", with: "matchTo=(?<text3>.*)@(.*)$; outputClaimIfMatched=isEmail; extractGroups/boolean=true",
		out: "outputClaim=Text2; regexCompareResultClaim=Flag1; _=Text3", bag: "Text1=emily@contoso.com", want: "Text1=emily@contoso.com; Text2=isEmail; Text3=emily; Flag1=true"},
	{name: "with groups that look behind", method: "SetClaimsIfRegexMatch", in: "claimToMatch=Text1", with: "matchTo=(?<=@)(?<Text3>.*)$; extractGroups/boolean=true",
		out: "regexCompareResultClaim=Flag1; _=Text3", bag: "Text1=emily@contoso.com", want: "Text1=emily@contoso.com; Text3=contoso.com; Flag1=true"},
	{name: "that does not", method: "SetClaimsIfRegexMatch", in: "claimToMatch=Text1", with: "matchTo=^(?<Text3>[0-9])$; outputClaimIfMatched=x; extractGroups/boolean=true",
		out: "outputClaim=Text2; regexCompareResultClaim=Flag1; _=Text3", bag: "Text1=no; Text2=old; Text3=old", want: "Text1=no; Flag1=false"},
	{name: "with no expression", method: "SetClaimsIfRegexMatch", in: "claimToMatch=Text1", with: "matchTo=(", out: "outputClaim=Text2", misuse: "is not a regular expression of .NET"},

	// Base64 of HMAC-SHA-256 with the key "12345" over 00 00 00 00 00 00 00 04, "salt" and "plain", made with openssl.
	{method: "Hash", in: "plaintext=Text1; salt=Text2", with: "randomizerSecret=B2C_1A_Key", out: "hash=Text3", key: "12345", bag: "Text1=plain; Text2=salt", want: "Text1=plain; Text2=salt; Text3=88iiUX1B3aZe9OGnghZgN1weSNHMaailLjjBexfPQgQ="},
	{name: "without its key", method: "Hash", in: "plaintext=Text1; salt=Text2", with: "randomizerSecret=B2C_1A_Other", out: "hash=Text3", key: "12345", bag: "Text1=plain; Text2=salt", misuse: "policy key B2C_1A_Other"},

	{method: "AndClaims", in: "inputClaim1=Flag1; inputClaim2=Flag2", out: "outputClaim=Flag2", bag: "Flag1=true; Flag2=false", want: "Flag1=true; Flag2=false"},
	{name: "of both", method: "AndClaims", in: "inputClaim1=Flag1; inputClaim2=Flag2", out: "outputClaim=Text1", bag: "Flag1=true; Flag2=true", want: "Flag1=true; Flag2=true; Text1=True"},
	{method: "OrClaims", in: "inputClaim1=Flag1; inputClaim2=Flag2", out: "outputClaim=Flag2", bag: "Flag1=true; Flag2=false", want: "Flag1=true; Flag2=true"},
	{name: "of nothing", method: "OrClaims", in: "inputClaim1=Flag1; inputClaim2=Flag2", out: "outputClaim=Flag2", want: "Flag2=false"},
	{method: "NotClaims", in: "inputClaim=Flag1", out: "outputClaim=Flag1", bag: "Flag1=false", want: "Flag1=true"},
	{method: "CompareBooleanClaimToValue", in: "inputClaim=Flag1", with: "valueToCompareTo/boolean=true", out: "compareResult=Flag2", bag: "Flag1=false", want: "Flag1=false; Flag2=false"},
	{name: "of nothing", method: "CompareBooleanClaimToValue", in: "inputClaim=Flag1", with: "valueToCompareTo/boolean=false", out: "compareResult=Flag2", want: "Flag2=false"},
	{method: "SetClaimIfBooleansMatch", in: "claimToMatch=Flag1", with: "matchTo=true; outputClaimIfMatched=Promotion code not found.", out: "outputClaim=Text1", bag: "Flag1=true", want: "Flag1=true; Text1=Promotion code not found."},
	{name: "that do not", method: "SetClaimIfBooleansMatch", in: "claimToMatch=Flag1", with: "matchTo=true; outputClaimIfMatched=x", out: "outputClaim=Text1", bag: "Flag1=false; Text1=old", want: "Flag1=false; Text1=old"},
	{name: "of nothing", method: "SetClaimIfBooleansMatch", in: "claimToMatch=Flag1", with: "matchTo=true; outputClaimIfMatched=x", out: "outputClaim=Text1", misuse: "claimToMatch has no value"},

	{method: "AdjustNumber", in: "inputClaim=Int1", with: "Operator=INCREMENT", out: "outputClaim=Int1", bag: "Int1=1", want: "Int1=2"},
	{name: "of nothing", method: "AdjustNumber", in: "inputClaim=Int1", out: "outputClaim=Int1", want: "Int1=1"},
	{name: "downwards", method: "AdjustNumber", in: "inputClaim=Int1", with: "Operator=decrement", out: "outputClaim=Long1", bag: "Int1=0", want: "Int1=0; Long1=-1"},
	{name: "beyond an int", method: "AdjustNumber", in: "inputClaim=Int1", out: "outputClaim=Int1", bag: "Int1=2147483647", misuse: "is not a whole number of 32 bits"},
	{name: "beyond a long", method: "AdjustNumber", in: "inputClaim=Long1", out: "outputClaim=Long1", bag: "Long1=9223372036854775807", misuse: "any further"},
	{method: "AssertNumber", in: "inputClaim=Int1", with: "Operator=GreaterThan; CompareToValue/int=5; throwError/boolean=true", bag: "Int1=10", failure: "AssertNumberError"},
	{name: "by default", method: "AssertNumber", in: "inputClaim=Int1", with: "Operator=NotEqual; CompareToValue/int=5", bag: "Int1=10", failure: "AssertNumberError"},
	{name: "that tells", method: "AssertNumber", in: "inputClaim=Int1", with: "Operator=GreaterThan; CompareToValue/int=5; throwError/boolean=false", out: "outputClaim=Flag1", bag: "Int1=10", want: "Int1=10; Flag1=true"},
	{name: "of an equal one", method: "AssertNumber", in: "inputClaim=Int1", with: "Operator=lessThanOrEqual; CompareToValue/int=5; throwError/boolean=false", out: "outputClaim=Flag1", bag: "Int1=5", want: "Int1=5; Flag1=true"},
	{name: "of nothing", method: "AssertNumber", in: "inputClaim=Int1", with: "Operator=Equal; CompareToValue/int=5", misuse: "inputClaim has no value"},
	{method: "ConvertNumberToStringClaim", in: "inputClaim=Long1", out: "outputClaim=Text1", bag: "Long1=12334", want: "Long1=12334; Text1=12334"},

	{method: "AddParameterToStringCollection", in: "collection=List1", with: "item=admin@contoso.com", out: "collection=List1", bag: "List1=someone@outlook.com", want: "List1=someone@outlook.com|admin@contoso.com"},
	{method: "StringCollectionContains", in: "inputClaim=List1", with: "item=Admin; ignoreCase=true", out: "outputClaim=Flag1", bag: "List1=reader|author|admin", want: "List1=reader|author|admin; Flag1=true"},
	{name: "with case", method: "StringCollectionContains", in: "inputClaim=List1", with: "item=Admin", out: "outputClaim=Flag1", bag: "List1=reader|author|admin", want: "List1=reader|author|admin; Flag1=false"},
	{method: "StringCollectionContainsClaim", in: "collection=List1; item=Text1", with: "ignoreCase=true", out: "outputClaim=Flag1", bag: "List1=reader|author|admin; Text1=Admin", want: "List1=reader|author|admin; Text1=Admin; Flag1=true"},
	{name: "of nothing", method: "StringCollectionContainsClaim", in: "collection=List1; item=Text1", out: "outputClaim=Flag1", bag: "List1=|a", want: "List1=|a; Flag1=false"},
	{method: "StringJoin", in: "inputClaim=List1", with: "delimiter=,", out: "outputClaim=Text1", bag: "List1=Admin|Author|Reader", want: "List1=Admin|Author|Reader; Text1=Admin,Author,Reader"},
	{method: "StringSplit", in: "inputClaim=Text1", with: "delimiter=,", out: "outputClaim=List1", bag: "Text1=Admin,Author,Reader; List1=old", want: "Text1=Admin,Author,Reader; List1=Admin|Author|Reader"},
	{name: "of nothing", method: "StringSplit", in: "inputClaim=Text1", with: "delimiter=,", out: "outputClaim=List1", bag: "List1=old", want: ""},

	{method: "ConvertDateToDateTimeClaim", in: "inputClaim=Date1", out: "outputClaim=Time1", bag: "Date1=2022-01-03", want: "Date1=2022-01-03; Time1=2022-01-03T00:00:00Z"},
	{method: "ConvertDateTimeToDateClaim", in: "inputClaim=Time1", out: "outputClaim=Date1", bag: "Time1=2022-01-03T11:34:22.0000000Z", want: "Time1=2022-01-03T11:34:22Z; Date1=2022-01-03"},
	{method: "IsTermsOfUseConsentRequired", in: "termsOfUseConsentDateTime=Time1", with: "termsOfUseTextUpdateDateTime/dateTime=2021-11-15", out: "result=Flag1", bag: "Time1=2020-03-09T09:15:00", want: "Time1=2020-03-09T09:15:00Z; Flag1=true"},
	{name: "after it", method: "IsTermsOfUseConsentRequired", in: "termsOfUseConsentDateTime=Time1", with: "termsOfUseTextUpdateDateTime/dateTime=2021-11-15", out: "result=Flag1", bag: "Time1=2021-11-15", want: "Time1=2021-11-15; Flag1=false"},
	{name: "of nothing", method: "IsTermsOfUseConsentRequired", in: "termsOfUseConsentDateTime=Time1", with: "termsOfUseTextUpdateDateTime/dateTime=2021-11-15", out: "result=Flag1", want: "Flag1=true"},

	{method: "SetClaimsIfStringsAreEqual", in: "inputClaim=Text1", with: "matchTo=V1; stringComparison=ordinalIgnoreCase; stringMatchMsgCode=B2C_V1_90005; stringMatchMsg=The TOS is upgraded to v2",
		out: "outputClaim1=Text1; outputClaim2=Text2; stringCompareResultClaim=Flag1", bag: "Text1=v1", want: "Text1=The TOS is upgraded to v2; Text2=B2C_V1_90005; Flag1=true"},
	{name: "that are not", method: "SetClaimsIfStringsAreEqual", in: "inputClaim=Text1", with: "matchTo=V1; stringComparison=Ordinal; stringMatchMsg=x", out: "outputClaim1=Text1; stringCompareResultClaim=Flag1",
		bag: "Text1=v1", want: "Text1=v1; Flag1=false"},
	{method: "GetMappedValueFromLocalizedCollection", in: "mapFromClaim=Text1", out: "restrictionValueClaim=Choice1", bag: "Text1=E2", want: "Text1=E2; Choice1=The second"},
	{name: "of nothing", method: "GetMappedValueFromLocalizedCollection", in: "mapFromClaim=Text1", out: "restrictionValueClaim=Choice1", bag: "Text1=E3; Choice1=old", want: "Text1=E3"},

	{method: "CreateJsonArray", in: "inputClaim=Text1", out: "outputClaim=Text2", bag: "Text1=someone@contoso.com", want: `Text1=someone@contoso.com; Text2=["someone@contoso.com"]`},
	{method: "GetClaimFromJson", in: "inputJson=Text1", with: "claimToExtract=emailAddress", out: "extractedClaim=Text2", bag: `Text1={"emailAddress": "someone@example.com", "displayName": "Someone"}`,
		want: `Text1={"emailAddress": "someone@example.com", "displayName": "Someone"}; Text2=someone@example.com`},
	{name: "of an object", method: "GetClaimFromJson", in: "inputJson=Text1", with: "claimToExtract=a", out: "extractedClaim=Text1", bag: `Text1={"a":{"b":[1]}}`, want: `Text1={"b":[1]}`},
	{name: "of a boolean", method: "GetClaimFromJson", in: "inputJson=Text1", with: "claimToExtract=a", out: "extractedClaim=Flag1", bag: `Text1={"a":true}`, want: `Text1={"a":true}; Flag1=true`},
	{name: "of nothing", method: "GetClaimFromJson", in: "inputJson=Text1", with: "claimToExtract=A", out: "extractedClaim=Text2", bag: `Text1={"a":1}; Text2=old`, want: `Text1={"a":1}`},
	{name: "of no JSON", method: "GetClaimFromJson", in: "inputJson=Text1", with: "claimToExtract=a", out: "extractedClaim=Text2", bag: `Text1=[1`, misuse: "is not a JSON object"},
	{method: "GetNumericClaimFromJson", in: "inputJson=Text1", with: "claimToExtract=id", out: "extractedClaim=Long1", bag: `Text1={"id": 6353399000001}`, want: `Text1={"id": 6353399000001}; Long1=6353399000001`},
	{name: "of a text", method: "GetNumericClaimFromJson", in: "inputJson=Text1", with: "claimToExtract=id", out: "extractedClaim=Long1", bag: `Text1={"id": "x"}`, misuse: "is not a whole number"},
	{method: "GetSingleItemFromJson", in: "inputJson=Text1", out: "key=Text2; value=Text3", bag: `Text1={"givenName": "Emily", "lastName": "Smith"}`,
		want: `Text1={"givenName": "Emily", "lastName": "Smith"}; Text2=givenName; Text3=Emily`},
	{name: "of nothing", method: "GetSingleItemFromJson", in: "inputJson=Text1", out: "key=Text2; value=Text3", bag: `Text1={}; Text2=old; Text3=old`, want: `Text1={}`},
	{name: "of a list", method: "GetSingleItemFromJson", in: "inputJson=Text1", out: "key=Text2; value=Text3", bag: `Text1=[1]`, misuse: "does not begin with {"},
	{method: "GetSingleValueFromJsonArray", in: "inputJsonClaim=Text1", out: "extractedClaim=Text2", bag: `Text1=["someone@example.com", "Someone", 6353399]`, want: `Text1=["someone@example.com", "Someone", 6353399]; Text2=someone@example.com`},
	{name: "of no JSON", method: "GetSingleValueFromJsonArray", in: "inputJsonClaim=Text1", out: "extractedClaim=Text2", bag: `Text1=[1,`, misuse: "is not JSON"},

	{method: "CreateAlternativeSecurityId", in: "key=Text1; identityProvider=Text2", out: "alternativeSecurityId=Text3",
		bag: "Text1=12345; Text2=facebook.com", want: `Text1=12345; Text2=facebook.com; Text3={"issuer":"facebook.com","issuerUserId":"MTIzNDU="}`},
}
