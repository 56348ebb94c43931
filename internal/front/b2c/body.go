package b2c

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front"
)

// maxBody is the largest body of a call: a session token and the claims of a page fit several times.
const maxBody = 64 << 10

// readBody returns a body and whether it is a form. No body is no claims.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, form bool, err error) {
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, false, tooLarge(large)
	case err != nil:
		return nil, false, front.Problem{Status: http.StatusBadRequest, Code: "body_cut_short", Title: "Body cut short",
			Detail: "The request body ended before it was complete."}
	case len(body) == 0:
		return nil, false, nil
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, named := params["charset"]
	form = kind == "application/x-www-form-urlencoded"
	if err != nil || !form && kind != "application/json" || named && !strings.EqualFold(charset, "utf-8") || r.Header.Get("Content-Encoding") != "" {
		w.Header().Set("Accept", "application/json, application/x-www-form-urlencoded") // RFC 9110 §15.5.16
		return nil, false, front.Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
			Detail: "Send the claims as Content-Type: application/json or application/x-www-form-urlencoded, in UTF-8, without a Content-Encoding."}
	}
	if !utf8.Valid(body) {
		return nil, false, malformed("The body is not valid UTF-8.")
	}
	return body, form, nil
}

func tooLarge(err *http.MaxBytesError) error {
	return front.Problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
		Detail: fmt.Sprintf("The request body is larger than %d bytes.", err.Limit)}
}

func malformed(detail string) error {
	return front.Problem{Status: http.StatusBadRequest, Code: "malformed_json", Title: "Body is not JSON", Detail: detail}
}
