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
	plain, err := json.Marshal(s)
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
	s := &execute.Session{}
	if err := json.Unmarshal(plain, s); err != nil {
		return nil, fmt.Errorf("unpack session: %w", err)
	}
	return s, nil
}
