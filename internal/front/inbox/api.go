package inbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front"
)

const (
	defaultLimit = 50
	maxLimit     = 200
	maxTo        = 320 // RFC 5321 §4.5.3.1
)

type inboxBody struct {
	Messages []messageBody `json:"messages"`
}

type messageBody struct {
	ID         string  `json:"id"`
	To         string  `json:"to"`
	From       string  `json:"from"`
	Subject    string  `json:"subject"`
	Text       string  `json:"text"`
	HTML       string  `json:"html"`
	ReceivedAt string  `json:"received_at"`
	PasscodeID *string `json:"passcode_id"`
}

// serveAPI answers GET /v1/inbox.
func (h *Handler) serveAPI(w http.ResponseWriter, r *http.Request) {
	to, limit, fault := query(r)
	if fault != "" {
		front.Problem{Status: http.StatusBadRequest, Code: "invalid_query", Title: "Query not valid", Detail: fault}.Write(w, r)
		return
	}
	kept, err := h.Messages.Messages(r.Context(), to, limit)
	if err != nil {
		front.Fail(w, r, h.Log, "read inbox", err)
		return
	}
	body := inboxBody{Messages: make([]messageBody, len(kept))}
	for i, k := range kept {
		body.Messages[i] = messageBody{ID: k.ID, To: k.To, From: k.From, Subject: k.Subject, Text: k.Text, HTML: k.HTML,
			ReceivedAt: k.ReceivedAt.UTC().Format("2006-01-02T15:04:05.000Z")}
		if k.Passcode != "" {
			body.Messages[i].PasscodeID = &k.Passcode
		}
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // structs of strings always marshal
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b) // a client that left has nothing to be told
}

// query reads to and limit. fault is a sentence when one of them cannot be used.
func query(r *http.Request) (to string, limit int, fault string) {
	values := r.URL.Query()
	to, limit = values.Get("to"), defaultLimit
	if !utf8.ValidString(to) || utf8.RuneCountInString(to) > maxTo || hasControl(to) {
		return "", 0, "to must be an address or a number of at most 320 printable characters."
	}
	if given := values.Get("limit"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > maxLimit {
			return "", 0, "limit must be a whole number from 1 to 200."
		}
		limit = n
	}
	return to, limit, ""
}

func hasControl(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return true
		}
	}
	return false
}

// stamp is a time as a page shows it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
