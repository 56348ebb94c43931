package b2c

import (
	"net/http"
	"strings"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

const (
	cookieName = "otpost_b2c"
	// maxCookie is what a browser keeps for sure, with room for name and attributes (RFC 6265 §6.1: 4096 bytes).
	maxCookie = 3800
)

// journey is the session that the browser has for the policy. One that cannot be read any more begins anew. Codes of pages
// always belong to a session: who is at a page has not shown who they are.
func (p *pages) journey(v *visit) *execute.Session {
	if cookie, err := v.r.Cookie(cookieName); err == nil {
		if s, err := p.resume(cookie.Value, v.bond); err == nil && s.ID != "" {
			return s
		}
	}
	return p.fresh(v)
}

func (p *pages) fresh(v *visit) *execute.Session {
	s := p.begin(v.bond)
	if s.ID == "" {
		s.ID = p.NewID()
	}
	return s
}

// keep gives the browser the session back, for all pages of the policy.
func (p *pages) keep(v *visit) error {
	token, err := p.close(v.request.Session, v.bond)
	if err != nil {
		return err
	}
	if len(token) > maxCookie {
		return front.Problem{Status: http.StatusUnprocessableEntity, Code: "session_too_large", Title: "Session too large",
			Detail: "The policy keeps more than a browser's cookie holds. Call it over the API instead."}
	}
	http.SetCookie(v.w, &http.Cookie{Name: cookieName, Value: token, Path: folderOf(v.r.URL.EscapedPath()), HttpOnly: true,
		Secure: p.Secure, SameSite: http.SameSiteLaxMode, MaxAge: int(lifetime.Seconds())})
	return nil
}

// folderOf is /b2c/POLICY of the path of a page.
func folderOf(path string) string {
	parts := strings.SplitN(path, "/", 4)
	return strings.Join(parts[:3], "/")
}
