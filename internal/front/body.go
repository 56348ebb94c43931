package front

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// ReadJSON reads a request's body, which the request says is JSON. What is in it is for the door to judge; how long it
// may be was bounded before. An error is a Problem.
func ReadJSON(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if MediaType(r) != "application/json" {
		w.Header().Set("Accept", "application/json") // RFC 9110 §15.5.16
		return nil, Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
			Detail: "Send the body as Content-Type: application/json, in UTF-8, without a Content-Encoding."}
	}
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		return nil, Unread(err)
	case len(body) == 0:
		return nil, Problem{Status: http.StatusBadRequest, Code: "body_missing", Title: "Body missing",
			Detail: "The request has no body; send a JSON object."}
	}
	return body, nil
}

// MediaType is what a request says its body is, "" where it says that badly, or that it is encoded or not in UTF-8.
func MediaType(r *http.Request) string {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, named := params["charset"]
	if err != nil || named && !strings.EqualFold(charset, "utf-8") || r.Header.Get("Content-Encoding") != "" {
		return ""
	}
	return kind
}

// Unread is the problem of a body that could not be read to its end: it is too large, as http.MaxBytesReader says, or the
// request was cut short.
func Unread(err error) Problem {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return Problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
			Detail: fmt.Sprintf("The request body is larger than %d bytes.", large.Limit)}
	}
	return Problem{Status: http.StatusBadRequest, Code: "body_cut_short", Title: "Body cut short",
		Detail: "The request body ended before it was complete."}
}
