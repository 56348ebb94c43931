// Package receipts is the door at which vendors post what became of the messages that they took. It believes what a
// provider's reader believes, and hands it to the store.
package receipts

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// Handler is the door.
type Handler struct {
	// Receipts finds the reader of a provider's reports, by the provider's name. ok is false when there is none.
	Receipts func(name string) (reader provider.Receipts, ok bool)
	Store    Store
	// PublicURL is the address that vendors reach this server at, empty when it is not known. Some signatures cover it.
	PublicURL string
	Log       *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Store keeps receipts; see outbox.Store.
type Store interface {
	Receive(ctx context.Context, provider string, receipts []outbox.Receipt, now time.Time) ([]outbox.Receiving, error)
}

// The most that one post may hold. Vendors send up to a thousand reports in less.
const maxBody = 1 << 20

// comeAgain is when a vendor is asked to repeat what could not be kept.
const comeAgain = 30 * time.Second

// Mount adds the paths of the door, for every method.
func (h *Handler) Mount(routes front.Routes) {
	if h.Now == nil {
		h.Now = time.Now
	}
	if h.Log == nil {
		h.Log = slog.New(slog.DiscardHandler)
	}
	routes.Handle("/receipts/{provider}", http.HandlerFunc(h.serve))
	routes.Handle("/receipts/{provider}/{secret}", http.HandlerFunc(h.serve))
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("provider")
	reader, ok := h.Receipts(name)
	if !ok {
		front.Problem{Status: http.StatusNotFound, Code: "unknown_provider", Title: "No reports are taken here",
			Detail: "There is no provider of this name, or its settings do not say how its reports can be believed."}.Write(w, r)
		return
	}
	switch {
	case r.Method == http.MethodOptions:
		allow(w, r)
	case r.Method == http.MethodHead, r.Method == http.MethodGet && r.URL.RawQuery == "":
		// Mandrill looks whether somebody is here before it accepts the address (webhooks API, "add").
	case r.Method == http.MethodPost, r.Method == http.MethodGet: // some post the members of a report as a query
		h.receive(w, r, name, reader)
	default:
		w.Header().Set("Allow", methods)
		front.Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "This path takes " + methods + "."}.Write(w, r)
	}
}

const methods = "GET, HEAD, OPTIONS, POST"

// allow answers the question whether events may be posted here, which Event Grid asks in its CloudEvents form
// (CloudEvents, "HTTP 1.1 Web Hooks for Event Delivery", §4). Who asks is of no account: a report is believed by itself.
func allow(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", methods)
	if origin := r.Header.Get("WebHook-Request-Origin"); origin != "" {
		w.Header().Set("WebHook-Allowed-Origin", origin)
		w.Header().Set("WebHook-Allowed-Rate", "*")
	}
}

// receive reads a report and keeps what it says. Nothing of it gets into the log, nor does the path, which may hold a
// secret.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request, name string, reader provider.Receipts) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		unread(err).Write(w, r)
		return
	}
	// A vendor that hangs up has said what it wanted to say.
	ctx := context.WithoutCancel(r.Context())
	told, err := reader.Read(ctx, provider.Posted{URL: h.address(r), Method: r.Method, Header: r.Header, Body: body,
		Secret: r.PathValue("secret")})
	if err != nil {
		h.refuse(w, r, name, err)
		return
	}
	became, err := h.Store.Receive(ctx, name, told.Receipts, h.Now())
	if err != nil {
		h.fail(w, r, name, "keep receipts", err)
		return
	}
	h.note(ctx, name, became)
	if told.Answer != nil {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(told.Answer)))
		w.Write(told.Answer) // a vendor that left has nothing to be told
	}
}

// address is the URL as the vendor was told it.
func (h *Handler) address(r *http.Request) string {
	if h.PublicURL == "" {
		return ""
	}
	return strings.TrimRight(h.PublicURL, "/") + r.URL.RequestURI()
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, name string, err error) {
	p := front.Problem{Status: http.StatusUnauthorized, Code: "receipt_forged", Title: "Report not believed",
		Detail: "The signature or the secret of the report is missing or wrong, or the report is too old. The log says which."}
	switch {
	case errors.Is(err, provider.ErrForged):
	case errors.Is(err, provider.ErrMalformed):
		p = front.Problem{Status: http.StatusBadRequest, Code: "receipt_malformed", Title: "Report not understood",
			Detail: "The report is not in the form that this provider's reports have. The log says more."}
	default: // what it is checked with could not be had
		h.fail(w, r, name, "check a report", err)
		return
	}
	h.Log.LogAttrs(r.Context(), slog.LevelWarn, "a provider's report is refused", slog.String("provider", name),
		slog.Any("error", err))
	p.Write(w, r)
}

// fail asks the vendor to come again: a report that is not kept is lost otherwise.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, name, doing string, err error) {
	h.Log.LogAttrs(r.Context(), slog.LevelError, "a provider's report could not be taken", slog.String("provider", name),
		slog.String("doing", doing), slog.Any("error", err))
	front.Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Title: "Report not kept",
		Detail: "The report could not be checked or kept. Post it again after Retry-After.", RetryAfter: comeAgain}.Write(w, r)
}

// unread is the answer to a body that could not be read.
func unread(err error) front.Problem {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return front.Problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
			Detail: "The request body is larger than " + strconv.FormatInt(large.Limit, 10) + " bytes."}
	}
	return front.Problem{Status: http.StatusBadRequest, Code: "body_cut_short", Title: "Body cut short",
		Detail: "The connection gave less than Content-Length promised."}
}

func (h *Handler) note(ctx context.Context, name string, became []outbox.Receiving) {
	if !h.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	for i := range became {
		b := &became[i]
		h.Log.LogAttrs(ctx, slog.LevelDebug, "receipt", slog.String("provider", name), slog.String("delivery", b.Delivery.ID),
			slog.String("passcode_id", b.Delivery.Challenge), slog.String("state", string(b.Delivery.State)),
			slog.Bool("repeated", b.Repeated), slog.Bool("moved", b.Moved))
	}
}
