package inbox

import (
	"embed"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front"
)

//go:embed *.html
var pageFiles embed.FS

type pages struct {
	*Handler
	list    *front.Page[listPage]
	message *front.Page[messagePage]
	missing *front.Page[struct{}]
}

// listPage is GET /inbox.
type listPage struct {
	To       string
	Fault    string
	Messages []itemView
	Example  string
	// Paused is set while the page is not kept up to date; Other is the path that changes that.
	Paused bool
	Other  string
}

type itemView struct {
	ID, To, Subject, Gist string
	At, Machine           string
}

// refreshEvery is in seconds.
const refreshEvery = 3

func (p *pages) serveList(w http.ResponseWriter, r *http.Request) {
	to, limit, fault := query(r)
	to = strings.TrimSpace(to)
	content := listPage{To: to, Fault: fault, Example: p.Example, Paused: r.URL.Query().Get("live") == "off"}
	content.Other = otherPath(to, !content.Paused)
	frame := front.Frame{Title: "Inbox", Current: "/inbox", Wide: true}
	if !content.Paused {
		frame.Live = refreshEvery
	}
	if fault != "" {
		p.list.Write(w, r, http.StatusBadRequest, frame, content)
		return
	}
	kept, err := p.Messages.Messages(r.Context(), to, limit)
	if err != nil {
		front.Fail(w, r, p.Log, "read inbox", err)
		return
	}
	for _, k := range kept {
		content.Messages = append(content.Messages, itemOf(k))
	}
	p.list.Write(w, r, http.StatusOK, frame, content)
}

func itemOf(k Kept) itemView {
	item := itemView{ID: k.ID, To: k.To, Subject: titleOf(k), Gist: gist(k.Text),
		At: k.ReceivedAt.UTC().Format("15:04:05"), Machine: k.ReceivedAt.UTC().Format(time.RFC3339)}
	if item.Gist == item.Subject {
		item.Gist = ""
	}
	return item
}

// otherPath is the same list with refreshing stopped or going.
func otherPath(to string, stop bool) string {
	values := url.Values{}
	if to != "" {
		values.Set("to", to)
	}
	if stop {
		values.Set("live", "off")
	}
	if len(values) == 0 {
		return "/inbox"
	}
	return "/inbox?" + values.Encode()
}

// titleOf is the subject, or for a text message, which has none, its first words.
func titleOf(k Kept) string {
	if strings.TrimSpace(k.Subject) != "" {
		return k.Subject
	}
	if words := gist(k.Text); words != "" {
		return words
	}
	return "(empty message)"
}

// gist is the first words of a text, on one line.
func gist(text string) string {
	const most = 160
	line := strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(line) <= most {
		return line
	}
	return string([]rune(line)[:most]) + "…"
}

// messagePage is GET /inbox/{id}.
type messagePage struct {
	ID, To, From, Subject, Text string
	At, Machine                 string
	Passcode                    string
	HasHTML                     bool
}

func (p *pages) serveMessage(w http.ResponseWriter, r *http.Request) {
	k, ok := p.find(w, r)
	if !ok {
		return
	}
	p.message.Write(w, r, http.StatusOK, front.Frame{Title: titleOf(k), Current: "/inbox", Wide: true}, messagePage{
		ID: k.ID, To: k.To, From: k.From, Subject: titleOf(k), Text: k.Text, At: stamp(k.ReceivedAt),
		Machine: k.ReceivedAt.UTC().Format(time.RFC3339), Passcode: k.Passcode, HasHTML: k.HTML != ""})
}

// find reads the message that the path names, or answers that there is none.
func (p *pages) find(w http.ResponseWriter, r *http.Request) (Kept, bool) {
	id := r.PathValue("id")
	if !utf8.ValidString(id) || hasControl(id) || len(id) > 128 {
		p.missing.Write(w, r, http.StatusNotFound, front.Frame{Title: "No such message", Current: "/inbox"}, struct{}{})
		return Kept{}, false
	}
	k, ok, err := p.Messages.Message(r.Context(), id)
	if err != nil {
		front.Fail(w, r, p.Log, "read inbox", err)
		return Kept{}, false
	}
	if !ok {
		p.missing.Write(w, r, http.StatusNotFound, front.Frame{Title: "No such message", Current: "/inbox"}, struct{}{})
	}
	return k, ok
}

// htmlPolicy makes a message inert even when its address is opened by itself: it belongs to no origin, runs nothing,
// submits nothing, opens nothing and loads nothing (CSP Level 3 §6.4.1, sandbox). Only our own pages may frame it.
const htmlPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; " +
	"base-uri 'none'; frame-ancestors 'self'"

// serveHTML answers with the HTML part of a message as it was written.
func (p *pages) serveHTML(w http.ResponseWriter, r *http.Request) {
	k, ok := p.find(w, r)
	if !ok {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", htmlPolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Length", strconv.Itoa(len(k.HTML)))
	w.Write([]byte(k.HTML)) // a client that left has nothing to be told
}
