// Package docs_test holds the documentation to the program: what a page names must exist, and what it lists must be whole.
package docs_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
)

var update = flag.Bool("update", false, "write settings.md and providers.md anew")

// root is the folder of the repository.
const root = ".."

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages are all pages of the repository, by path from its root.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "testdata"):
			return filepath.SkipDir
		case filepath.Ext(path) == ".md":
			path, err = filepath.Rel(root, path)
			found = append(found, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 15 {
		t.Fatalf("found only the pages %v", found)
	}
	return found
}

// link is [text](target), or the source of a picture.
var link = regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)|<(img) src="([^"]+)"`)

func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			target, fragment, _ := strings.Cut(match[2]+match[4], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s: %s leads nowhere: %v", page, target, err)
			} else if fragment != "" && !slices.Contains(anchors(read(t, path)), fragment) {
				t.Errorf("%s: %s has no heading #%s", page, path, fragment)
			}
		}
	}
}

var (
	heading    = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notInNames = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the names that GitHub gives to the headings of a page.
func anchors(text string) []string {
	var names []string
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		name := notInNames.ReplaceAllString(strings.ToLower(match[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

// code is the text of a link that names a function, a method or a type: `Engine.Issue`.
var code = regexp.MustCompile("^`(?:([A-Za-z]+)\\.)?([A-Za-z]+)`$")

// TestNamedCodeExists holds every [`Type.Method`](file.go) and [`Name`](file.go) to the file it leads to.
func TestNamedCodeExists(t *testing.T) {
	named := 0
	for _, page := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			name := code.FindStringSubmatch(match[1])
			if name == nil || filepath.Ext(match[2]) != ".go" {
				continue
			}
			named++
			path := filepath.Join(filepath.Dir(page), match[2])
			if !declares(read(t, path), name[1], name[2]) {
				t.Errorf("%s: there is no %s in %s", page, match[1], path)
			}
		}
	}
	if named < 50 {
		t.Errorf("the pages name %d pieces of code; is the pattern of a link still right?", named)
	}
}

// declares reports whether Go text declares name, as a method of receiver where there is one.
func declares(text, receiver, name string) bool {
	pattern := `(?m)^(func|type|const|var) ` + name + `\b`
	if receiver != "" {
		pattern = `(?m)^func \((\w+ )?\*?` + receiver + `\) ` + name + `\(`
	}
	return regexp.MustCompile(pattern).MatchString(text)
}

func TestStatesAreAllDrawn(t *testing.T) {
	text := read(t, "docs/states.md")
	var states []string
	for _, s := range []passcode.State{passcode.Pending, passcode.Verified, passcode.Locked, passcode.Expired,
		passcode.Cancelled, passcode.Replaced} {
		states = append(states, string(s))
	}
	for _, s := range []outbox.State{outbox.Queued, outbox.Sending, outbox.Accepted, outbox.Delivered, outbox.Bounced,
		outbox.Failed, outbox.Stale} {
		states = append(states, string(s))
	}
	for _, s := range authenticator.States() {
		states = append(states, string(s))
	}
	for _, s := range states {
		if !regexp.MustCompile(`--> `+s+`\b`).MatchString(text) || !regexp.MustCompile("\\| [^|]*`"+s+"`").MatchString(text) {
			t.Errorf("docs/states.md has no way to %s in its diagram, or no row in its table", s)
		}
	}
}

func TestClassesAreAllExplained(t *testing.T) {
	text := read(t, "docs/flow.md")
	for _, class := range outbox.Classes() {
		if !strings.Contains(text, "`"+string(class)+"`") {
			t.Errorf("docs/flow.md does not say what follows the class %s", class)
		}
	}
}

// TestDecisionsAreListed wants each decision in the list, by its number and title, and the four questions answered.
func TestDecisionsAreListed(t *testing.T) {
	list := read(t, "docs/decisions/README.md")
	for _, page := range pages(t) {
		name, ok := strings.CutPrefix(page, "docs/decisions/")
		if !ok || name == "README.md" {
			continue
		}
		text := read(t, page)
		title, _, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
		number, title, _ := strings.Cut(title, " ")
		if !strings.HasPrefix(name, number) || !strings.Contains(list, "["+number+"]("+name+") | "+title+" |") {
			t.Errorf("docs/decisions/README.md does not list %s as %q", name, title)
		}
		for _, part := range []string{"**Context.**", "**Choice.**", "**Refused.**", "**What would change our mind.**"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s has no part %s", page, part)
			}
		}
	}
}

// TestLibrariesHaveAReason compares the table of decision 0009 with the direct dependencies of go.mod.
func TestLibrariesHaveAReason(t *testing.T) {
	command := exec.Command("go", "mod", "edit", "-json")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go mod edit: %v", err)
	}
	var module struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	var direct []string
	for _, r := range module.Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	var listed []string
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\| [^|]+ \\|$")
	for _, match := range row.FindAllStringSubmatch(read(t, "docs/decisions/0009-libraries.md"), -1) {
		listed = append(listed, match[1])
	}
	for _, path := range direct {
		if !slices.Contains(listed, path) {
			t.Errorf("docs/decisions/0009-libraries.md gives no reason for %s", path)
		}
	}
	for _, path := range listed {
		if !slices.Contains(direct, path) {
			t.Errorf("docs/decisions/0009-libraries.md speaks of %s, which go.mod does not require directly", path)
		}
	}
}

// TestDefaultsAreTrue holds the table of limits in SECURITY.md to the settings.
func TestDefaultsAreTrue(t *testing.T) {
	rows := map[string]string{}
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| `([^`]+)` \\|")
	for _, match := range row.FindAllStringSubmatch(read(t, "SECURITY.md"), -1) {
		rows[match[1]] = match[2]
	}
	for _, s := range config.Settings() {
		shown, ok := rows[s.Name]
		if ok && shown != s.Default {
			t.Errorf("SECURITY.md says that %s is %s, and it is %s", s.Name, shown, s.Default)
		}
		if !ok && s.Group == "Limits" {
			t.Errorf("SECURITY.md does not list %s", s.Name)
		}
		delete(rows, s.Name)
	}
	for name := range rows {
		t.Errorf("SECURITY.md lists %s, which is no setting", name)
	}
}

// variable is the name of an environment variable of ours, of a file that holds one's value, or of the command line.
var variable = regexp.MustCompile(`\bOTPOST_[A-Z0-9_]*[A-Z]\b`)

// TestVariablesExist finds names of variables that no program reads.
func TestVariablesExist(t *testing.T) {
	known := []string{"OTPOST_CONFIG", "OTPOST_KEY", "OTPOST_URL", "OTPOST_ENTRA_TOKEN", "OTPOST_FAULTPOINT"}
	for _, s := range config.Settings() {
		known = append(known, s.Env)
	}
	for _, page := range pages(t) {
		for _, name := range variable.FindAllString(read(t, page), -1) {
			if !slices.Contains(known, strings.TrimSuffix(name, "_FILE")) {
				t.Errorf("%s speaks of %s, which nothing reads", page, name)
			}
		}
	}
}

// TestSettings compares settings.md with the settings.
func TestSettings(t *testing.T) {
	want := settings()
	if *update {
		if err := os.WriteFile("settings.md", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, "docs/settings.md"); got != string(want) {
		t.Error("docs/settings.md is not what the settings say; run: make update")
	}
}

// settings writes the page of all settings.
func settings() []byte {
	var b bytes.Buffer
	b.WriteString(`# Settings

