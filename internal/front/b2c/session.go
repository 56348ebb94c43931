package b2c

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

const (
	// maxToken bounds a session token in bytes.
	maxToken = 16 << 10
	// lifetime is how long after its beginning a session can be gone on with. B2C's own web session ends after 24 hours at
	// most (session-behavior.md); how long it keeps a journey that was not finished is UNCONFIRMED.
	lifetime = 24 * time.Hour
)

// bond is what a token is bound to: elsewhere it opens nothing.
type bond struct{ tenant, application, policy string }

// text is unlike that of any other bond: each part has its length before it.
func (b bond) text() string {
	policy := strings.ToLower(b.policy)
	return fmt.Sprintf("b2c session %d:%s %d:%s %d:%s", len(b.tenant), b.tenant, len(b.application), b.application, len(policy), policy)
}

// resume opens a token, or begins a session where there is none. One that has ended begins anew: its codes are not found,
// which the policy has words for (UserMessageIfSessionDoesNotExist). One that is not ours is the caller's mistake, and is
// refused in ours.
func (h *Handler) resume(token string, b bond) (*execute.Session, error) {
	if token == "" {
		return h.begin(b), nil
	}
	s, err := h.open(token, b)
	if err != nil {
		return nil, front.Problem{Status: http.StatusBadRequest, Code: "invalid_session", Title: "Session not valid",
			Detail: sessionMember + " is not a token that was answered for this policy to this application. Send it as it came, or leave it out to begin anew."}
	}
	if age := h.Now().Sub(s.Began); age > lifetime || age < -time.Minute {
		return h.begin(b), nil
	}
	if s.ID == "" && !h.ByIdentifier {
		s.ID = h.NewID() // it began while the setting was otherwise
	}
	return s, nil
}

func (h *Handler) begin(b bond) *execute.Session {
	s := &execute.Session{Policy: b.policy, Began: h.Now().UTC().Truncate(time.Second)}
	if !h.ByIdentifier {
		s.ID = h.NewID()
	}
	return s
}

// close makes a token of a session.
func (h *Handler) close(s *execute.Session, b bond) (string, error) {
	plain, err := json.Marshal(packed(s))
	if err != nil {
		return "", fmt.Errorf("pack session: %w", err)
	}
	sealed, err := h.Seal.Seal(plain, b.text())
	if err != nil {
		return "", fmt.Errorf("seal session: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(sealed)
	if len(token) > maxToken {
		return "", front.Problem{Status: http.StatusUnprocessableEntity, Code: "session_too_large", Title: "Session too large",
			Detail: fmt.Sprintf("The claims that the policy keeps make a session token of %d bytes, and %d is the most. Keep fewer or shorter output claims.", len(token), maxToken)}
	}
	return token, nil
}

func (h *Handler) open(token string, b bond) (*execute.Session, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("session token is longer than %d bytes", maxToken)
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err == nil && base64.RawURLEncoding.EncodeToString(sealed) != token {
		err = errors.New("line ends in it") // which the decoder skips
	}
	if err != nil {
		return nil, fmt.Errorf("session token: %w", err)
	}
	plain, err := h.Seal.Open(sealed, b.text())
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	var p packedSession
	if err := json.Unmarshal(plain, &p); err != nil {
		return nil, fmt.Errorf("unpack session: %w", err)
	}
	return p.unpack(b.policy)
}

// packedSession is a session within a token. The policy is not in it, since the token is bound to it.
type packedSession struct {
	ID       string                   `json:"i,omitempty"`
	Began    int64                    `json:"b"` // seconds since 1970
	Claims   []packedClaim            `json:"c,omitempty"`
	Opened   []string                 `json:"o,omitempty"`
	Controls map[string]packedControl `json:"d,omitempty"`
	Retries  map[string]int           `json:"r,omitempty"`
	User     string                   `json:"u,omitempty"`
	Device   string                   `json:"v,omitempty"`
}

type packedControl struct {
	Claims   []packedClaim `json:"c,omitempty"`
	Sent     bool          `json:"s,omitempty"`
	Verified bool          `json:"v,omitempty"`
}

// packedClaim is a claim with its type: a phone number that came back as a string would not be one any more.
type packedClaim struct {
	Name string     `json:"n"`
	Type claim.Type `json:"t,omitempty"`
	Text string     `json:"v,omitempty"`
	List []string   `json:"l,omitempty"`
}

func packed(s *execute.Session) packedSession {
	p := packedSession{ID: s.ID, Began: s.Began.Unix(), Claims: packedBag(&s.Claims), Opened: s.Opened,
		Retries: s.Retries, User: s.Device.User, Device: s.Device.ID}
	for id, c := range s.Controls {
		if p.Controls == nil {
			p.Controls = map[string]packedControl{}
		}
		p.Controls[id] = packedControl{packedBag(&c.Claims), c.Sent, c.Verified}
	}
	return p
}

func packedBag(b *claim.Bag) (list []packedClaim) {
	for name, v := range b.All() {
		c := packedClaim{Name: name, Type: v.Type()}
		switch c.Type {
		case claim.StringCollection:
			c.List = v.Items()
		case claim.String:
			c.Type = ""
			c.Text = v.String()
		default:
			c.Text = v.String()
		}
		list = append(list, c)
	}
	return list
}

func (p packedSession) unpack(policy string) (*execute.Session, error) {
	s := &execute.Session{ID: p.ID, Policy: policy, Began: time.Unix(p.Began, 0).UTC(), Opened: p.Opened, Retries: p.Retries,
		Device: execute.Device{User: p.User, ID: p.Device}}
	if err := unpackBag(p.Claims, &s.Claims); err != nil {
		return nil, err
	}
	for id, c := range p.Controls {
		control := &execute.Control{Sent: c.Sent, Verified: c.Verified}
		if err := unpackBag(c.Claims, &control.Claims); err != nil {
			return nil, err
		}
		if s.Controls == nil {
			s.Controls = map[string]*execute.Control{}
		}
		s.Controls[id] = control
	}
	return s, nil
}

func unpackBag(list []packedClaim, into *claim.Bag) error {
	for _, c := range list {
		v, err := claim.List(c.List...), error(nil)
		if c.Type != claim.StringCollection {
			v, err = claim.Parse(claim.TypeOf(string(c.Type)), c.Text)
		}
		if err != nil {
			return fmt.Errorf("unpack claim %s: %w", c.Name, err)
		}
		into.Set(c.Name, v)
	}
	return nil
}
