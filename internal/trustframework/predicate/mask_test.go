package predicate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/predicate"
)

func TestMasks(t *testing.T) {
	for _, c := range []struct{ expression, text, value, want string }{
		{`(?<=.).(?=.*@)`, "*", "emily@contoso.com", "e****@contoso.com"},
		{`(?<=.{2}).(?=.*@)`, "*", "emily@contoso.com", "em***@contoso.com"},
		{`(?<=.).(?=.*@)`, "*", "\U0001F600mily@contoso.com", "\U0001F600****@contoso.com"},
		{`\d(?=\d{4})`, "#", "+12065550123", "+#######0123"},
		{`[a-z]+`, "-", "one, two", "-, -"},
		{`(?!x)\D?\w`, "*", "0a1", "**"},
		{`x*`, "-", "axb", "-a--b-"},
		{`\w # any letter`, "*", "a b", "a b"},
		{`(?x) \w # any letter`, "*", "a b", "* *"},
		{`^`, "> ", "a", "> a"},
		{`none`, "*", "", ""},
	} {
		if got, err := predicate.Mask(c.expression, c.text, c.value); err != nil || got != c.want {
			t.Errorf("%s on %q: %q %v, want %q", c.expression, c.value, got, err, c.want)
		}
	}
}

func TestAMaskThatFailsShowsNothing(t *testing.T) {
	secret := strings.Repeat("a", 40) + "!"
	for _, c := range []struct{ expression, text string }{
		{`(`, "*"}, {`[\W\d]`, "*"}, {`(a)`, "$1"}, {`^(?=(a+)+$)`, "*"}, {`a)|(a`, "*"},
	} {
		got, err := predicate.Mask(c.expression, c.text, secret)
		if err == nil || got != "" || strings.Contains(err.Error(), "aaa") {
			t.Errorf("%s: %q %v", c.expression, got, err)
		}
	}
}

func TestCheckTellsMasksThatHideAll(t *testing.T) {
	claim := func(id, mask string) string {
		return `<ClaimType Id="` + id + `"><DataType>string</DataType>` + mask + `</ClaimType>`
	}
	p := load(t, `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="contoso.example" PolicyId="B2C_1A_Masks"><BuildingBlocks><ClaimsSchema>`+claim("good", `<Mask Type="Regex" Regex="(?&lt;=.).(?=.*@)">*</Mask>`)+claim("simple", `<Mask Type="Simple">XX</Mask>`)+
		claim("broken", `<Mask Type="Regex" Regex="(">*</Mask>`)+claim("kind", `<Mask Type="Regexp" Regex="a">*</Mask>`)+claim("none", `<Mask>XX</Mask>`)+claim("bare", "")+`</ClaimsSchema></BuildingBlocks></TrustFrameworkPolicy>`)
	var got []string
	for _, problem := range predicate.Check(p) {
		if problem.Weight != trustframework.Odd || problem.At.Line == 0 {
			t.Errorf("%+v", problem)
		}
		got = append(got, problem.Reason)
	}
	want := []string{
		"mask of the claim type broken: is not a regular expression of .NET: missing closing ); the whole value is hidden",
		"mask of the claim type kind: its Type is neither Simple nor Regex; the whole value is hidden",
		"mask of the claim type none: its Type is neither Simple nor Regex; the whole value is hidden",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
