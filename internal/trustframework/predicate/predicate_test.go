package predicate_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/predicate"
)

const rules = `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0"
 TenantId="contoso.example" PolicyId="B2C_1A_Rules"><BuildingBlocks><ClaimsSchema>
<ClaimType Id="code"><DataType>string</DataType><Restriction><Pattern RegularExpression="^[0-9]{6}$" HelpText="Six digits."/></Restriction></ClaimType>
<ClaimType Id="password"><DataType>string</DataType><PredicateValidationReference Id="Strong"/></ClaimType>
<ClaimType Id="born"><DataType>date</DataType><PredicateValidationReference Id="Past"/></ClaimType>
<ClaimType Id="free"><DataType>string</DataType></ClaimType>
<ClaimType Id="dangling"><DataType>string</DataType><PredicateValidationReference Id="None"/></ClaimType>
<ClaimType Id="hanging"><DataType>string</DataType><PredicateValidationReference Id="Hanging"/></ClaimType>
<ClaimType Id="wrong"><DataType>string</DataType><PredicateValidationReference Id="Wrong"/></ClaimType>
</ClaimsSchema><Predicates>
<Predicate Id="Length" Method="IsLengthRange" HelpText="It has 8 to 12 characters."><Parameters><Parameter Id="Minimum">8</Parameter><Parameter Id="Maximum">12</Parameter></Parameters></Predicate>
<Predicate Id="Lower" Method="IncludesCharacters" HelpText="a lower case letter"><Parameters><Parameter Id="CharacterSet">a-z</Parameter></Parameters></Predicate>
<Predicate Id="Upper" Method="includesCharacters"><UserHelpText>an upper case letter</UserHelpText><Parameters><Parameter Id="CharacterSet">A-Z</Parameter></Parameters></Predicate>
<Predicate Id="Symbol" Method="IncludesCharacters" HelpText="a symbol"><Parameters><Parameter Id="characterSet">@#^*\-_+=[]{}|\\:</Parameter></Parameters></Predicate>
<Predicate Id="Trimmed" Method="MatchesRegex" HelpText="No blank at its ends."><Parameters><Parameter Id="RegularExpression">(^\S.*\S$)|(^\S+$)|(^$)</Parameter></Parameters></Predicate>
<Predicate Id="Past" Method="IsDateRange" HelpText="Between 1970 and today."><Parameters><Parameter Id="Minimum">1970-01-01</Parameter><Parameter Id="Maximum">Today</Parameter></Parameters></Predicate>
<Predicate Id="Wrong" Method="IsLengthRang"><Parameters><Parameter Id="Minimum">8</Parameter></Parameters></Predicate>
</Predicates><PredicateValidations>
<PredicateValidation Id="Strong"><PredicateGroups>
<PredicateGroup Id="Ends"><PredicateReferences><PredicateReference Id="trimmed"/><PredicateReference Id="Length"/></PredicateReferences></PredicateGroup>
<PredicateGroup Id="Classes"><UserHelpText>It has two of:</UserHelpText><PredicateReferences MatchAtLeast="2"><PredicateReference Id="Lower"/><PredicateReference Id="Upper"/><PredicateReference Id="Symbol"/></PredicateReferences></PredicateGroup>
</PredicateGroups></PredicateValidation>
<PredicateValidation Id="Past"><PredicateGroups><PredicateGroup Id="G"><PredicateReferences><PredicateReference Id="Past"/></PredicateReferences></PredicateGroup></PredicateGroups></PredicateValidation>
<PredicateValidation Id="Hanging"><PredicateGroups><PredicateGroup Id="G"><PredicateReferences MatchAtLeast="2"><PredicateReference Id="Gone"/></PredicateReferences></PredicateGroup></PredicateGroups></PredicateValidation>
<PredicateValidation Id="Wrong"><PredicateGroups><PredicateGroup Id="G"><PredicateReferences><PredicateReference Id="Wrong"/></PredicateReferences></PredicateGroup></PredicateGroups></PredicateValidation>
</PredicateValidations></BuildingBlocks></TrustFrameworkPolicy>`

func load(t *testing.T, text string) *trustframework.Policy {
	t.Helper()
	set, err := trustframework.Load(fstest.MapFS{"rules.xml": {Data: []byte(text)}}, trustframework.Options{})
	if err != nil || len(set.Policies) != 1 {
		t.Fatal(err, set)
	}
	return set.Policies[0]
}

