package transform_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/transform"
)

// Each section NAME of the archive holds a transformation, and NAME.json what it makes of the claims below: the bodies
// that Microsoft's pages on SendGrid, Mailjet and Brevo describe, and the examples of json-transformations.md.
func TestGenerateJson(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "json.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, f := range archive.Files {
		sections[f.Name] = string(f.Data)
	}
	if len(sections) < 10 {
		t.Fatalf("%d sections", len(sections))
	}
	for name, transformation := range sections {
		want, ok := sections[name+".json"]
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			policy := load(t, strings.Replace(sections["policy"], "%TRANSFORMATION%", transformation, 1))
			tested := policy.Transformations[0]
			if problems := transform.Check(policy, tested); len(problems) > 0 {
				t.Error(problems)
			}
			bag := values()
			if err := transform.Apply(tested, bag, example{}.scene(policy)); err != nil {
				t.Fatal(err)
			}
			if got := bag.Text("body"); got != strings.TrimSpace(want) || !json.Valid([]byte(got)) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func values() *claim.Bag {
	bag := &claim.Bag{}
	for name, v := range map[string]claim.Value{
		"email": claim.Text("emily@fabrikam.com"), "otp": claim.Text("346349"), "subject": claim.Text("Your <code>"),
		"message": claim.Text("Welcome"), "codeIntro": claim.Text("Your code is"), "signature": claim.Text("Contoso & Co"),
		"quoted": claim.Text(`["a\b"]`), "active": claim.Flag(true), "count": claim.Number(3), "roles": claim.List("a", "b"),
		"since": claim.Time(now),
	} {
		bag.Set(name, v)
	}
	return bag
}

func TestPathsThatAreNoneAreRefusedBeforeTheyRun(t *testing.T) {
	for _, c := range []struct{ in, with, want string }{
		{"a.1=Text1", "", "skips an item"},
		{"a.0=Text1; a.2=Text2", "", "skips an item"},
		{"a.1=Text1", "a.0=x", "skips an item"},
		{"a=Text1; a.b=Text2", "", "another path has as a value"},
		{"a.b=Text1; a.0=Text2", "", "another has a name"},
		{"a.b=Text1; a=Text2", "", "beginning of another path"},
		{"a=Text1; a=Text2", "", "has a value already"},
		{"a..b=Text1", "", "empty segment"},
		{"a.=Text1", "", "empty segment"},
		{strings.Repeat("a.", 64) + "a=Text1", "", "more than 64 segments"},
		{"a.99999999999999999999=Text1; a.0=Text2", "", "another has a name"},
	} {
		e := example{method: "GenerateJson", in: c.in, with: c.with, out: "outputClaim=Text3"}
		policy, tested := e.read(t)
		problems := transform.Check(policy, tested)
		if len(problems) == 0 || problems[0].Weight != trustframework.Broken || !strings.Contains(problems[0].Reason, c.want) {
			t.Errorf("%s %s: %v, want %q", c.in, c.with, problems, c.want)
		}
		bag := values()
		before := show(bag)
		if err := transform.Apply(tested, bag, e.scene(policy)); err == nil || show(bag) != before {
			t.Errorf("%s %s: %v, and the bag is %s", c.in, c.with, err, show(bag))
		}
	}
}

// Whatever the paths are, what comes out is JSON, or the check has said that nothing would.
func FuzzPaths(f *testing.F) {
	template, err := os.ReadFile(filepath.Join("testdata", "json.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	var schema string
	for _, file := range txtar.Parse(template).Files {
		if file.Name == "policy" {
			schema = string(file.Data)
		}
	}
	policy := load(f, strings.Replace(schema, "%TRANSFORMATION%", "", 1))
	f.Add("a.0.b", "a.0.c", "a.1", "x")
	f.Add("0", "1", "2", "\xff\u2028<")
	f.Add("a", "a.b", "", "y")
	f.Fuzz(func(t *testing.T, first, second, third, text string) {
		tested := &trustframework.ClaimsTransformation{
			ID: "T", Method: "GenerateJson",
			Inputs:     []trustframework.TransformationClaim{{Claim: "email", Name: first}, {Claim: "otp", Name: second}},
			Parameters: []trustframework.Parameter{{ID: third, DataType: "string", Value: text}},
			Outputs:    []trustframework.TransformationClaim{{Claim: "body", Name: "outputClaim"}},
		}
		broken := false
		for _, p := range transform.Check(policy, tested) {
			broken = broken || p.Weight == trustframework.Broken
		}
		bag := &claim.Bag{}
		bag.Set("email", claim.Text(text))
		err := transform.Apply(tested, bag, transform.Scene{Policy: policy})
		if broken != (err != nil) {
			t.Fatalf("the check says broken is %v, and the run %v", broken, err)
		}
		if err == nil && !json.Valid([]byte(bag.Text("body"))) {
			t.Errorf("%q is not JSON", bag.Text("body"))
		}
	})
}
