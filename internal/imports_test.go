package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/otpost/otpost/"

// room says what one room may know of ours. A room that is not in the table may not exist.
type room struct {
	name string
	// may are the rooms it may import.
	may []string
	// because is the sentence that an import beside these breaks.
	because string
}

// table is who may import whom: meaning does not import machinery, doors do not know each other, only the program
// knows all.
var table = []room{
	{"outbox", nil, "outbox is a word that others are built on: it knows no passcode, no provider and no database."},
	{"locale", nil, "locale speaks languages and knows nothing of what is said."},
	{"access", nil, "access says who is calling, whatever they call for."},
	{"seal", nil, "seal handles bytes and keys; what they mean is others' business."},
	{"config", []string{"suggest"}, "config is read before anything else exists, so it knows only values."},
	{"extension", nil, "extension is Entra's contract in both directions; an engine has no place in it."},
	{"redact", nil, "redact must be usable by everybody, so it may know nobody."},
	{"faultpoint", nil, "faultpoint is nothing but a name in every other room, so it may know none."},

	{"authenticator", []string{"digit", "outbox", "qr"}, "authenticator decides which code of a device is taken: stores and doors come to it by interfaces of its own."},
	{"compose", []string{"outbox", "locale", "compose/liquid"}, "compose turns words into an outbox message, and decides nothing."},
	{"compose/liquid", []string{"suggest"}, "liquid is a language: it knows neither what is said in it nor to whom."},
	{"passcode", []string{"digit", "outbox"}, "passcode is the engine: stores, providers and doors come to it by interfaces of its own."},
	{"provider", []string{"egress", "suggest", "outbox", "extension"}, "a provider carries outbox messages; it knows no passcode and no store."},
	{"qr", nil, "qr draws any text, and knows nothing of what it says."},
	{"digit", nil, "digit knows how numbers are written, and not what they are for."},
	{"egress", nil, "egress judges where a connection goes, whoever asks for it and whatever it carries."},
	{"suggest", nil, "suggest compares names, whatever they name."},
	{"registry", []string{"suggest", "outbox", "passcode", "provider", "compose", "locale"},
		"registry holds the settings that change and checks them with the rooms they are for; it knows no door and no database."},
	{"doctor", []string{"outbox", "provider"}, "doctor examines what it is given; who gives it, and who reads what it found, is others' business."},
	{"store", []string{"authenticator", "passcode", "outbox", "access", "registry"}, "store implements the interfaces of the rooms it serves, and no door's."},
	{"trustframework", nil, "trustframework reads policies; what runs them comes to it, and it knows no engine, provider or door."},
	{"trustframework/accounts", []string{"egress", "suggest", "trustframework", "trustframework/execute"},
		"accounts asks the owner's service for people; it knows no engine and no door."},
	{"trustframework/claim", nil, "a claim is a value under a name; what is done with it is others' business."},
	{"trustframework/predicate", []string{"suggest", "trustframework", "trustframework/claim"}, "a predicate looks at one value, and reaches nobody."},
	{"trustframework/transform", []string{"digit", "suggest", "trustframework", "trustframework/claim", "trustframework/predicate"}, "a claims transformation computes claims from claims, and reaches nobody."},
	{"trustframework/wording", nil, "wording has texts in languages, and does not know when they are said."},
	{"trustframework/execute", []string{"trustframework", "trustframework/claim", "trustframework/predicate", "trustframework/transform", "trustframework/wording"},
		"execute runs what a policy says around its profiles; what a profile does comes to it as a handler."},
	{"trustframework/mfa", []string{"authenticator", "outbox", "passcode", "suggest", "trustframework", "trustframework/claim", "trustframework/execute"},
		"mfa turns what one kind of profile says into words of the engines: it knows no store, no provider and no door."},
	{"trustframework/otp", []string{"suggest", "outbox", "passcode", "trustframework", "trustframework/claim", "trustframework/execute"},
		"otp does what one kind of profile is for, with the engine's words: no store, no provider, no door, no other handler."},
	{"trustframework/restful", []string{"egress", "suggest", "trustframework", "trustframework/claim", "trustframework/execute"},
		"restful calls services as a policy says; it knows neither what a code is nor who delivers it."},
	{"trustframework/review", []string{"suggest", "trustframework", "trustframework/execute", "trustframework/predicate", "trustframework/transform"},
		"review tells before anything is run, so it knows what runs policies and nothing that does what they ask for."},

	{"front", []string{"access", "locale"}, "front is how doors are mounted; what a door says is the door's."},
	{"front/auth0", []string{"front", "access", "outbox", "registry", "suggest"},
		"a door knows the corridor and the settings it changes, never the store, another door or another protocol."},
	{"front/b2c", []string{"front", "access", "suggest", "trustframework", "trustframework/claim", "trustframework/execute"},
		"the door of policies knows what a policy holds and who runs it, never what runs within: no engine, no handler, no store, no other door."},
	{"front/rest", []string{"front", "authenticator", "passcode", "access", "outbox", "locale", "suggest"},
		"a door knows the corridor and the engine's words, never the store, another door or another protocol."},
	{"front/entra", []string{"front", "passcode", "access", "outbox", "locale", "extension"},
		"a door knows the corridor and the engine's words, never the store, another door or another protocol."},
	{"front/admin", []string{"front", "access", "registry", "provider", "passcode", "outbox"},
		"the operators' door knows what settings are and nothing of what they are for, so that a new kind needs no new code; of messages it knows who is not sent any, never the store or another door."},
	{"front/inbox", []string{"front", "passcode", "access", "outbox", "locale"},
		"a door knows the corridor and the engine's words, never the store, another door or another protocol."},
	{"front/receipts", []string{"front", "provider", "outbox"},
		"the door of vendors' reports knows how a report is read and hands it on: no engine, no store, no other door."},
	{"front/trial", []string{"front", "access", "passcode", "outbox", "provider"},
		"a door knows the corridor and the engine's words, never the store, another door or another protocol."},

	{"extension/emulate", []string{"extension"}, "the emulator plays the other side: it may know the contract, not our receiver."},

	// For tests alone; see testOnly.
	{"store/storetest", []string{"store", "authenticator", "passcode", "outbox", "access", "seal", "registry"}, "storetest is the exam of a store and of nothing else."},
	{"passcode/passcodetest", []string{"outbox", "passcode", "seal", "store"}, "passcodetest has the engine run, whatever is asked of it: it knows no door and no provider of messages."},
	{"store/pgtest", nil, "pgtest starts a database server and knows nothing of what is kept in it."},
	{"provider/nameserver", nil, "nameserver answers questions of tests and knows nobody who asks."},
	{"provider/published", nil, "published holds requests to what vendors publish, and does not know who asks."},
	{"qr/qrtest", nil, "qrtest reads what qr drew without knowing how."},
	{"front/conversation", nil, "conversation replays any door, and knows none."},
	{"extension/bubble", nil, "bubble is a network for tests and knows no protocol."},
	{"trustframework/golden", nil, "golden compares texts, and does not know what made them."},
	{"trustframework/packs", []string{"trustframework"}, "packs reads what others published; what is held of it is the tests' business."},
	{"trustframework/vendors", nil, "vendors refuses what the services of others refuse, and does not know who asks."},
	{"trustframework/exam", nil, "exam is tests alone: what they know nobody else learns."},
}

