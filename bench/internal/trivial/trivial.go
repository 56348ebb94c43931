// Package trivial is the handler that every load is held beside: it reads the same JSON request as the passcode API,
// answers the same JSON response, and does nothing else. Its requests a second are what HTTP and JSON alone allow.
package trivial

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

type request struct {
	To string `json:"to"`
}

type response struct {
	ID           string    `json:"id"`
	Status       string    `json:"status"`
	Channel      string    `json:"channel"`
	To           string    `json:"to"`
	ExpiresAt    time.Time `json:"expires_at"`
	AttemptsLeft int       `json:"attempts_left"`
	ResendAt     time.Time `json:"resend_at"`
	Delivery     delivery  `json:"delivery"`
}

type delivery struct {
	State    string `json:"state"`
	Provider string `json:"provider"`
	Attempts int    `json:"attempts"`
}

// Handler answers POST /v1/passcodes.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/passcodes", func(w http.ResponseWriter, r *http.Request) {
		var asked request
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, "malformed request", http.StatusBadRequest)
			return
		}
		now := time.Now().UTC()
		body, err := json.Marshal(response{ID: "pc_00000000000000000000000000", Status: "pending", Channel: "email",
			To: asked.To, ExpiresAt: now.Add(10 * time.Minute), AttemptsLeft: 5, ResendAt: now.Add(30 * time.Second),
			Delivery: delivery{State: "sending"}})
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		w.Write(body)
	})
	return mux
}

// Serve listens on a free port of 127.0.0.1, writes its address as one line, and serves until stdin ends: so it never
// outlives the process that started it.
func Serve(stdin io.Reader, stdout io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: Handler()}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Fprintln(stdout, listener.Addr())
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, stdin)
		close(ended)
	}()
	select {
	case err := <-failed:
		return err
	case <-ended:
		return server.Shutdown(context.Background())
	}
}
