package front

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
)

//go:embed static
var staticFiles embed.FS

//go:embed pages
var pageFiles embed.FS

// Link is a place to go.
type Link struct {
	Text string
	Path string
	// About says what is there, where there is room for a sentence.
	About string
}

// Shell is what all pages share: the frame around them, its links, and the static files.
type Shell struct {
	// Nav are the links at the top of each page. Set them before the first page is drawn.
	Nav []Link
	// Log is told when a page cannot be drawn.
	Log *slog.Logger

	assets *Assets
	layout *template.Template
	fault  *Page[faultPage]
}

// NewShell reads the embedded frame and files. An error is a mistake in this program.
func NewShell(log *slog.Logger, nav ...Link) (*Shell, error) {
	static, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, fmt.Errorf("open static files: %w", err)
	}
	s := &Shell{Nav: nav, Log: log}
	if s.assets, err = NewAssets("/assets/", static); err != nil {
		return nil, err
	}
	s.layout, err = template.New("shell.html").Funcs(template.FuncMap{"asset": s.assets.URL}).
		ParseFS(pageFiles, "pages/shell.html")
	if err != nil {
		return nil, fmt.Errorf("parse page shell: %w", err)
	}
	s.fault, err = NewPage[faultPage](s, pageFiles, "pages/fault.html")
	return s, err
}

// Mount adds the static files' path.
func (s *Shell) Mount(routes Routes) { s.assets.Mount(routes) }

// Frame is what a page tells the shell about itself.
type Frame struct {
	Title string
	// Language is a BCP 47 tag; empty means English. It decides the direction of the page.
	Language string
	// Current is the path of the link that leads here.
	Current string
	// Live refreshes what the page marks with data-live every so many seconds: with a small script, or by loading
	// the page anew where scripts are off. Zero leaves the page alone.
	Live int
	// Wide gives the page more than reading width.
	Wide bool
}

// Lang is the page's language.
func (f Frame) Lang() string {
	if f.Language == "" {
		return "en"
	}
	return f.Language
}

// Dir is the direction in which the page's language is written.
func (f Frame) Dir() string {
	tag, _, _ := strings.Cut(f.Lang(), "-")
	switch tag {
	case "ar", "fa", "he", "ur":
		return "rtl"
	}
	return "ltr"
}

// Page is a page whose own part is drawn from a T.
type Page[T any] struct {
	shell *Shell
	body  *template.Template
}

// view is what a page's template sees.
type view[T any] struct {
	Frame
	Nav  []Link
	Page T
}

// NewPage reads the page's own part, a template named "main", out of files. It draws the page once from a zero T, so
// that a template which names what is not there fails now rather than before a visitor.
func NewPage[T any](s *Shell, files fs.FS, name string) (*Page[T], error) {
	body, err := s.layout.Clone()
	if err != nil {
		return nil, fmt.Errorf("copy page shell: %w", err)
	}
	if body, err = body.ParseFS(files, name); err != nil {
		return nil, fmt.Errorf("parse page %s: %w", name, err)
	}
	p := &Page[T]{shell: s, body: body}
	if err := p.draw(io.Discard, Frame{Title: name, Live: 1}, *new(T)); err != nil {
		return nil, fmt.Errorf("draw page %s: %w", name, err)
	}
	return p, nil
}

// draw writes the page.
func (p *Page[T]) draw(w io.Writer, f Frame, content T) error {
	return p.body.ExecuteTemplate(w, "shell.html", view[T]{Frame: f, Nav: p.shell.Nav, Page: content})
}

// Write answers r with the page.
func (p *Page[T]) Write(w http.ResponseWriter, r *http.Request, status int, f Frame, content T) {
	var b bytes.Buffer
	if err := p.draw(&b, f, content); err != nil {
		Fail(w, r, p.shell.Log, "draw page "+f.Title, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy(f.Live > 0))
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY") // for what is too old to know frame-ancestors
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		b.WriteTo(w) // a client that left has nothing to be told
	}
}

// pagePolicy allows our own style, pictures and forms, and our own script only on a page that has one. Nothing inline
// runs, and nothing comes from elsewhere (CSP Level 3).
func pagePolicy(script bool) string {
	policy := "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'"
	if script {
		policy += "; script-src 'self'; connect-src 'self'"
	}
	return policy
}

// faultPage is the page in place of a problem document.
type faultPage struct {
	Status        int
	Title, Detail string
	Request       string
}

func (s *Shell) refuse(w http.ResponseWriter, r *http.Request, p Problem) {
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	s.fault.Write(w, r, p.Status, Frame{Title: p.Title},
		faultPage{Status: p.Status, Title: p.Title, Detail: p.Detail, Request: RequestID(r.Context())})
}
