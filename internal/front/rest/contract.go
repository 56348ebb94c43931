package rest

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for openapi.json
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/otpost/otpost/internal/front"
)

//go:embed openapi.json
var contract string

// OpenAPI is the contract of this door, an OpenAPI 3.1 document. It is written by hand and held to the handlers by
// tests: every path, every member and every answer of the recorded conversations is checked against it.
func OpenAPI() []byte { return []byte(contract) }

// mountContract adds GET /openapi.json and, where there is a shell to draw it, GET /docs. Both are for everybody:
// they hold nothing that the source does not.
func (h *Handler) mountContract(routes front.Routes) error {
	contract := h.Contract
	if contract == nil {
		contract = OpenAPI()
	}
	sum := sha256.Sum256(contract)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	routes.Handle("GET /openapi.json", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Etag", etag)
		header.Set("Cache-Control", "no-cache")
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		header.Set("Content-Type", "application/json")
		header.Set("Content-Length", strconv.Itoa(len(contract)))
		bytes.NewReader(contract).WriteTo(w) // a client that left has nothing to be told
	}))
	if h.Shell == nil {
		return nil
	}
	page, err := front.NewPage[reference](h.Shell, docsFiles, "docs.html")
	if err != nil {
		return err
	}
	content, err := newReference(contract)
	if err != nil {
		return err
	}
	routes.Handle("GET /docs", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.Write(w, r, http.StatusOK, front.Frame{Title: "API reference", Current: "/docs", Wide: true}, content)
	}))
	return nil
}
