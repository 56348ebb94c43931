package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/otpost/otpost/internal/extension"
)

// longCodes are not found anywhere by chance, as six digits are in a file full of times and random bytes.
var longCodes = settings{"code_alphabet": "A-Z2-9", "code_length": "12", "resend_interval": "0s"}

// forms are a secret as itself, in small letters, in hexadecimal and in base64 at each of its three alignments.
func forms(secret string) map[string][]byte {
	all := map[string][]byte{
		"plain":     []byte(secret),
		"lowercase": []byte(strings.ToLower(secret)),
		"hex":       []byte(hex.EncodeToString([]byte(secret))),
		"HEX":       []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
		"spaced":    []byte(strings.Join(strings.Split(secret, ""), "\x00")), // UTF-16
	}
	for shift := range 3 {
		// What stands before and after decides the characters at the edges, so they are left out.
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		from, to := (shift*8+5)/6, (shift+len(secret))*8/6
		all[fmt.Sprintf("base64 shifted by %d", shift)] = []byte(encoded[from:to])
	}
	return all
}

// found says which of the secrets are in the haystack, and in which form.
func found(haystack []byte, secrets []string) (finds []string) {
	for _, secret := range secrets {
		for form, needle := range forms(secret) {
			if i := bytes.Index(haystack, needle); i >= 0 {
				around := haystack[max(0, i-60):min(len(haystack), i+len(needle)+60)]
				finds = append(finds, fmt.Sprintf("%s (%s) in %q", secret, form, around))
			}
		}
	}
	return finds
}

func TestTheSearchFindsEachForm(t *testing.T) {
	const secret = "QK7WZ2PA9XTM"
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte("abc"[:shift] + secret + "and more"))
		if found([]byte(text), []string{secret}) == nil {
			t.Errorf("not found in base64 that is shifted by %d: %s", shift, text)
		}
	}
	for _, text := range []string{"a " + secret + " b", strings.ToLower(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
		if found([]byte(text), []string{secret}) == nil {
			t.Errorf("not found in %q", text)
		}
	}
}

// contents are the bytes of the database: SQLite's file and what lies beside it, or all rows of PostgreSQL.
func (db *database) contents(t testing.TB) []byte {
	t.Helper()
	var all bytes.Buffer
	if db.kind() == "sqlite" {
		files, err := filepath.Glob(db.file() + "*")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	} else {
		for _, table := range tables() {
			for _, row := range db.texts(t, "SELECT r::text FROM "+table+" r") {
				all.WriteString(row + "\n")
			}
		}
	}
	if all.Len() < 1000 {
		t.Fatalf("the database is %d bytes: nothing was searched", all.Len())
	}
	return all.Bytes()
}

// secrets are what a run of all flows must not leave behind.
type secrets struct {
	mu               sync.Mutex
	codes, addresses []string
}

func (s *secrets) code(code string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes = append(s.codes, code)
	return code
}

func (s *secrets) address(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addresses = append(s.addresses, name+"@example.test")
	return name + "@example.test"
}

func TestNoCodeIsLeftBehind(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		k, who := startSink(t, ""), newIssuer(t)
		k.answer(-1)
		set := db.settings().with(k.settings(), who.settings(), longCodes)
		key := createKey(t, set, "Shop")
		var s secrets
		for _, format := range []string{"json", "text"} {
			p := start(t, set.with(settings{"log_format": format}))
			allFlows(t, p, k, newClient(t, p, key), who, &s, format)
			await(t, "every delivery to end", func() bool {
				return db.number(t, `SELECT COUNT(*) FROM deliveries WHERE ended_at = 0`) == 0
			})
			places := map[string][]byte{"database": db.contents(t)}
			for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
				got, err := p.get(path)
				if err != nil || got.status != 200 {
					t.Fatalf("%s: %v %v", path, got, err)
				}
				places[path] = got.body
			}
			p.stop()
			places["database after the stop"], places["log"] = db.contents(t), p.log.bytes()
			for place, text := range places {
				for _, find := range found(text, s.codes) {
					t.Errorf("%s, log format %s: found %s", place, format, find)
				}
			}
			for place, text := range map[string][]byte{"log": places["log"], "/metrics": places["/metrics"]} {
				for _, find := range found(bytes.ToLower(text), s.addresses) {
					t.Errorf("%s, log format %s: found %s", place, format, find)
				}
			}
			if len(s.codes) < 6 || len(p.log.lines("delivery attempt")) < 6 {
				t.Errorf("only %d codes and %d attempts: the flows did not run", len(s.codes), len(p.log.lines("delivery attempt")))
			}
		}
		provePlants(t, db, set, s.codes[0])
	})
}

