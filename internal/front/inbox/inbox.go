// Package inbox is the door to the built-in inbox: messages that were kept instead of sent, as pages and as JSON. It
// shows live codes to whoever can reach it, so it is mounted in demonstrations and in development only.
package inbox

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
)

// Kept is one message that the inbox kept.
type Kept struct {
	ID      string
	To      string
	From    string
	Subject string
	Text    string
	// HTML is empty for a message without an HTML part.
	HTML       string
	ReceivedAt time.Time
	// Passcode is the id of the challenge the message carries, empty for a relayed code.
	Passcode string
}

// Messages is where kept messages are read.
type Messages interface {
	// Messages returns at most limit messages, newest first: those to one address or number, or all when to is empty.
	// An address matches whatever its case.
	Messages(ctx context.Context, to string, limit int) ([]Kept, error)
	// Message returns one message; ok is false when there is none of this id.
	Message(ctx context.Context, id string) (kept Kept, ok bool, err error)
}

// Handler is the door.
type Handler struct {
	Messages Messages
	// Access, when set, asks for an API key at GET /v1/inbox. The pages have no such gate.
	Access access.Authenticator
	Shell  *front.Shell
	Log    *slog.Logger
	// Example is a request that sends a code, shown while the inbox is empty; empty for none.
	Example string
}

// Mount adds the paths of the door. An error is a mistake in the embedded pages.
func (h *Handler) Mount(routes front.Routes) error {
	list, err := front.NewPage[listPage](h.Shell, pageFiles, "list.html")
	if err != nil {
		return err
	}
	message, err := front.NewPage[messagePage](h.Shell, pageFiles, "message.html")
	if err != nil {
		return err
	}
	missing, err := front.NewPage[struct{}](h.Shell, pageFiles, "missing.html")
	if err != nil {
		return err
	}
	p := &pages{Handler: h, list: list, message: message, missing: missing}
	routes.Handle("GET /inbox", http.HandlerFunc(p.serveList))
	routes.Handle("GET /inbox/{id}", http.HandlerFunc(p.serveMessage))
	routes.Handle("GET /inbox/{id}/html", http.HandlerFunc(p.serveHTML))

	var api http.Handler = http.HandlerFunc(h.serveAPI)
	if h.Access != nil {
		api = front.Gate{Access: h.Access, Log: h.Log}.Guard(func(w http.ResponseWriter, r *http.Request, _ access.Caller) {
			h.serveAPI(w, r)
		})
	}
	routes.Handle("GET /v1/inbox", api)
	return nil
}
