package e2e_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/otpost/otpost/proof/rig"

	"github.com/emersion/go-smtp"

	"github.com/otpost/otpost/internal/extension"
)

func TestTheSearchFindsEachForm(t *testing.T) {
	const secret = "QK7WZ2PA9XTM"
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte("abc"[:shift] + secret + "and more"))
		if rig.Found([]byte(text), []string{secret}) == nil {
			t.Errorf("not found in base64 that is shifted by %d: %s", shift, text)
		}
	}
	for _, text := range []string{"a " + secret + " b", strings.ToLower(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
		if rig.Found([]byte(text), []string{secret}) == nil {
			t.Errorf("not found in %q", text)
		}
	}
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
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		k, who := rig.StartSink(t, ""), rig.NewIssuer(t)
		k.Answer(-1)
		set := db.Settings().With(k.Settings(), who.Settings(), rig.LongCodes, rig.Settings{"entra_budget": "10s"})
		key := rig.CreateKey(t, set, "Shop")
		var s secrets
		for _, format := range []string{"json", "text"} {
			p := rig.Start(t, set.With(rig.Settings{"log_format": format}))
			allFlows(t, p, k, rig.NewClient(t, p, key), who, &s, format)
			rig.Await(t, "every delivery to end", func() bool {
				return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE ended_at = 0`) == 0
			})
			places := map[string][]byte{"database": db.Contents(t)}
			for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
				places[path] = p.Shown(t, path).Body
			}
			p.Stop()
			places["database after the stop"], places["log"] = db.Contents(t), p.Log.Bytes()
			for place, text := range places {
				for _, find := range rig.Found(text, s.codes) {
					t.Errorf("%s, log format %s: found %s", place, format, find)
				}
			}
			for place, text := range map[string][]byte{"log": places["log"], "/metrics": places["/metrics"]} {
				for _, find := range rig.Found(bytes.ToLower(text), s.addresses) {
					t.Errorf("%s, log format %s: found %s", place, format, find)
				}
			}
			if len(s.codes) < 6 || len(p.Log.Lines("delivery attempt")) < 6 {
				t.Errorf("only %d codes and %d attempts: the flows did not run", len(s.codes), len(p.Log.Lines("delivery attempt")))
			}
		}
		provePlants(t, db, set, s.codes[0])
	})
}

// allFlows does everything that handles a code.
func allFlows(t *testing.T, p *rig.Server, k *rig.Sink, c *rig.Client, who *rig.Issuer, s *secrets, run string) {
	t.Helper()
	take := func(to string) string { return s.code(k.To(t, to, 1)[0].Code) }

	verified := s.address("verified." + run)
	made := c.Issue(verified, `,"metadata":{"order":"7"}`)
	code := take(verified)
	if v := c.Verify(made.ID, "WRONGWRONG22"); v.Reason != "wrong_code" {
		t.Errorf("a wrong code: %+v", v)
	}
	c.Refused("POST", "/v1/passcodes/"+made.ID+"/verify", fmt.Sprintf(`{"code":%q,"extra":%q}`, code, code), 422)
	c.Refused("POST", "/v1/passcodes/"+made.ID+"/verify", fmt.Sprintf(`{"code":%q`, code), 400)
	if v := c.Verify(made.ID, strings.ToLower(code)); !v.Verified {
		t.Errorf("the right code: %+v", v)
	}
	c.Verify(made.ID, code)

	resent := s.address("resent." + run)
	made = c.Issue(resent, "")
	take(resent)
	rig.Call[rig.Passcode](c, "POST", "/v1/passcodes/"+made.ID+"/resend", "", 200)
	k.To(t, resent, 2)

	cancelled := s.address("cancelled." + run)
	made = c.Issue(cancelled, "")
	take(cancelled)
	rig.Call[rig.Passcode](c, "DELETE", "/v1/passcodes/"+made.ID, "", 200)

	locked := s.address("locked." + run)
	made = c.Issue(locked, "")
	take(locked)
	c.TryAll(made.ID, 8, func(i int) string { return fmt.Sprintf("WRONGWRONG%02d", 22+i) })

	// A provider that repeats what it was given: the address, and the subject with the code.
	refused := s.address("refused." + run)
	k.RefuseWith(func(to string) error {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<" + to + ">: " + to + " is unknown"}
	})
	c.IssueAndWait(refused, "")
	k.RefuseWith(nil)
	rejected := s.address("rejected." + run)
	k.RejectWith(func(m rig.Message) error {
		s.code(m.Code)
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1},
			Message: fmt.Sprintf("to %s: %q looks like spam (%s)", m.To, m.Code+" is your Shop code", m.Code)}
	})
	if made := c.IssueAndWait(rejected, ""); made.Delivery.State != "failed" {
		t.Errorf("got %+v, want a refused message", made)
	}
	k.RejectWith(nil)

	relayed := s.address("relayed." + run)
	brought := s.code("EntraBrought" + map[string]string{"json": "7XQ4", "text": "9ZK2"}[run])
	if got, err := p.Post(rig.Event(relayed, brought, "en-us"), who.Token(extension.Grant{})); err != nil || got.Status != 200 {
		t.Errorf("relay: %v %v", got, err)
	}
	k.To(t, relayed, 1)
	bad := strings.Replace(rig.Event(relayed, brought, "en-us"), `"identifier"`, `"identity"`, 1)
	if got, err := p.Post(bad, who.Token(extension.Grant{})); err != nil || got.Status != 400 {
		t.Errorf("bad event: %v %v", got, err)
	}
}

// provePlants puts a code where the program did not, and looks again.
func provePlants(t *testing.T, db *rig.Database, set rig.Settings, code string) {
	t.Helper()
	p := rig.Start(t, set)
	r, err := rig.NewClient(t, p, "").Planted(code)
	if err != nil || r.Status != 401 {
		t.Fatalf("got %v, %v", r, err)
	}
	p.Stop()
	if rig.Found(p.Log.Bytes(), []string{code}) == nil {
		t.Error("a code in the log is not found")
	}
	if _, err := db.SQL.Exec(`UPDATE attempts SET detail = $1`, code); err != nil {
		t.Fatal(err)
	}
	if rig.Found(db.Contents(t), []string{code}) == nil {
		t.Error("a code in the database is not found")
	}
}