// marks are rooms that any room may import: they are nothing in the program that is shipped.
var marks = []string{"faultpoint"}

// testOnly are packages that only tests may import, with path below the module.
var testOnly = []string{"internal/passcode/passcodetest", "internal/store/storetest", "internal/store/pgtest", "internal/extension/bubble", "internal/front/conversation", "internal/provider/nameserver", "internal/provider/published", "internal/trustframework/exam", "internal/trustframework/golden", "internal/trustframework/packs", "internal/trustframework/vendors",
	"internal/qr/qrtest",
	"e2e/browser",
	"e2e/mailserver",
	"proof/rig"}

// machinery are packages of others that a room of meaning may not import.
var machinery = map[string][]string{
	"authenticator":  {"net/http", "database/sql"},
	"outbox":         {"net/http", "database/sql"},
	"passcode":       {"net/http", "database/sql"},
	"compose":        {"net/http", "database/sql"},
	"compose/liquid": {"net/http", "database/sql", "os", "os/exec", "path/filepath", "html/template", "text/template"},
	"locale":         {"net/http", "database/sql"},
	"access":         {"net/http", "database/sql"},
	"seal":           {"net/http", "database/sql"},
	"trustframework": {"net/http", "database/sql", "os", "os/exec", "path/filepath"},

	"trustframework/accounts":  {"database/sql", "os", "os/exec", "path/filepath"},
	"trustframework/restful":   {"database/sql", "os", "os/exec", "path/filepath"},
	"trustframework/claim":     {"net/http", "database/sql", "os", "os/exec", "path/filepath"},
	"trustframework/predicate": {"net/http", "database/sql", "os", "os/exec", "path/filepath"},
	"trustframework/transform": {"net/http", "database/sql", "os", "os/exec", "path/filepath"},
	"trustframework/execute":   {"net/http", "database/sql", "os", "os/exec", "path/filepath"},
	"trustframework/mfa":       {"net/http", "database/sql", "os", "os/exec", "path/filepath"},
	"trustframework/otp":       {"net/http", "database/sql", "os", "os/exec", "path/filepath"},
	"trustframework/review":    {"net/http", "database/sql", "os", "os/exec", "path/filepath"},
}

