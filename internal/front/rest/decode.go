package rest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front"
)

// maxBody is the largest body of a request: sixteen pairs of metadata, every character escaped, fit twice.
const maxBody = 64 << 10

// member is one member of a request's body.
type member[T any] struct {
	name     string
	required bool
	// read takes the value at the cursor into the request.
	read func(*T, *scanner)
}

// decode reads the body of r into a T. Its error is a front.Problem: 400 for what is no JSON, 413, 415, and 422 for
// JSON that is not this request, naming every member at fault. optional allows no body at all.
func decode[T any](w http.ResponseWriter, r *http.Request, members []member[T], optional bool) (*T, error) {
	into := new(T)
	body, err := readBody(w, r, optional)
	if err != nil || body == nil {
		return into, err
	}
	if !utf8.Valid(body) {
		return nil, malformed("The body is not valid UTF-8.")
	}
	s := &scanner{b: body}
	readMembers(s, members, into)
	if s.syntax == "" && s.peek() != 0 || s.i < len(body) {
		s.broken("there is more after the end of the object")
	}
	if s.syntax != "" {
		return nil, malformed(s.syntax)
	}
	if len(s.faults) > 0 {
		return nil, invalid(s.faults...)
	}
	return into, nil
}

func readMembers[T any](s *scanner, members []member[T], into *T) {
	if !s.wants("an object") {
		return
	}
	var seen uint64 // a bit for each of members
	s.object(func(name string) {
		i := slices.IndexFunc(members, func(m member[T]) bool { return m.name == name })
		s.field = name
		switch {
		case i < 0:
			s.field = cut(name)
			s.fault("is not a member of this request%s", meant(name, members))
			s.skip(0)
		case seen&(1<<i) != 0:
			s.fault("is given twice")
			s.skip(0)
		default:
			seen |= 1 << i
			members[i].read(into, s)
		}
		s.field = ""
	})
	for i, m := range members {
		if m.required && seen&(1<<i) == 0 {
			s.field = m.name
			s.fault("is missing")
		}
	}
}

// cut keeps a stranger's member name from filling an answer.
func cut(name string) string {
	const most = 64
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	return string([]rune(name)[:most]) + "…"
}

// readBody returns nil only where a body is optional and absent.
func readBody(w http.ResponseWriter, r *http.Request, optional bool) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		if optional {
			return nil, nil
		}
		return nil, bodyMissing()
	}
	if r.ContentLength > maxBody {
		return nil, bodyTooLarge()
	}
	if err := checkType(w, r.Header); err != nil {
		return nil, err
	}
	body, err := readAll(r)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge) || len(body) > maxBody:
		return nil, bodyTooLarge()
	case err != nil:
		return nil, front.Problem{Status: http.StatusBadRequest, Code: "body_cut_short", Title: "Body cut short",
			Detail: "The request body ended before it was complete."}
	case len(body) == 0 && optional:
		return nil, nil
	case len(body) == 0:
		return nil, bodyMissing()
	}
	return body, nil
}

// readAll reads in one piece when the length is known, and one byte past the limit when it is not.
func readAll(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 {
		return io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// checkType wants JSON in UTF-8, not compressed (RFC 9110 §15.5.16).
func checkType(w http.ResponseWriter, h http.Header) error {
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		w.Header().Set("Accept-Encoding", "identity")
		return front.Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
			Detail: "Send the body without a Content-Encoding."}
	}
	given := h.Get("Content-Type")
	if given == "application/json" {
		return nil
	}
	kind, params, err := mime.ParseMediaType(given)
	charset, named := params["charset"]
	if err == nil && kind == "application/json" && (!named || strings.EqualFold(charset, "utf-8")) {
		return nil
	}
	w.Header().Set("Accept", "application/json")
	return front.Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
		Detail: "Send the body as Content-Type: application/json, in UTF-8."}
}

func bodyMissing() error {
	return front.Problem{Status: http.StatusBadRequest, Code: "body_missing", Title: "Body missing",
		Detail: "The request has no body; send a JSON object."}
}

func bodyTooLarge() error {
	return front.Problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
		Detail: fmt.Sprintf("The request body is larger than %d bytes.", maxBody)}
}

func malformed(detail string) error {
	return front.Problem{Status: http.StatusBadRequest, Code: "malformed_json", Title: "Body is not JSON", Detail: detail}
}

// invalid is the problem of a request whose members cannot be used.
func invalid(faults ...front.FieldError) error {
	detail := "See errors for the members at fault."
	if len(faults) == 1 {
		subject := faults[0].Field
		if subject == "" {
			subject = "the body"
		}
		detail = subject + " " + faults[0].Detail + "."
	}
	return front.Problem{Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Request not valid",
		Detail: detail, Errors: faults}
}
