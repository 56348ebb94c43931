package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/registry"
)

// fail answers with what went wrong.
func fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	var problem front.Problem
	var invalid *registry.Invalid
	switch {
	case errors.As(err, &problem):
		problem.Write(w, r)
	case errors.As(err, &invalid):
		problemOf(invalid).Write(w, r)
	case errors.Is(err, registry.ErrVersion):
		front.Problem{Status: http.StatusPreconditionFailed, Code: "version_mismatch", Title: "Another version",
			Detail: "The document was changed meanwhile. Read it again, and repeat the change with the new ETag."}.Write(w, r)
	case errors.Is(err, registry.ErrNoDocument):
		front.Problem{Status: http.StatusNotFound, Code: "no_such_document", Title: "Document not found",
			Detail: "There is no document of this kind and name, or none of this version."}.Write(w, r)
	case errors.Is(err, registry.ErrChanged):
		front.Problem{Status: http.StatusConflict, Code: "settings_busy", Title: "Settings busy",
			Detail: "Others change settings at the same time. Nothing was changed; try again.", RetryAfter: time.Second}.Write(w, r)
	default:
		front.Fail(w, r, log, r.Pattern, err)
	}
}

// problemOf names everything that is wrong.
func problemOf(invalid *registry.Invalid) front.Problem {
	p := front.Problem{Status: http.StatusUnprocessableEntity, Code: "invalid_settings", Title: "Settings not valid",
		Detail: fmt.Sprintf("%d things are wrong; see errors. Nothing was changed.", len(invalid.Problems))}
	for _, one := range invalid.Problems {
		p.Errors = append(p.Errors, front.FieldError{Kind: string(one.Kind), Name: one.Name, Field: one.Place, Detail: one.Message})
	}
	if len(invalid.Problems) == 1 {
		p.Detail = invalid.Error() + ". Nothing was changed."
	}
	return p
}

func refused(kind registry.Kind, name, field, detail string) error {
	return &registry.Invalid{Problems: []registry.Problem{{Kind: kind, Name: name, Place: field, Message: detail}}}
}

func otherVersion(kind registry.Kind, name string, version int64) error {
	return fmt.Errorf("%w: %s %s has version %d", registry.ErrVersion, kind, name, version)
}

func invalidQuery(detail string) error {
	return front.Problem{Status: http.StatusBadRequest, Code: "invalid_query", Title: "Query not valid", Detail: detail}
}

// readBody reads a JSON body. Its error is a front.Problem.
func readBody(w http.ResponseWriter, r *http.Request) (json.RawMessage, error) {
	body, err := front.ReadJSON(w, r)
	if err == nil && (!utf8.Valid(body) || !json.Valid(body)) {
		err = front.Problem{Status: http.StatusBadRequest, Code: "malformed_json", Title: "Body is not JSON",
			Detail: "The body is not JSON in UTF-8" + syntaxOf(body) + "."}
	}
	return body, err
}

// syntaxOf says where JSON goes wrong, as far as that is known.
func syntaxOf(body []byte) string {
	var v any
	var syntax *json.SyntaxError
	if err := json.Unmarshal(body, &v); errors.As(err, &syntax) {
		return fmt.Sprintf(" (at byte %d)", syntax.Offset)
	}
	return ""
}
