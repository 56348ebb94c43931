package trustframework_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/otpost/otpost/internal/trustframework"
)

// policy writes a policy file.
func policy(id, base, body string) string {
	if base != "" {
		body = "<BasePolicy><PolicyId>" + base + "</PolicyId></BasePolicy>\n" + body
	}
	return `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicyId="` + id + "\">\n" + body + "\n</TrustFrameworkPolicy>\n"
}

// profiles writes a file's technical profiles.
func profiles(body string) string {
	return "<ClaimsProviders><ClaimsProvider><TechnicalProfiles>\n" + body + "\n</TechnicalProfiles></ClaimsProvider></ClaimsProviders>"
}

func load(t testing.TB, files fs.FS, options trustframework.Options) *trustframework.Set {
	t.Helper()
	set, err := trustframework.Load(files, options)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// folder makes a folder of names and texts.
func folder(pairs ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		files[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return files
}

// refusal is the reason for the only problem, which must be a refusal.
func refusal(t *testing.T, set *trustframework.Set) string {
	t.Helper()
	if len(set.Problems) != 1 || set.Problems[0].Weight != trustframework.Refused {
		t.Fatalf("problems are %v, want one refusal", set.Problems)
	}
	return set.Problems[0].Error()
}

// TestInputsInEverySpelling: a password must not be shown or kept because it is written otherwise.
func TestInputsInEverySpelling(t *testing.T) {
	for written, want := range map[string]string{"password": "Password", "READONLY": "Readonly", "\n ReadOnly ": "Readonly", "Textbox": "TextBox", "Slider": "TextBox", "": ""} {
		set := load(t, folder("one.xml", policy("One", "", `<BuildingBlocks><ClaimsSchema><ClaimType Id="c"><UserInputType>`+written+`</UserInputType></ClaimType></ClaimsSchema></BuildingBlocks>`)), trustframework.Options{})
		if c, ok := set.Policies[0].Claim("c"); !ok || c.UserInput != want {
			t.Errorf("%q is read as %q, want %q", written, c.UserInput, want)
		}
	}
}

func TestEncodings(t *testing.T) {
	body := policy("Encoded", "", "<BuildingBlocks><ClaimsSchema>\r\n<ClaimType Id=\"name\"><DisplayName>Pr\u00e9nom \u20ac</DisplayName></ClaimType></ClaimsSchema></BuildingBlocks>")
	declare := func(name string) string { return `<?xml version="1.0" encoding="` + name + `"?>` + body }
	encode := func(e interface{ String(string) (string, error) }, s string) string {
		t.Helper()
		out, err := e.String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	little, big := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	for name, data := range map[string]string{
		"UTF-8":                            body,
		"UTF-8 with a mark":                "\xef\xbb\xbf" + declare("utf-8"),
		"UTF-8 with a mark that outranks":  "\xef\xbb\xbf" + declare("windows-1252"),
		"UTF-8 declared as UTF-16":         declare("utf-16"),
		"UTF-16 little endian":             "\xff\xfe" + encode(little.NewEncoder(), declare("utf-16")),
		"UTF-16 big endian":                "\xfe\xff" + encode(big.NewEncoder(), declare("UTF-16")),
		"UTF-16 little endian, no mark":    encode(little.NewEncoder(), declare("utf-16")),
		"UTF-16 big endian, no mark":       encode(big.NewEncoder(), declare("utf-16")),
		"windows-1252":                     encode(charmap.Windows1252.NewEncoder(), declare("windows-1252")),
		"windows-1252 in capitals, quoted": strings.Replace(encode(charmap.Windows1252.NewEncoder(), declare("Windows-1252")), `"Windows-1252"`, `'Windows-1252'`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			set := load(t, folder("p.xml", data), trustframework.Options{})
			p, found := set.Policy("encoded")
			if !found {
				t.Fatalf("not read: %v", set.Problems)
			}
			c, found := p.Claim("NAME")
			if !found || c.DisplayName != "Pr\u00e9nom \u20ac" || c.At.Line != 3 {
				t.Errorf("the claim is %+v", c)
			}
		})
	}
}

func TestBytesThatAreNoTextAreNamedWithTheirPlace(t *testing.T) {
	for data, want := range map[string]string{
		policy("P", "", "  \u00e9 \xe9"):                "p.xml:2:6: the byte 0xe9 is no UTF-8",
		"\xff\xfe<\x00a":                                "p.xml: the file is UTF-16 and ends within a character",
		"<?xml version='1.0' encoding='utf-7'?><a/>":    `p.xml:1:1: the encoding "utf-7" is not read`,
		policy("P", "", "\x01"):                         "p.xml:2:1: not well-formed XML: there is the control character U+0001",
		policy("P", "", "<BuildingBlocks a='1' a='2'/"): "p.xml:3:1: not well-formed XML",
	} {
		if got := refusal(t, load(t, folder("p.xml", data), trustframework.Options{})); !strings.HasPrefix(got, want) {
			t.Errorf("%q is refused with %q, want %q", data, got, want)
		}
	}
}

func TestWhatIsReadIsBounded(t *testing.T) {
	some := policy("Some", "", "")
	for name, c := range map[string]struct {
		files   fstest.MapFS
		options trustframework.Options
		want    string
	}{
		"a file":           {folder("p.xml", some+strings.Repeat(" ", 1<<20)), trustframework.Options{}, "p.xml: the file is larger than 1048576 bytes"},
		"all files":        {folder("a.xml", some, "b.xml", policy("More", "", "")), trustframework.Options{MaxBytes: int64(len(some)) + 1}, "b.xml: the files up to here are larger"},
		"number of files":  {folder("a.xml", some, "b.xml", some, "c.xml", some), trustframework.Options{MaxFiles: 1}, "b.xml: there are more than 1 policy files"},
		"no file":          {fstest.MapFS{"p.xml": {Mode: fs.ModeNamedPipe}}, trustframework.Options{}, "p.xml: it is no regular file"},
		"not even a start": {folder("p.xml", "\xef\xbb\xbf"), trustframework.Options{}, "p.xml:1:1: there is no element in it"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := refusal(t, load(t, c.files, c.options)); !strings.HasPrefix(got, c.want) {
				t.Errorf("the refusal is %q, want %q", got, c.want)
			}
		})
	}
}

// chain is a folder of policies that build on each other.
func chain(n int, body func(int) string) fstest.MapFS {
	files := fstest.MapFS{}
	for i := range n {
		base := ""
		if i > 0 {
			base = fmt.Sprintf("P%02d", i-1)
		}
		files[fmt.Sprintf("p%02d.xml", i)] = &fstest.MapFile{Data: []byte(policy(fmt.Sprintf("P%02d", i), base, body(i)))}
	}
	return files
}

func TestTenPoliciesMayBuildOnEachOther(t *testing.T) {
	none := func(int) string { return "" }
	if set := load(t, chain(10, none), trustframework.Options{}); len(set.Problems) > 0 || len(set.Policies) != 10 {
		t.Errorf("ten policies come to %d, with %v", len(set.Policies), set.Problems)
	}
	if got := refusal(t, load(t, chain(11, none), trustframework.Options{})); got != "p10.xml:2:1: more than 10 policies build on each other" {
		t.Errorf("the eleventh is refused with %q", got)
	}
}

// A profile of many entries that many others include is small as a file and would be large as a policy.
func TestInclusionCannotMultiplyWithoutBound(t *testing.T) {
	var body strings.Builder
	body.WriteString(`<TechnicalProfile Id="Large"><Metadata>`)
	for i := range 1000 {
		fmt.Fprintf(&body, `<Item Key="k%d"/>`, i)
	}
	body.WriteString(`</Metadata></TechnicalProfile>`)
	for i := range 1000 {
		fmt.Fprintf(&body, `<TechnicalProfile Id="T%d"><Metadata><Item Key="own"/></Metadata><IncludeTechnicalProfile ReferenceId="Large"/></TechnicalProfile>`, i)
	}
	files := folder("p.xml", policy("Bomb", "", profiles(body.String())))
	p := load(t, files, trustframework.Options{MaxEntries: 100_000}).Policies[0]
	entries := 0
	for _, profile := range p.TechnicalProfiles {
		entries += len(profile.Metadata)
	}
	if entries > 100_000 || entries < 10_000 {
		t.Errorf("the policy holds %d entries, want some, and at most 100000", entries)
	}
	set := load(t, chain(10, func(int) string { return profiles(body.String()) }), trustframework.Options{MaxEntries: 20_000})
	if len(set.Policies) == 10 || len(set.Problems) == 0 {
		t.Errorf("ten times the same makes %d policies, want fewer, and %d problems", len(set.Policies), len(set.Problems))
	}
}

// What a profile includes down a row is bounded, in whatever order the file has them.
func TestInclusionIsBoundedAlikeInEveryOrder(t *testing.T) {
	const rows = 20
	forth, back := "", ""
	for i := range rows {
		include := ""
		if i > 0 {
			include = fmt.Sprintf("<IncludeTechnicalProfile ReferenceId=%q/>", fmt.Sprint("p", i-1))
		}
		one := fmt.Sprintf("<TechnicalProfile Id=%q>%s</TechnicalProfile>\n", fmt.Sprint("p", i), include)
		forth, back = forth+one, one+back
	}
	for name, body := range map[string]string{"the included first": forth, "the included last": back} {
		set := load(t, folder("p.xml", policy("P", "", profiles(body))), trustframework.Options{})
		var ids []string
		for i := range rows {
			if _, there := set.Policies[0].TechnicalProfile(fmt.Sprint("p", i)); there {
				ids = append(ids, fmt.Sprint("p", i))
			}
		}
		if len(ids) != 17 || ids[16] != "p16" || len(set.Problems) != rows-17 {
			t.Errorf("%s: got %v with %v, want p0 to p16", name, ids, set.Problems)
		}
	}
}

// Wherever the bound is met, a profile has all that it includes, or is left out.
func TestNoProfileIsHalfIncluded(t *testing.T) {
	var body strings.Builder
	body.WriteString(`<TechnicalProfile Id="Large"><Metadata><Item Key="a"/><Item Key="b"/></Metadata><InputClaims><InputClaim ClaimTypeReferenceId="c"/></InputClaims></TechnicalProfile>`)
	for i := range 20 {
		fmt.Fprintf(&body, `<TechnicalProfile Id="T%d"><Metadata><Item Key="own"/></Metadata><InputClaims><InputClaim ClaimTypeReferenceId="own"/></InputClaims><IncludeTechnicalProfile ReferenceId="Large"/></TechnicalProfile>`, i)
	}
	files := folder("p.xml", policy("P", "", profiles(body.String())))
	for bound := 10; bound < 200; bound++ {
		set := load(t, files, trustframework.Options{MaxEntries: bound})
		for _, p := range set.Policies[0].TechnicalProfiles {
			if p.ID != "Large" && len(p.Metadata)+len(p.InputClaims) != 5 {
				t.Fatalf("with %d entries, %s has %v and %v", bound, p.ID, p.Metadata, p.InputClaims)
			}
		}
		left := 0
		for _, p := range set.Problems {
			if p.Weight == trustframework.Broken {
				left++
			}
		}
		if n := len(set.Policies[0].TechnicalProfiles); left == 0 || n+left != 21 {
			t.Fatalf("with %d entries, %d profiles are read and %d left out", bound, n, left)
		}
	}
}

func TestIncludesInARowAreBounded(t *testing.T) {
	var body strings.Builder
	for i := range 20 {
		fmt.Fprintf(&body, "<TechnicalProfile Id=\"T%d\"><IncludeTechnicalProfile ReferenceId=\"T%d\"/></TechnicalProfile>\n", i, i+1)
	}
	body.WriteString(`<TechnicalProfile Id="T20"/>`)
	set := load(t, folder("p.xml", policy("P", "", profiles(body.String()))), trustframework.Options{})
	if len(set.Problems) == 0 || !strings.Contains(set.Problems[len(set.Problems)-1].Reason, "more than 16") {
		t.Errorf("problems are %v", set.Problems)
	}
}

func TestPoliciesAreFoundByIDOrByFolder(t *testing.T) {
	set := load(t, folder("a/p.xml", policy("Same", "", ""), "b/p.xml", policy("same", "", ""), "b/q.xml", policy("Single", "", ""), "outer.xml", policy("Outer", "", ""), "b/outer.xml", policy("Outer", "", "")), trustframework.Options{})
	if _, found := set.Policy("Same"); found {
		t.Error("a PolicyId of two folders is found without a folder")
	}
	for id, file := range map[string]string{"a/same": "a/p.xml", "B/Same": "b/p.xml", " SINGLE ": "b/q.xml", "outer": "outer.xml"} {
		if p, found := set.Policy(id); !found || p.At.File != file {
			t.Errorf("%q finds %+v, want that of %s", id, p, file)
		}
	}
}

// Policies that share a base share what they do not change of it.
func TestWhatIsInheritedUnchangedIsShared(t *testing.T) {
	base := profiles(`<TechnicalProfile Id="Common"/><TechnicalProfile Id="Kept"><IncludeTechnicalProfile ReferenceId="Common"/></TechnicalProfile><TechnicalProfile Id="Changed"/>`)
	set := load(t, folder("a.xml", policy("A", "", base), "b.xml", policy("B", "A", profiles(`<TechnicalProfile Id="Changed"><DisplayName>b</DisplayName></TechnicalProfile>`))), trustframework.Options{})
	a, b := set.Policies[0], set.Policies[1]
	for id, shared := range map[string]bool{"Kept": true, "Common": true, "Changed": false} {
		ofA, _ := a.TechnicalProfile(id)
		ofB, _ := b.TechnicalProfile(id)
		if ofA == nil || ofB == nil || (ofA == ofB) != shared {
			t.Errorf("%s is shared: %t, want %t", id, ofA == ofB, shared)
		}
	}
	if changed, _ := a.TechnicalProfile("Changed"); changed.DisplayName != "" {
		t.Error("the extension changed its base")
	}
}

func TestASetIsReadByManyAtOnce(t *testing.T) {
	set := load(t, chain(5, func(i int) string {
		return profiles(fmt.Sprintf(`<TechnicalProfile Id="T"><Metadata><Item Key="k%d">v</Item></Metadata></TechnicalProfile>`, i))
	}), trustframework.Options{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for i, p := range set.Policies {
				profile, _ := p.TechnicalProfile("t")
				if _, found := profile.Metadata.Get(fmt.Sprintf("K%d", i)); !found || len(profile.Metadata) != i+1 {
					t.Errorf("the metadata of %s are %v", p.ID, profile.Metadata)
				}
			}
		})
	}
	readers.Wait()
}

