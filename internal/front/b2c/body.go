package b2c

import (
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front"
)

// maxBody is the largest body of a call: a session token and the claims of a page fit several times.
const maxBody = 64 << 10

// readBody returns a body and whether it is a form. No body is no claims.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, form bool, err error) {
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch {
	case err != nil:
		return nil, false, front.Unread(err)
	case len(body) == 0:
		return nil, false, nil
	}
	kind := front.MediaType(r)
	form = kind == "application/x-www-form-urlencoded"
	if !form && kind != "application/json" {
		w.Header().Set("Accept", "application/json, application/x-www-form-urlencoded") // RFC 9110 §15.5.16
		return nil, false, front.Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
			Detail: "Send the claims as Content-Type: application/json or application/x-www-form-urlencoded, in UTF-8, without a Content-Encoding."}
	}
	if !utf8.Valid(body) {
		return nil, false, malformed("The body is not valid UTF-8.")
	}
	return body, form, nil
}

func malformed(detail string) error {
	return front.Problem{Status: http.StatusBadRequest, Code: "malformed_json", Title: "Body is not JSON", Detail: detail}
}