// listed is one package of ours as go list tells it.
type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func (l listed) path() string { return strings.TrimPrefix(l.ImportPath, module) }

// packages asks go for every package of ours.
func packages(t *testing.T) []listed {
	t.Helper()
	openFolders(t)
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []listed
	for in := json.NewDecoder(strings.NewReader(string(out))); ; {
		var l listed
		if err := in.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	if len(all) < len(table) {
		t.Fatalf("go list named %d packages, want at least the %d rooms", len(all), len(table))
	}
	return all
}

// openFolders opens every folder of the module. Go caches a test's result for as long as the files that the test opened
// are the same, and does not see what go list opens.
func openFolders(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == ".git" {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ours are the imports that are packages of this module, without its path.
func ours(imports []string) []string {
	var found []string
	for _, path := range imports {
		if rest, ok := strings.CutPrefix(path, module); ok {
			found = append(found, rest)
		}
	}
	return found
}

func roomOf(path string) (room, bool) {
	name, inside := strings.CutPrefix(path, "internal/")
	i := slices.IndexFunc(table, func(r room) bool { return r.name == name })
	if !inside || i < 0 {
		return room{}, false
	}
	return table[i], true
}

// isDoor reports whether path is a door: a room within the corridor.
func isDoor(path string) bool { return strings.HasPrefix(path, "internal/front/") }

func TestRoomsImportOnlyWhatTheTableAllows(t *testing.T) {
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.path(), "internal/") {
			continue
		}
		r, known := roomOf(p.path())
		if !known {
			t.Errorf("%s is in no row of the table: say what it may import, and why", p.path())
			continue
		}
		for _, path := range ours(p.Imports) {
			if name := strings.TrimPrefix(path, "internal/"); !slices.Contains(r.may, name) && !slices.Contains(marks, name) {
				t.Errorf("%s imports %s: %s", p.path(), path, r.because)
			}
		}
		for _, path := range machinery[r.name] {
			if slices.Contains(p.Imports, path) {
				t.Errorf("%s imports %s: meaning does not import machinery.", p.path(), path)
			}
		}
	}
}

func TestEveryRowOfTheTableIsARoom(t *testing.T) {
	all := packages(t)
	for _, r := range table {
		if !slices.ContainsFunc(all, func(p listed) bool { return p.path() == "internal/"+r.name }) {
			t.Errorf("the table speaks of %s, and there is no such room", r.name)
		}
	}
}

func TestTheProgramIsNobodysLibrary(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range ours(slices.Concat(p.Imports, p.TestImports, p.XTestImports)) {
			if strings.HasPrefix(path, "cmd/") && p.path() != path {
				t.Errorf("%s imports %s: the program knows all, so nobody may know the program.", p.path(), path)
			}
		}
	}
}

func TestTheBenchMeasuresFromOutside(t *testing.T) {
	for _, p := range packages(t) {
		benches := p.path() == "bench" || strings.HasPrefix(p.path(), "bench/")
		for _, path := range ours(slices.Concat(p.Imports, p.TestImports, p.XTestImports)) {
			switch fromBench := strings.HasPrefix(path, "bench/"); {
			case benches && !fromBench:
				t.Errorf("%s imports %s: the bench meets otpost as an application does, over the network.", p.path(), path)
			case !benches && fromBench:
				t.Errorf("%s imports %s: nothing of otpost depends on how it is measured.", p.path(), path)
			}
		}
	}
}

func TestPackagesForTestsAreImportedByTestsAlone(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range ours(p.Imports) {
			if slices.Contains(testOnly, path) && !slices.Contains(testOnly, p.path()) {
				t.Errorf("%s imports %s: what exists for tests does not get into the program.", p.path(), path)
			}
		}
	}
}

// Tests use real things, so a room's tests may know more than the room: any store, any engine. The doors are the
// exception, since a door that is tested with another would soon need it.
func TestTestsOfADoorKnowNoOtherDoor(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range ours(slices.Concat(p.TestImports, p.XTestImports)) {
			if isDoor(p.path()) && isDoor(path) && path != p.path() && !slices.Contains(testOnly, path) {
				t.Errorf("the tests of %s import %s: doors do not know each other.", p.path(), path)
			}
			if isDoor(p.path()) && path == "internal/store" {
				t.Errorf("the tests of %s import %s: a door is tested against the engine's words, by a stub or the engine.", p.path(), path)
			}
		}
	}
}
