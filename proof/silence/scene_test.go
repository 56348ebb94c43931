package silence_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/proof/rig"
)

// scene is a server in front of which known and unknown people are made up. All addresses have one length.
type scene struct {
	t      *testing.T
	db     *rig.Database
	p      *rig.Server
	wire   *wire
	client *rig.Client
	sink   *rig.Sink
	issuer *rig.Issuer

	// key is an application's, other another application's of the same tenant, revoked was one.
	key, other, revoked string
	made                int
}

const functionKey = "the function's own key"

func setScene(t *testing.T, db *rig.Database) *scene {
	t.Helper()
	s := &scene{t: t, db: db, sink: rig.StartSink(t, ""), issuer: rig.NewIssuer(t)}
	s.sink.Answer(-1)
	s.sink.RefuseWith(func(to string) error {
		if strings.HasPrefix(to, "nobody") {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
		}
		return nil
	})
	set := db.Settings().With(s.sink.Settings(), s.issuer.Settings(),
		rig.Settings{"resend_interval": "0s", "entra_function_key": functionKey, "entra_budget": "10s"})
	s.key, s.other, s.revoked = rig.CreateKey(t, set, "Shop"), rig.CreateKey(t, set, "Till"), rig.CreateKey(t, set, "Gone")
	gone := db.Texts(t, `SELECT k.id FROM keys k JOIN applications a ON a.id = k.application WHERE a.name = 'Gone'`)[0]
	if _, complaint, code := rig.Run(t, set, "key", "revoke", gone); code != 0 {
		t.Fatalf("revoke: %s", complaint)
	}
	s.p = rig.Start(t, set)
	s.client, s.wire = rig.NewClient(t, s.p, s.key), dial(t, s.p.Public)
	return s
}

// person is somebody who has a mailbox and whom otpost has never heard of.
func (s *scene) person() string {
	s.made++
	return fmt.Sprintf("person%06d@example.test", s.made)
}

// nobody is an address whose mail server says that there is no such mailbox.
func (s *scene) nobody() string { return strings.Replace(s.person(), "person", "nobody", 1) }

// known is a person who has proved a passcode before.
func (s *scene) known() string {
	s.t.Helper()
	to := s.person()
	id := s.pending(to)
	if v := s.client.Verify(id, s.code(to)); !v.Verified {
		s.t.Fatalf("the right code: %+v", v)
	}
	return to
}

// pending issues a passcode and waits until the mail server has answered.
func (s *scene) pending(to string) (id string) {
	s.t.Helper()
	return s.client.IssueAndWait(to, "").ID
}

// code is the newest code that a person got.
func (s *scene) code(to string) string {
	s.t.Helper()
	mails := s.sink.To(s.t, to, 1)
	return mails[len(mails)-1].Code
}

// strange is the id of a passcode of another tenant.
func (s *scene) strange(to string) (id string) {
	s.t.Helper()
	id = s.pending(to)
	s.exec(`UPDATE challenges SET tenant = 'other' WHERE id = $1`, id)
	return id
}

func (s *scene) exec(query string, args ...any) {
	s.t.Helper()
	if _, err := s.db.SQL.Exec(query, args...); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
}

// wrong tries so many wrong codes.
func (s *scene) wrong(id string, n int) {
	s.t.Helper()
	for range n {
		s.client.Verify(id, "not it")
	}
}

// nothing has the form of an id and is none.
const nothing = "pc_0000000000aaaaaaaaaaaaaaaa"

func (s *scene) issue(to string, more ...string) *request {
	return &request{method: "POST", path: "/v1/passcodes", key: s.key, own: []string{to},
		body: fmt.Sprintf(`{"to":%q%s}`, to, strings.Join(more, ""))}
}

func (s *scene) verify(id, code string) *request {
	return &request{method: "POST", path: "/v1/passcodes/" + id + "/verify", key: s.key, body: fmt.Sprintf(`{"code":%q}`, code)}
}

func (s *scene) verifyTo(to, code, purpose string) *request {
	return &request{method: "POST", path: "/v1/passcodes/verify", key: s.key,
		body: fmt.Sprintf(`{"to":%q,"code":%q,"purpose":%q}`, to, code, purpose)}
}

func (s *scene) resend(id string, to string) *request {
	return &request{method: "POST", path: "/v1/passcodes/" + id + "/resend", key: s.key, own: []string{to}}
}

func (s *scene) cancel(id string, to string) *request {
	return &request{method: "DELETE", path: "/v1/passcodes/" + id, key: s.key, own: []string{to}}
}

func (s *scene) status(id string, to string) *request {
	return &request{method: "GET", path: "/v1/passcodes/" + id, key: s.key, own: []string{to}}
}

// event is Entra's call with a token.
func (s *scene) event(to, token string) *request {
	s.made++
	return &request{method: "POST", path: "/entra/otp-send", key: token, header: []string{"X-Functions-Key: " + functionKey},
		body: rig.Event(to, fmt.Sprintf("%08d", s.made), "en-us")}
}

func (s *scene) token() string { return s.issuer.Token(extension.Grant{}) }

// as is a request with another key.
func (r *request) as(key string) *request {
	r.key = key
	return r
}
