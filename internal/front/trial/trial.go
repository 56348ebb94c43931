// Package trial is the door through which a provider is tried: one real message, through it alone, and what became of it.
package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
)

// Handler is the door. It wants an admin key.
type Handler struct {
	// Relay is the engine's: the message takes the way that every message takes.
	Relay func(ctx context.Context, r passcode.Relay) (passcode.Relayed, error)
	// Attempts reads what each try of a delivery came to.
	Attempts func(ctx context.Context, delivery string) ([]outbox.Attempt, error)
	// Channels are those that a provider carries; ok is false for a provider that there is not.
	Channels func(name string) (channels []outbox.Channel, ok bool)
	// Code draws a code that opens nothing, and says how long such codes live.
	Code func() (code string, lifetime time.Duration, err error)
	// Advise says what to do about an attempt that failed.
	Advise func(name string, a outbox.Attempt) string
	// Findings looks at a provider's account and the way to it.
	Findings func(ctx context.Context, name string) []provider.Finding

	Access access.Authenticator
	// Tenant is the one whose providers these are.
	Tenant string
	Log    *slog.Logger
	// Now is the clock, nil for time.Now.
	Now func() time.Time
}

// Pattern is the door's only path.
const Pattern = "POST /v1/providers/{name}/test"

// Mount adds the path of the door.
func (h *Handler) Mount(routes front.Routes) {
	if h.Now == nil {
		h.Now = time.Now
	}
	if h.Log == nil {
		h.Log = slog.New(slog.DiscardHandler)
	}
	gate := front.Gate{Access: h.Access, Log: h.Log, Admin: true}
	routes.Handle(Pattern, gate.Guard(func(w http.ResponseWriter, r *http.Request, c access.Caller) {
		if err := h.serve(w, r, c); err != nil {
			h.fail(w, r, err)
		}
	}))
}

// tried is the answer.
type tried struct {
	Verdict  outbox.Verdict `json:"verdict"`
	Provider string         `json:"provider"`
	Delivery string         `json:"delivery"`
	Attempts []attempt      `json:"attempts"`
	Advice   string         `json:"advice"`
	// Findings are left out when the provider took the message.
	Findings []provider.Finding `json:"findings,omitempty"`
}

type attempt struct {
	Class  outbox.Class `json:"class,omitempty"`
	Code   string       `json:"code,omitempty"`
	Detail string       `json:"detail,omitempty"`
	TookMS int64        `json:"took_ms"`
	Ref    string       `json:"ref,omitempty"`
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	name := r.PathValue("name")
	channels, ok := h.Channels(name)
	if !ok || c.Tenant != h.Tenant {
		return front.Problem{Status: http.StatusNotFound, Code: "unknown_provider", Title: "No such provider",
			Detail: "There is no provider of this name. GET /v1/providers lists those that are set up."}
	}
	q, err := read(w, r)
	if err != nil {
		return err
	}
	if to, err := passcode.ParseAddress(q.To); err == nil && !slices.Contains(channels, to.Channel) {
		return invalid("to", fmt.Sprintf("is a recipient of %s, and the provider carries %s", to.Channel, words(channels)))
	}
	code, lifetime, err := h.Code()
	if err != nil {
		return err
	}
	request := passcode.Relay{Tenant: c.Tenant, Application: q.application(), To: q.To, Code: code, Purpose: q.purpose(), Locale: q.Locale,
		Lifetime: lifetime, Provider: name, AnswerBy: h.Now().Add(q.wait()), Dedup: []string{"test", front.RequestID(r.Context()), r.Pattern, strconv.FormatInt(h.Now().UnixNano(), 36)}}
	request.KeepFallback = true // nobody waits for the message once the answer is given
	relayed, err := h.Relay(r.Context(), request)
	if err != nil {
		return err
	}
	return h.answer(w, r, name, &relayed)
}

func words(channels []outbox.Channel) string {
	var list []string
	for _, c := range channels {
		list = append(list, string(c))
	}
	return strings.Join(list, " and ")
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request, name string, relayed *passcode.Relayed) error {
	attempts, err := h.Attempts(r.Context(), relayed.Delivery.ID)
	if err != nil {
		return err
	}
	t := tried{Verdict: relayed.Outcome.Verdict, Provider: name, Delivery: relayed.Delivery.ID, Attempts: []attempt{}}
	for _, a := range attempts {
		t.Attempts = append(t.Attempts, attempt{a.Class, a.Code, a.Detail, a.Took.Milliseconds(), a.Ref})
	}
	switch {
	case t.Verdict == outbox.Taken:
		t.Advice = "The provider took the message. Whether it arrived, the inbox shows, and a delivery report where they are set up."
	case len(attempts) == 0 && t.Verdict == outbox.NotSent:
		t.Advice = "Nobody began to send it in time, and now nobody will. Look whether a worker is running and not busy, or wait longer."
	case len(attempts) == 0:
		t.Advice = "The provider has not answered yet. Wait longer with wait_ms, and look into the inbox before trying again."
	default:
		t.Advice = h.Advise(name, attempts[len(attempts)-1])
	}
	if t.Verdict != outbox.Taken {
		t.Findings = h.Findings(r.Context(), name)
	}
	h.Log.LogAttrs(r.Context(), slog.LevelInfo, "provider tried", slog.String("provider", name), slog.String("verdict", string(t.Verdict)),
		slog.String("delivery", t.Delivery), slog.String(front.RequestIDKey, front.RequestID(r.Context())))
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // a client that left has nothing to be told
	return nil
}
