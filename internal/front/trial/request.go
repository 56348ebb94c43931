package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/passcode"
)

// request is the body of a trial.
type request struct {
	To          string
	Purpose     string
	Locale      string
	Application string
	WaitMS      *int64
}

// The bounds of waiting. The server cuts off answers that take a minute.
const (
	usualWait = 15 * time.Second
	mostWait  = 30 * time.Second
)

// member is where a member of the body goes, and what it must be.
type member struct {
	into any
	want string
}

func (q *request) members() map[string]member {
	return map[string]member{"to": {&q.To, "a string"}, "purpose": {&q.Purpose, "a string"}, "locale": {&q.Locale, "a string"},
		"application": {&q.Application, "a string"}, "wait_ms": {&q.WaitMS, "a whole number"}}
}

func (q *request) wait() time.Duration {
	if q.WaitMS == nil {
		return usualWait
	}
	return time.Duration(*q.WaitMS) * time.Millisecond
}

func (q *request) purpose() passcode.Purpose {
	if q.Purpose == "" {
		return passcode.Verify
	}
	return passcode.Purpose(q.Purpose)
}

// application is whom the message names, and whose limits it counts for.
func (q *request) application() passcode.Application {
	if q.Application == "" {
		return passcode.Application{ID: "provider test"}
	}
	return passcode.Application{ID: q.Application, Name: q.Application}
}

// read reads the body. Its error is a front.Problem that names every member at fault.
func read(w http.ResponseWriter, r *http.Request) (*request, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	body, err := front.ReadJSON(w, r)
	if err != nil {
		return nil, err
	}
	q := &request{}
	faults, err := decode(body, q.members())
	if err != nil {
		return nil, err
	}
	if q.To == "" && !slices.ContainsFunc(faults, func(f front.FieldError) bool { return f.Field == "to" }) {
		faults = append(faults, front.FieldError{Field: "to", Detail: "is missing"})
	}
	if q.Purpose != "" && !slices.Contains(passcode.Purposes(), passcode.Purpose(q.Purpose)) {
		faults = append(faults, front.FieldError{Field: "purpose", Detail: "must be sign_up, sign_in, password_reset, mfa or verify"})
	}
	if len(q.Locale) > 100 {
		faults = append(faults, front.FieldError{Field: "locale", Detail: "must have at most 100 bytes"})
	}
	if len(q.Application) > 100 || strings.ContainsFunc(q.Application, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		faults = append(faults, front.FieldError{Field: "application", Detail: "must have at most 100 bytes and no control characters"})
	}
	if q.WaitMS != nil && (*q.WaitMS < 0 || *q.WaitMS > mostWait.Milliseconds()) {
		faults = append(faults, front.FieldError{Field: "wait_ms", Detail: fmt.Sprintf("must be 0 to %d", mostWait.Milliseconds())})
	}
	if len(faults) > 0 {
		return nil, front.Problem{Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Request not valid",
			Detail: "Members of the request cannot be used; see errors.", Errors: faults}
	}
	return q, nil
}

func invalid(field, detail string) error {
	return front.Problem{Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Request not valid",
		Detail: "Members of the request cannot be used; see errors.", Errors: []front.FieldError{{Field: field, Detail: detail}}}
}

// decode reads one JSON object strictly: no unknown member, none twice, none of another type.
func decode(body []byte, members map[string]member) (faults []front.FieldError, err error) {
	malformed := front.Problem{Status: http.StatusBadRequest, Code: "malformed_json", Title: "Body is not JSON", Detail: "The body is not one JSON object in UTF-8."}
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') || !utf8.Valid(body) {
		return nil, malformed
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return nil, malformed
		}
		name, _ := key.(string) // the key of an object is always a string
		m, known := members[name]
		switch {
		case !known:
			faults = append(faults, front.FieldError{Field: name[:min(len(name), 64)], Detail: "is not a member of this request"})
		case seen[name]:
			faults = append(faults, front.FieldError{Field: name, Detail: "is given twice"})
		case string(value) == "null" || json.Unmarshal(value, m.into) != nil:
			faults = append(faults, front.FieldError{Field: name, Detail: "must be " + m.want})
		}
		seen[name] = true
	}
	if _, err := d.Token(); err != nil {
		return nil, malformed
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed
	}
	return faults, nil
}

// maxBody is far above what a trial takes.
const maxBody = 16 << 10