// allFlows does everything that handles a code.
func allFlows(t *testing.T, p *server, k *sink, c *client, who *issuer, s *secrets, run string) {
	t.Helper()
	take := func(to string) string { return s.code(k.to(t, to, 1)[0].code) }

	verified := s.address("verified." + run)
	made := c.issue(verified, `,"metadata":{"order":"7"}`)
	code := take(verified)
	if v := c.verify(made.ID, "WRONGWRONG22"); v.Reason != "wrong_code" {
		t.Errorf("a wrong code: %+v", v)
	}
	c.refused("POST", "/v1/passcodes/"+made.ID+"/verify", fmt.Sprintf(`{"code":%q,"extra":%q}`, code, code), 422)
	c.refused("POST", "/v1/passcodes/"+made.ID+"/verify", fmt.Sprintf(`{"code":%q`, code), 400)
	if v := c.verify(made.ID, strings.ToLower(code)); !v.Verified {
		t.Errorf("the right code: %+v", v)
	}
	c.verify(made.ID, code)

	resent := s.address("resent." + run)
	made = c.issue(resent, "")
	take(resent)
	call[passcode](c, "POST", "/v1/passcodes/"+made.ID+"/resend", "", 200)
	k.to(t, resent, 2)

	cancelled := s.address("cancelled." + run)
	made = c.issue(cancelled, "")
	take(cancelled)
	call[passcode](c, "DELETE", "/v1/passcodes/"+made.ID, "", 200)

	locked := s.address("locked." + run)
	made = c.issue(locked, "")
	take(locked)
	c.tryAll(made.ID, 8, func(i int) string { return fmt.Sprintf("WRONGWRONG%02d", 22+i) })

	// A provider that repeats what it was given: the address, and the subject with the code.
	refused := s.address("refused." + run)
	k.refuseWith(func(to string) error {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<" + to + ">: " + to + " is unknown"}
	})
	c.issue(refused, `,"wait_ms":10000`)
	k.refuseWith(nil)
	rejected := s.address("rejected." + run)
	k.rejectWith(func(m message) error {
		s.code(m.code)
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1},
			Message: fmt.Sprintf("to %s: %q looks like spam (%s)", m.to, m.code+" is your Shop code", m.code)}
	})
	if made := c.issue(rejected, `,"wait_ms":10000`); made.Delivery.State != "failed" {
		t.Errorf("got %+v, want a refused message", made)
	}
	k.rejectWith(nil)

	relayed := s.address("relayed." + run)
	brought := s.code("EntraBrought" + map[string]string{"json": "7XQ4", "text": "9ZK2"}[run])
	if got, err := p.post(event(relayed, brought, "en-us"), who.token(extension.Grant{})); err != nil || got.status != 200 {
		t.Errorf("relay: %v %v", got, err)
	}
	k.to(t, relayed, 1)
	bad := strings.Replace(event(relayed, brought, "en-us"), `"identifier"`, `"identity"`, 1)
	if got, err := p.post(bad, who.token(extension.Grant{})); err != nil || got.status != 400 {
		t.Errorf("bad event: %v %v", got, err)
	}
}

// provePlants puts a code where the program did not, and looks again.
func provePlants(t *testing.T, db *database, set settings, code string) {
	t.Helper()
	p := start(t, set)
	r, err := newClient(t, p, "").planted(code)
	if err != nil || r.status != 401 {
		t.Fatalf("got %v, %v", r, err)
	}
	p.stop()
	if found(p.log.bytes(), []string{code}) == nil {
		t.Error("a code in the log is not found")
	}
	if _, err := db.sql.Exec(`UPDATE attempts SET detail = $1`, code); err != nil {
		t.Fatal(err)
	}
	if found(db.contents(t), []string{code}) == nil {
		t.Error("a code in the database is not found")
	}
}
