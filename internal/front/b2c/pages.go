package b2c

import (
	"embed"
	"errors"
	"net/http"
	"strings"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

//go:embed *.html
var pageFiles embed.FS

// The paths of pages. A profile's page posts to a path of its own, since that of the profile itself is for calls.
const (
	listPattern        = "GET /b2c"
	controlPagePattern = "/b2c/{policy}/displaycontrols/{id}"
	profilePagePattern = "/b2c/{policy}/technicalprofiles/{id}"
	profilePostSuffix  = "/page"
)

// pages show what B2C's own pages show of a policy, as forms without a script.
type pages struct {
	*Handler
	list  *front.Page[listPage]
	sheet *front.Page[sheet]
	// origin refuses posts that another site's page makes a browser send.
	origin *http.CrossOriginProtection
}

func (h *Handler) mountPages(routes front.Routes) (err error) {
	p := &pages{Handler: h, origin: http.NewCrossOriginProtection()}
	if p.list, err = front.NewPage[listPage](h.Shell, pageFiles, "list.html"); err != nil {
		return err
	}
	if p.sheet, err = front.NewPage[sheet](h.Shell, pageFiles, "sheet.html"); err != nil {
		return err
	}
	routes.Handle(listPattern, http.HandlerFunc(p.serveList))
	show, post := p.handler(p.show), p.handler(p.post)
	routes.Handle("GET "+controlPagePattern, show)
	routes.Handle("POST "+controlPagePattern, post)
	routes.Handle("GET "+profilePagePattern, show)
	routes.Handle("POST "+profilePagePattern+profilePostSuffix, post)
	return nil
}

// visit is one request for a page.
type visit struct {
	w       http.ResponseWriter
	r       *http.Request
	target  target
	request execute.Request
	bond    bond
}

// handler finds what a page is of, and the journey that the browser is on.
func (p *pages) handler(serve func(v *visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{w: w, r: r}
		err := ownOrigin(p.origin, r)
		if err == nil {
			if err = p.enter(v); err == nil {
				err = serve(v)
			}
		}
		if err != nil {
			p.refuse(v, err)
		}
	})
}

// ownOrigin refuses what another site's page makes a browser send. A server that calls is no browser, and says nothing of
// where it comes from.
func ownOrigin(origin *http.CrossOriginProtection, r *http.Request) error {
	if origin.Check(r) == nil {
		return nil
	}
	return front.Problem{Status: http.StatusForbidden, Code: "cross_origin", Title: "Sent from elsewhere",
		Detail: "This form was sent by a page of another site, so nothing was done. Open the page and send it from there."}
}

func (p *pages) enter(v *visit) (err error) {
	if v.target, err = p.find(v.r); err != nil {
		return err
	}
	if err = v.target.page(); err != nil {
		return err
	}
	scene, host, err := p.sceneOf(v.r, &input{})
	if err != nil {
		return err
	}
	if host, err = v.target.host(host); err != nil {
		return err
	}
	// Whoever sends this request is the person.
	scene.IP = p.Client(v.r.Context())
	scene.Tenant, scene.Application, scene.ApplicationName = p.Visitor.Tenant, p.Visitor.Application, p.Visitor.Name
	v.bond = bond{scene.Tenant, scene.Application, v.target.name}
	v.request = execute.Request{Policy: v.target.policy, Profile: v.target.profile, Control: v.target.control, Host: host,
		Scene: scene, Session: p.journey(v)}
	return nil
}

func (p *pages) show(v *visit) error {
	page, err := p.Runner.Page(v.r.Context(), v.request)
	if err != nil {
		return err
	}
	return p.write(v, http.StatusOK, page, sheet{})
}

// write draws a page and keeps the journey in the browser.
func (p *pages) write(v *visit, status int, page execute.Page, s sheet) error {
	if err := p.keep(v); err != nil {
		return err
	}
	if err := s.fill(v, page, p.QR); err != nil {
		return err
	}
	title := page.Title
	if title == "" {
		title = v.target.control + v.target.profile
	}
	p.sheet.Write(v.w, v.r, status, front.Frame{Title: title, Language: page.Language, Current: "/b2c"}, s)
	return nil
}

// refuse answers where there is no page to answer with. What is wrong with a policy is said, since the pages are for those
// who write policies and are not there in production.
func (p *pages) refuse(v *visit, err error) {
	var told *execute.Told
	var misuse *trustframework.Misuse
	var problem front.Problem
	s := sheet{Nothing: true}
	frame := front.Frame{Title: "Not possible", Current: "/b2c"}
	status := http.StatusUnprocessableEntity
	switch {
	case errors.As(err, &told):
		s.Fault = told.Text
		p.logRefusal(v.r, v.target, told)
	case errors.As(err, &misuse):
		p.logMisuse(v.r, misuse)
		s.Fault, s.Reason = "The policy cannot be run as it is written.", misuse.Error()
	case errors.As(err, &problem):
		s.Fault, status = problem.Detail, problem.Status
	default:
		p.Shell.Fail(v.w, v.r, p.Log, "show policy", err)
		return
	}
	p.sheet.Write(v.w, v.r, status, frame, s)
}

// again is the path of the page itself, with the query, since claims may be resolved from it.
func (v *visit) again() string {
	return v.address(strings.TrimSuffix(v.r.URL.EscapedPath(), profilePostSuffix))
}

// path is where the form of the page is sent.
func (v *visit) path() string {
	if v.target.profile == "" {
		return v.again()
	}
	return v.address(strings.TrimSuffix(v.r.URL.EscapedPath(), profilePostSuffix) + profilePostSuffix)
}

func (v *visit) address(path string) string {
	if query := v.r.URL.Query().Encode(); query != "" { // sceneOf has read it before
		path += "?" + query
	}
	return path
}
