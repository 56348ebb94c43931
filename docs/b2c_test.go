package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/accounts"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/mfa"
	"github.com/otpost/otpost/internal/trustframework/otp"
	"github.com/otpost/otpost/internal/trustframework/restful"
	"github.com/otpost/otpost/internal/trustframework/review"
	"github.com/otpost/otpost/internal/trustframework/transform"
)

const policiesPage = "docs/b2c.md"

// TestPolicies compares the written parts of b2c.md with the program.
func TestPolicies(t *testing.T) {
	got := read(t, policiesPage)
	want := section(t, section(t, got, "profiles", profiles()), "methods", methods())
	if *update {
		if err := os.WriteFile(filepath.Join(root, policiesPage), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != want {
		t.Errorf("%s is not what the handlers say; run: make update", policiesPage)
	}
}

// section puts a text between the marks of a page.
func section(t *testing.T, page, name, text string) string {
	t.Helper()
	begin, end := "<!-- begin: "+name+" -->\n", "<!-- end: "+name+" -->"
	before, rest, found := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no marks of the section %s", policiesPage, name)
	}
	return before + begin + text + end + after
}

func profile(kind, operation string) *trustframework.TechnicalProfile {
	p := &trustframework.TechnicalProfile{ID: "Profile", Protocol: trustframework.Protocol{Name: "Proprietary", Handler: kind}}
	if operation != "" {
		p.Metadata = trustframework.Metadata{{Key: "Operation", Value: operation}}
	}
	return p
}

// profiles lists what runs, in the words of the handlers.
func profiles() string {
	var b strings.Builder
	write := func(kind string, about execute.About) {
		fmt.Fprintf(&b, "\n**%s** (`%s`)\n\n", about.Kind, kind[strings.LastIndexByte(kind, '.')+1:])
		for _, line := range [][2]string{{"B2C", about.B2C}, {"otpost", about.Otpost}, {"Entra External ID", about.Entra}} {
			fmt.Fprintf(&b, "- *%s:* %s\n", line[0], cell.Replace(line[1]))
		}
		for _, point := range about.Differs {
			fmt.Fprintf(&b, "- Differs: %s\n", cell.Replace(point))
		}
	}
	for _, row := range []struct {
		kind       string
		handler    execute.Handler
		operations []string
	}{
		{otp.OneTimePasswordHandler, &otp.OneTimePassword{}, []string{"GenerateCode", "VerifyCode"}},
		{otp.SSPRHandler, &otp.SSPR{}, []string{"SendCode", "VerifyCode"}},
		{mfa.HandlerType, &mfa.Handler{}, []string{"OneWaySMS", "Verify", "GetAvailableDevices", "BeginVerifyOTP", "VerifyOTP"}},
		{restful.Kind, restful.New(restful.Options{}), []string{""}},
		{accounts.Kind, &accounts.Handler{}, []string{"Read", "Write"}},
	} {
		for _, operation := range row.operations {
			write(row.kind, row.handler.About(profile(row.kind, operation)))
		}
	}
	for _, kind := range []string{execute.Transformation, execute.SelfAsserted} {
		write(kind, review.AboutOwn(profile(kind, "")))
	}
	return b.String() + "\n"
}

// methods is the list of claims transformations.
func methods() string {
	var b strings.Builder
	line := ""
	for i, name := range transform.Methods() {
		if i > 0 {
			line += ", "
		}
		if len(line)+len(name) > 115 {
			b.WriteString(strings.TrimSpace(line) + "\n")
			line = ""
		}
		line += "`" + name + "`"
	}
	b.WriteString(line + ".\n")
	return b.String()
}

// TestMetadataIsKnown holds the table of GenerateCode's metadata to the handler: a key that it does not know is not there.
func TestMetadataIsKnown(t *testing.T) {
	table := read(t, policiesPage)
	_, table, _ = strings.Cut(table, "### Metadata of GenerateCode")
	table, _, _ = strings.Cut(table, "\n### ")
	p := profile(otp.OneTimePasswordHandler, "GenerateCode")
	rows := regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|").FindAllStringSubmatch(table, -1)
	for _, row := range rows {
		p.Metadata = append(p.Metadata, trustframework.Item{Key: row[1], Value: "9"})
	}
	if len(rows) != 7 {
		t.Errorf("the table has %d keys, want the 7 of GenerateCode", len(rows))
	}
	handler, policy := &otp.OneTimePassword{}, &trustframework.Policy{}
	for _, problem := range handler.Check(policy, p) {
		if strings.Contains(problem.Reason, "metadata key") {
			t.Errorf("%s: %s", policiesPage, problem.Reason)
		}
	}
	p.Metadata = trustframework.Metadata{{Key: "Operation", Value: "GenerateCode"}, {Key: "CodeLenth", Value: "6"}}
	if found := handler.Check(policy, p); len(found) == 0 || !strings.Contains(fmt.Sprint(found), "metadata key CodeLenth") {
		t.Error("a metadata key that there is not is not reported, so that this test says nothing")
	}
}