// The folder that an operator names is read from the disk, also as Kubernetes mounts it: each file a link into a hidden
// folder.
func TestAFolderOnDisk(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{"Base.XML": policy("Base", "", ""), "sub/ext.xml": policy("Ext", "Base", "")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "..data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "Base.XML"), filepath.Join(dir, "..data", "Base.XML")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..data", "Base.XML"), filepath.Join(dir, "Base.XML")); err != nil {
		t.Fatal(err)
	}
	set := load(t, os.DirFS(dir), trustframework.Options{})
	if p, found := set.Policy("ext"); !found || p.Base == nil || p.Base.At.File != "Base.XML" || len(set.Policies) != 2 {
		t.Errorf("the folder holds %v, with %v", set.Policies, set.Problems)
	}
	// What else lies there is not passed over.
	for name, to := range map[string]string{"linked": "sub", "nothing.xml": "nowhere", "folder.xml": "sub"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	set = load(t, closed{os.DirFS(dir), "sub/ext.xml"}, trustframework.Options{})
	refused(t, set, "folder.xml: it is no regular file; put the file itself here",
		"linked: it is a link to a folder, which is not followed; put the folder itself here",
		"nothing.xml: it is a link to nothing; put the file itself here",
		"sub/ext.xml: this user may not read it; let them, or take it out of the folder")
	if _, err := trustframework.Load(os.DirFS(filepath.Join(dir, "none")), trustframework.Options{}); err == nil {
		t.Error("a folder that is not there is read")
	}
}

// closed is a folder with a file that may not be read.
type closed struct {
	fs.FS
	name string
}

func (c closed) Open(name string) (fs.File, error) {
	if name == c.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return c.FS.Open(name)
}

// refused holds the problems of a set to a list.
func refused(t *testing.T, set *trustframework.Set, want ...string) {
	t.Helper()
	var got []string
	for _, p := range set.Problems {
		if p.Weight != trustframework.Refused {
			t.Errorf("%v is %s", p, p.Weight)
		}
		got = append(got, p.Error())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