A test writes this page from the program; do not edit it.

A value is taken from the command line (` + "`--ops-listen`" + `), else the environment (` + "`OTPOST_OPS_LISTEN`" + `), else the file
` + "`otpost.yaml`" + ` (` + "`ops_listen`" + `; ` + "`--config` or `OTPOST_CONFIG`" + ` names another), else the default. A secret can be read from the
file that its variable with ` + "`_FILE`" + ` names. ` + "`otpost config show`" + ` prints each value and where it came from.

The group Function is an exception: its names are those of Microsoft's sample Functions, so that a container
[takes over](guides/takeover.md) with the settings that a Function App has. They are read from the environment alone, in
this spelling, in capitals, or with App Service's prefix ` + "`APPSETTING_`" + `.
`)
	for _, group := range config.Groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| setting | variable | default | what it does |\n|---|---|---|---|\n", group)
		for _, s := range config.Settings() {
			if s.Group != group {
				continue
			}
			value, about := "", s.Doc
			if s.Default != "" {
				value = "`" + s.Default + "`"
			}
			if len(s.Choices) > 0 {
				about += " One of `" + strings.Join(s.Choices, "`, `") + "`."
			}
			if s.Secret {
				about += " Secret."
			}
			fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", s.Name, s.Env, value, cell.Replace(about))
		}
	}
	return b.Bytes()
}

// TestProviders compares providers.md with the list of kinds.
func TestProviders(t *testing.T) {
	want := providers()
	if *update {
		if err := os.WriteFile("providers.md", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, "docs/providers.md"); got != string(want) {
		t.Error("docs/providers.md is not what the kinds of providers say; run: make update")
	}
}

// providers writes the page of all kinds of providers.
func providers() []byte {
	var b bytes.Buffer
	b.WriteString(`# Providers

A test writes this page from the program; do not edit it. How a provider is set up is in the [guide](guides/settings.md);
` + "`otpost provider kinds NAME`" + ` prints the same as below.

A duration is written as ` + "`30s`" + `, a list as a list of texts. A secret is never shown again. A *place* decides where credentials are
sent: who changes it has to give them anew.
`)
	for _, kind := range provider.Kinds() {
		var channels []string
		for _, channel := range kind.Channels {
			channels = append(channels, string(channel))
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s Carries %s.", kind.Name, cell.Replace(kind.Doc), strings.Join(channels, " and "))
		if kind.Receipts != nil {
			b.WriteString(" Reads delivery reports.")
		}
		b.WriteString("\n")
		if len(kind.Fields()) == 0 {
			b.WriteString("\nIt has no settings.\n")
			continue
		}
		b.WriteString("\n| setting | type | default | what it is |\n|---|---|---|---|\n")
		for _, f := range kind.Fields() {
			value, about := "", f.Help
			switch {
			case f.Required:
				value = "required"
			case f.Default != "":
				value = "`" + f.Default + "`"
			}
			if len(f.OneOf) > 0 {
				about += " One of `" + strings.Join(f.OneOf, "`, `") + "`."
			}
			if f.Secret {
				about += " Secret."
			}
			if f.Place {
				about += " Place."
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, f.Type, value, cell.Replace(about))
		}
	}
	return b.Bytes()
}

// cell keeps text from being read as a part of a table or as HTML.
var cell = strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;")
