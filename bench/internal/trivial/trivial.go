// Package trivial is the handler that every load is held beside: it reads the same JSON request as the passcode API,
// answers a small JSON object, and does nothing else. Its requests a second are what HTTP and JSON alone allow.
package trivial

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
)

type request struct {
	To string `json:"to"`
}

type response struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	To     string `json:"to"`
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
		body, err := json.Marshal(response{ID: "pc_00000000000000000000000000", Status: "pending", To: asked.To})
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
