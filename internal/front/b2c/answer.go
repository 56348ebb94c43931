package b2c

import (
	"cmp"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// refused is B2C's body of a refusal (restful-technical-profile.md, "Returning validation error message"), and the
// session beside it, which B2C passes over.
type refused struct {
	// Version is that of the service in Microsoft's example. Status is 409 whatever the answer's own is.
	Version          string `json:"version"`
	Status           int    `json:"status"`
	Code             string `json:"code"`
	UserMessage      string `json:"userMessage"`
	DeveloperMessage string `json:"developerMessage"`
	RequestID        string `json:"requestId"`
	MoreInfo         string `json:"moreInfo"`
	Session          string `json:"otpost_session"`
}

const (
	refusalVersion = "1.0.0"
	moreInfo       = "https://github.com/otpost/otpost/blob/main/docs/guides/b2c.md#refusals"
)

// answer writes what a call came to. The session goes back with a refusal too: what was done before it was done.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, t target, result execute.Result, err error, s *execute.Session, b bond) error {
	told := (*execute.Told)(nil)
	if err != nil && !errors.As(err, &told) {
		return err
	}
	token, err := h.close(s, b)
	if err != nil {
		return err
	}
	if told != nil {
		h.logRefusal(r, t, told)
		return reply(w, http.StatusConflict, refusal(told, token, front.RequestID(r.Context())))
	}
	members := map[string]any{}
	if result.Claims != nil {
		for name, v := range result.Claims.All() {
			members[name] = v
		}
	}
	members[sessionMember] = token
	return reply(w, http.StatusOK, members)
}

func refusal(told *execute.Told, token, request string) refused {
	f := told.Failure
	developer := f.Developer
	if developer == "" {
		developer = cmp.Or(f.Profile, "The policy") + " answered " + cmp.Or(f.Key, "with a message of its own") + "."
	}
	return refused{Version: refusalVersion, Status: http.StatusConflict, Code: cmp.Or(f.Code, f.Key), UserMessage: told.Text,
		DeveloperMessage: developer, RequestID: cmp.Or(f.RequestID, request), MoreInfo: cmp.Or(f.MoreInfo, moreInfo), Session: token}
}

// logRefusal leaves one line for whoever asks why people do not get in; no claim is in it.
func (h *Handler) logRefusal(r *http.Request, t target, told *execute.Told) {
	h.Log.LogAttrs(r.Context(), slog.LevelInfo, "policy refused", slog.String("target", t.String()), slog.String("reason", told.Failure.Key),
		slog.Any("error", told.Failure), slog.String(front.RequestIDKey, front.RequestID(r.Context())))
}

// fail answers for an error that is no refusal of the policy.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var problem front.Problem
	if errors.As(err, &problem) {
		problem.Write(w, r)
		return
	}
	var misuse *trustframework.Misuse
	if errors.As(err, &misuse) {
		h.logMisuse(r, misuse)
		front.Problem{Status: http.StatusUnprocessableEntity, Code: "policy_misuse", Title: "Policy cannot be run as it is written",
			Detail: sentence(misuse.Error())}.Write(w, r)
		return
	}
	front.Fail(w, r, h.Log, "run policy", err)
}

func (h *Handler) logMisuse(r *http.Request, misuse *trustframework.Misuse) {
	h.Log.LogAttrs(r.Context(), slog.LevelWarn, "policy cannot be run", slog.String("at", misuse.At.String()), slog.Any("error", misuse),
		slog.String(front.RequestIDKey, front.RequestID(r.Context())))
}

func reply(w http.ResponseWriter, status int, content any) error {
	body, err := json.Marshal(content)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // a client that left has nothing to be told
	return nil
}
