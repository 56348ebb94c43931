package transform_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/transform"
)

// schema is a policy with claims of every type, by names that say it.
const schema = `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0"
 TenantId="contoso.example" PolicyId="B2C_1A_Test"><BuildingBlocks><ClaimsSchema>
<ClaimType Id="Text1"><DataType>string</DataType></ClaimType>
<ClaimType Id="Text2"><DataType>string</DataType></ClaimType>
<ClaimType Id="Text3"><DataType>string</DataType></ClaimType>
<ClaimType Id="Flag1"><DataType>boolean</DataType></ClaimType>
<ClaimType Id="Flag2"><DataType>boolean</DataType></ClaimType>
<ClaimType Id="Int1"><DataType>int</DataType></ClaimType>
<ClaimType Id="Long1"><DataType>long</DataType></ClaimType>
<ClaimType Id="Time1"><DataType>dateTime</DataType></ClaimType>
<ClaimType Id="Time2"><DataType>dateTime</DataType></ClaimType>
<ClaimType Id="Date1"><DataType>date</DataType></ClaimType>
<ClaimType Id="List1"><DataType>stringCollection</DataType></ClaimType>
<ClaimType Id="Phone1"><DataType>phoneNumber</DataType><PredicateValidationReference Id="Number"/></ClaimType>
<ClaimType Id="Code1"><DataType>string</DataType><Restriction><Pattern RegularExpression="^[0-9]{6}$" HelpText="Six digits."/></Restriction></ClaimType>
<ClaimType Id="Choice1"><DataType>string</DataType><Restriction><Enumeration Text="E1" Value="The first"/><Enumeration Text="E2" Value="The second"/></Restriction></ClaimType>
</ClaimsSchema>
<Predicates><Predicate Id="Digits" Method="MatchesRegex"><Parameters><Parameter Id="RegularExpression">^\+[0-9]+$</Parameter></Parameters></Predicate></Predicates>
<PredicateValidations><PredicateValidation Id="Number"><PredicateGroups><PredicateGroup Id="G"><PredicateReferences>
<PredicateReference Id="Digits"/></PredicateReferences></PredicateGroup></PredicateGroups></PredicateValidation></PredicateValidations>
<ClaimsTransformations>%TRANSFORMATIONS%</ClaimsTransformations></BuildingBlocks></TrustFrameworkPolicy>`

// example is one transformation on one bag, in short: claims by TransformationClaimType, values by claim.
type example struct {
	name, method    string
	in, with, out   string
	bag, want       string
	failure, misuse string
	// key is the policy key B2C_1A_Key.
	key string
}

var now = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// read reads the transformation from XML, as policies are.
func (e example) read(t *testing.T) (*trustframework.Policy, *trustframework.ClaimsTransformation) {
	t.Helper()
	var x strings.Builder
	x.WriteString(`<ClaimsTransformation Id="Tested" TransformationMethod="` + e.method + `"><InputClaims>`)
	for _, p := range pairs(e.in) {
		x.WriteString(`<InputClaim ClaimTypeReferenceId="` + p[1] + `"` + named(p[0]) + `/>`)
	}
	x.WriteString(`</InputClaims><InputParameters>`)
	for _, p := range pairs(e.with) {
		name, kind, typed := strings.Cut(p[0], "/")
		if !typed {
			kind = "string"
		}
		x.WriteString(`<InputParameter Id="` + name + `" DataType="` + kind + `" Value="` + escaped.Replace(p[1]) + `"/>`)
	}
	x.WriteString(`</InputParameters><OutputClaims>`)
	for _, p := range pairs(e.out) {
		x.WriteString(`<OutputClaim ClaimTypeReferenceId="` + p[1] + `"` + named(p[0]) + `/>`)
	}
	x.WriteString(`</OutputClaims></ClaimsTransformation>`)
	policy := load(t, strings.Replace(schema, "%TRANSFORMATIONS%", x.String(), 1))
	transformation, ok := policy.Transformation("Tested")
	if !ok {
		t.Fatal("the transformation was not read")
	}
	return policy, transformation
}

var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;")

// named is a TransformationClaimType, or nothing for a name of _.
func named(name string) string {
	if name == "_" {
		return ""
	}
	return ` TransformationClaimType="` + name + `"`
}

// pairs reads "a=b; c=d".
func pairs(text string) [][2]string {
	var all [][2]string
	for part := range strings.SplitSeq(text, "; ") {
		if name, value, found := strings.Cut(part, "="); found {
			all = append(all, [2]string{name, value})
		}
	}
	return all
}

func load(t testing.TB, policy string) *trustframework.Policy {
	t.Helper()
	set, err := trustframework.Load(fstest.MapFS{"policy.xml": {Data: []byte(policy)}}, trustframework.Options{})
	if err != nil || len(set.Policies) != 1 {
		t.Fatal(err, set.Problems)
	}
	return set.Policies[0]
}

// bagOf reads claims in the types of the policy; a list has | between items.
func bagOf(t *testing.T, p *trustframework.Policy, text string) *claim.Bag {
	t.Helper()
	bag := &claim.Bag{}
	for _, pair := range pairs(text) {
		declared, ok := p.Claim(pair[0])
		if !ok {
			t.Fatalf("no claim %s", pair[0])
		}
		v, err := claim.Parse(claim.TypeOf(declared.DataType), pair[1])
		if v.Type() == claim.StringCollection {
			v = claim.List(strings.Split(pair[1], "|")...)
		}
		if err != nil {
			t.Fatalf("%s %v", pair[0], err)
		}
		bag.Set(declared.ID, v)
	}
	return bag
}

// show writes a bag as bagOf reads it.
func show(bag *claim.Bag) string {
	var all []string
	for name, v := range bag.All() {
		all = append(all, name+"="+strings.Join(v.Items(), "|"))
	}
	return strings.Join(all, "; ")
}

func (e example) scene(p *trustframework.Policy) transform.Scene {
	return transform.Scene{
		Policy: p,
		Now:    now,
		Rand:   bytes.NewReader(bytes.Repeat([]byte("0123456789abcdef"), 4)),
		Key:    func(id string) (string, bool) { return e.key, e.key != "" && id == "B2C_1A_Key" },
		Resolve: strings.NewReplacer("{TechnicalProfileId}", "Send", "{RelyingPartyTenantId}", "contoso.example",
			"{AuthenticatorIssuer}", "Contoso demo", "{Braces}", "{0}").Replace,
		Text: func(elementType, element, id string) (string, bool) {
			text, ok := map[string]string{
				"GetLocalizedStringsTransformationClaimType subject":  "Your code",
				"FormatLocalizedStringTransformationClaimType exists": "{0} is here already, {1}.",
			}[elementType+" "+element+id]
			return text, ok
		},
	}
}
