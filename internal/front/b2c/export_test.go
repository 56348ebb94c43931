package b2c

import (
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// Token makes a token of a session, and Session opens one.
func (h *Handler) Token(s *execute.Session, tenant, application, policy string) (string, error) {
	return h.close(s, bond{tenant, application, policy})
}

func (h *Handler) Session(token, tenant, application, policy string) (*execute.Session, error) {
	return h.resume(token, bond{tenant, application, policy})
}
