package predicate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dlclark/regexp2/v2"

	"github.com/otpost/otpost/internal/trustframework/predicate"
)

func TestExpressionsAreOfDotNet(t *testing.T) {
	// As B2C's own packs require of passwords: letters of both cases and a digit, and no dot before an at sign.
	const password = `^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)([A-Za-z\d@#]|\.(?!@)){8,16}$`
	for _, c := range []struct {
		expression, value string
		want              bool
	}{
		{password, "abcdEFG1", true},
		{password, "abcdefg1", false},
		{password, "abcEFG1.@", false},
		{`^(?=([^,]+)).+(?=(\1))`, "a,a", true},
		{`^(?=([^,]+)).+(?=(\1))`, "a,b", false},
		{`[0-9]`, "no digit", false},
		{`[0-9]`, "one 1", true},
		// Digits of every script, letters too, and an end before the last line break.
		{`^\d$`, "\u0663", true},
		{`^\w+$`, "\u00e9t\u00e9", true},
		{`^[0-9]$`, "1\n", true},
		// Subtraction, and brackets in brackets.
		{`^[a-z-[aeiou]]$`, "a", false},
		{`^[a-z-[aeiou]]$`, "b", true},
		{`^(?!x)[\w-[\d]]$`, "b", true},
		{`^(?!x)[\s\S]$`, "\n", true},
		{`^(?!x)[^\w\s]$`, "a", false},
		// Where a match may begin with what \D leaves out.
		{`(?!x)\D?\w`, "0", true},
		{`(?x) (?!x) \D? \w # a letter or digit`, "0x", true},
		{`^\+?(?:[-()\s]*\d[-()\s]*){4,16}$`, "+1 (123) 456-7890", true},
		{`^\+?(?:[-()\s]*\d[-()\s]*){4,16}$`, "bob@contoso.com", false},
	} {
		e, err := predicate.Compile(c.expression)
		if err != nil {
			t.Fatalf("%s %v", c.expression, err)
		}
		if got, err := e.Match(c.value); got != c.want || err != nil {
			t.Errorf("%s on %q: %v %v, want %v", c.expression, c.value, got, err, c.want)
		}
	}
}

func TestBracketsThatAreNotMatchedRightlyAreRefused(t *testing.T) {
	for expression, refused := range map[string]bool{
		`[\W\d]`: true, `^[^\s\D]$`: true, `[a\P{L}\P{N}]`: true, `[]\S\W]`: true, `[a-z-[\D\s]]`: true,
		`[\s\S]`: false, `[\W_]`: false, `[\d\s\w]`: false, `\W[\d]`: false, `[\]\W]\d[\w]`: false, `\[\W\d]`: false, `[\P{L}\P{L}]`: false,
	} {
		if _, err := predicate.Compile(expression); (err != nil) != refused || refused && !strings.Contains(err.Error(), "brackets") {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

func TestGroups(t *testing.T) {
	for _, expression := range []string{`(?<alias>[^@]*)@(?<domain>.*)$`, `(?<alias>[^@]*)(?=@)@(?<domain>.*)$`} {
		e, err := predicate.Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		groups, ok, err := e.Groups("emily@contoso.com")
		if err != nil || !ok || len(groups) != 2 || groups["alias"] != "emily" || groups["domain"] != "contoso.com" {
			t.Errorf("%s: %v %v %v", expression, groups, ok, err)
		}
		if groups, ok, err := e.Groups("emily"); err != nil || ok || len(groups) != 0 {
			t.Errorf("%s: %v %v %v", expression, groups, ok, err)
		}
	}
}

func TestAnExpressionThatNeverEndsIsStopped(t *testing.T) {
	e, err := predicate.Compile(`^(?=(a+)+$)(a+)+$`)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(regexp2.StopTimeoutClock)
	value := strings.Repeat("a", 64) + "!"
	if _, err := e.Match(value); err == nil || strings.Contains(err.Error(), "aaaa") {
		t.Errorf("it ended with %v, want an error that does not repeat the value", err)
	}
	if _, _, err := e.Groups(value); err == nil {
		t.Error("its groups were found")
	}
	linear, err := predicate.Compile(`^(a+)+$`)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := linear.Match(value); ok || err != nil {
		t.Errorf("without looking ahead it ended with %v %v", ok, err)
	}
}

// Where two engines could answer, they must agree: a policy cannot tell which one does.
func FuzzExpression(f *testing.F) {
	f.Add(`^\+?(?:[-()\s]*\d[-()\s]*){4,16}$`, "+1 (123) 456-7890")
	f.Add(`(?i)^[\w-.]+@(a|b)*?\b`, "A.b@aab c")
	f.Add("0{00}", "0")
	f.Add(`[]a-]+|[^-x]{2,3}?$`, "]a-x")
	f.Fuzz(func(t *testing.T, expression, value string) {
		if len(expression) > 40 || len(value) > 40 {
			return
		}
		e, err := predicate.Compile(expression)
		if err != nil {
			return
		}
		if strings.ContainsAny(expression, "#\n") {
			return // which may begin a comment
		}
		direct, err := regexp2.Compile(`\A(?s:.*?)(?:` + expression + `)`)
		if err != nil {
			return
		}
		direct.MatchTimeout = time.Second
		want, err := direct.MatchString(value)
		if err != nil {
			return
		}
		if got, err := e.Match(value); got != want || err != nil {
			t.Errorf("%q on %q: %v %v, want %v", expression, value, got, err, want)
		}
	})
}