func TestMeets(t *testing.T) {
	p := load(t, rules)
	today := predicate.Rules{Policy: p, Today: time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC)}
	for _, c := range []struct {
		claim string
		value string
		ok    bool
		help  string
	}{
		{"code", "123456", true, ""},
		{"code", "12345x", false, "Six digits."},
		{"code", "1234567", false, "Six digits."},
		{"free", "anything", true, ""},
		{"password", "abcdEFGH", true, ""},
		{"password", "abcd]fgh", true, ""},
		{"password", "abcd-fgh", true, ""},
		{"password", "abcdEFGHIJKLM", false, "It has 8 to 12 characters."},
		{"password", " bcdEFGH", false, "No blank at its ends."},
		{"password", "abcdefgh", false, "It has two of: an upper case letter, a symbol"},
		{"password", "1234567 ", false, "No blank at its ends. It has two of: a lower case letter, an upper case letter, a symbol"},
		// Two units of UTF-16 each.
		{"password", "aB" + strings.Repeat("\U0001f600", 3), true, ""},
		{"password", "aB" + strings.Repeat("\U0001f600", 6), false, "It has 8 to 12 characters."},
		{"born", "1970-01-01", true, ""},
		{"born", "2026-01-31", true, ""},
		{"born", "2026-02-01", false, "Between 1970 and today."},
		{"born", "1969-12-31", false, "Between 1970 and today."},
		{"born", "yesterday", false, "Between 1970 and today."},
	} {
		declared, _ := p.Claim(c.claim)
		help, ok, err := today.Meets(declared, claim.Text(c.value))
		if err != nil || ok != c.ok || help != c.help {
			t.Errorf("%s %q: %v %q %v, want %v %q", c.claim, c.value, ok, help, err, c.ok, c.help)
		}
	}
}

func TestHelpIsInTheLanguageOfThePage(t *testing.T) {
	p := load(t, rules)
	texts := map[string]string{
		"ClaimType code PatternHelpText":     "Sechs Ziffern.",
		"PredicateValidation Strong Classes": "Zwei von:",
		"Predicate Upper HelpText":           "ein Grossbuchstabe",
	}
	german := predicate.Rules{Policy: p, Text: func(elementType, element, id string) (string, bool) {
		text, ok := texts[elementType+" "+element+" "+id]
		return text, ok
	}}
	for name, want := range map[string]string{"code": "Sechs Ziffern.", "password": "Zwei von: ein Grossbuchstabe, a symbol"} {
		declared, _ := p.Claim(name)
		if help, ok, err := german.Meets(declared, claim.Text("abcdefgh")); ok || err != nil || help != want {
			t.Errorf("%s: %v %q %v, want %q", name, ok, help, err, want)
		}
	}
	texts["InputValidation Strong Classes"] = "Zwei davon:"
	delete(texts, "PredicateValidation Strong Classes")
	declared, _ := p.Claim("password")
	if help, _, _ := german.Meets(declared, claim.Text("abcdefgh")); help != "Zwei davon: ein Grossbuchstabe, a symbol" {
		t.Errorf("with the older name it says %q", help)
	}
}

func TestRulesThatCannotBeAppliedNameTheirPlace(t *testing.T) {
	p := load(t, rules)
	for name, want := range map[string]string{
		"dangling": "predicate validation None is not in the policy",
		"hanging":  "predicate Gone is not in the policy",
		"wrong":    "did you mean IsLengthRange?",
	} {
		declared, _ := p.Claim(name)
		_, ok, err := predicate.Rules{Policy: p}.Meets(declared, claim.Text("x"))
		var misuse *trustframework.Misuse
		if ok || !errors.As(err, &misuse) || misuse.At.Line == 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v %v, want %q", name, ok, err, want)
		}
	}
}

func TestCheck(t *testing.T) {
	p := load(t, strings.NewReplacer("^[0-9]{6}$", "^([0-9]{6}$", ">1970-01-01<", ">01-01-1970<", "<Parameter Id=\"CharacterSet\">a-z", "<Parameter Id=\"CharacterSet\">z-a",
		">12<", ">7<", `Id="characterSet"`, `Id="chars"`, `(^\S.*\S$)|(^\S+$)|(^$)`, `\k&lt;x>`).Replace(rules))
	var all []string
	for _, problem := range predicate.Check(p) {
		if problem.Weight != trustframework.Broken || problem.At.Line == 0 {
			t.Errorf("%+v", problem)
		}
		all = append(all, problem.Reason)
	}
	for i, want := range []string{
		"pattern of the claim type code: is not a regular expression of .NET: missing closing )",
		"predicate Length: the parameter Maximum is less than Minimum",
		"predicate Lower: the parameter CharacterSet has a range that ends before it begins",
		"predicate Symbol: the method IncludesCharacters needs a parameter CharacterSet",
		"predicate Trimmed: the parameter RegularExpression is not a regular expression",
		"predicate Past: the parameters Minimum and Maximum must be days",
		"predicate Wrong: the method IsLengthRang is not known; did you mean IsLengthRange?",
		"predicate validation Hanging: the group G wants 2 predicates met and has 1",
	} {
		if i >= len(all) || !strings.HasPrefix(all[i], want) {
			t.Errorf("problem %d of %q, want %q", i, all, want)
		}
	}
	if len(all) != 8 {
		t.Errorf("%d problems: %q", len(all), all)
	}
}
