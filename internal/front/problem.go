package front

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

// problemBase makes the type of a problem out of its code. It is an identifier that does not depend on where otpost
// runs; who opens it in a browser arrives at the project's description of the problem.
const problemBase = "https://github.com/otpost/otpost/blob/main/docs/problems.md#"

// Problem is a problem document (RFC 9457).
type Problem struct {
	// Type is filled in from Code.
	Type string `json:"type"`
	// Title is the same for every occurrence; http.StatusText of Status when empty.
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail is a sentence on this occurrence: what is wrong, where, what to do.
	Detail string `json:"detail,omitempty"`
	// Code is what programs compare.
	Code string `json:"code"`
	// Instance is filled in from the request id.
	Instance string `json:"instance,omitempty"`
	// Errors name the members at fault.
	Errors []FieldError `json:"errors,omitempty"`
	// RetryAfter is sent as a header, in whole seconds rounded up; zero sends none.
	RetryAfter time.Duration `json:"-"`
}

// FieldError is one member of a request that was refused.
type FieldError struct {
	// Kind and Name say which document the member is of, where a request holds several.
	Kind string `json:"kind,omitempty"`
	Name string `json:"name,omitempty"`
	// Field is the member's path, such as "to" or "metadata.order"; empty for the body as a whole.
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error makes a problem an error, so that a handler can return it.
func (p Problem) Error() string { return p.Code + ": " + p.Detail }

// Write answers r with the problem.
func (p Problem) Write(w http.ResponseWriter, r *http.Request) {
	p.Type = problemBase + p.Code
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	if id := RequestID(r.Context()); id != "" {
		p.Instance = "/requests/" + id
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", Seconds(p.RetryAfter))
	}
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // a struct of strings and numbers always marshals
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		w.Write(body) // a client that left has nothing to be told
	}
}

// Seconds is d as the delta-seconds of Retry-After (RFC 9110 §10.2.3), rounded up and at least 1.
func Seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64(math.Ceil(d.Seconds()))), 10)
}

// Internal is the problem that says nothing about its cause; the log does.
func Internal() Problem {
	return Problem{Status: http.StatusInternalServerError, Code: "internal",
		Detail: "Something went wrong on our side. The request id in X-Request-Id leads to it in the log."}
}

func tooLarge(limit int64) Problem {
	return Problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
		Detail: "The request body is larger than " + strconv.FormatInt(limit, 10) + " bytes."}
}

// unmatched is what a request for no route of ours is told.
func unmatched(status int, allow string) Problem {
	if status == http.StatusMethodNotAllowed {
		return Problem{Status: status, Code: "method_not_allowed", Detail: "This path takes " + allow + "."}
	}
	return Problem{Status: status, Code: "unknown_path", Detail: "There is nothing at this path."}
}
