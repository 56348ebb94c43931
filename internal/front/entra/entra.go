// Package entra is the door that Microsoft Entra External ID knocks at to have a passcode sent: the receiver of the
// OnOtpSend event. It answers inside Entra's deadline, and it answers the truth, so that Entra's own fallback fires
// when nothing was sent and only then.
package entra

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// Defaults of a Handler.
const (
	// DefaultBudget leaves a fifth of Entra's default timeout of 1000 ms to the network
	// (Graph, customExtensionClientConfiguration).
	DefaultBudget = 800 * time.Millisecond
	// DefaultLifetime is how long Entra's codes live ("Email one-time passcode authentication": 30 minutes).
	DefaultLifetime = 30 * time.Minute
)

const (
	maxBody  = 64 << 10
	maxDepth = 16
	// grace is how long after the deadline the engine may still take to commit what it decided.
	grace = 5 * time.Second
)

// Engine sends a code that the caller made.
type Engine interface {
	// Relay returns when it knows what became of the code, or when r.AnswerBy has come.
	Relay(ctx context.Context, r passcode.Relay) (passcode.Relayed, error)
}

// Verifier decides whether a token is Entra's. The error is an *extension.Refused.
type Verifier interface {
	Verify(ctx context.Context, token string) (extension.Identity, error)
}

// Handler receives OnOtpSend events.
type Handler struct {
	Engine   Engine
	Verifier Verifier
	// Budget is from the arrival of a request to its answer; zero means 800 ms.
	Budget time.Duration
	// FunctionKey, when set, is a second gate: the request must carry it as ?code= or in x-functions-key, as it did
	// when an Azure Function answered here.
	FunctionKey string
	// AnswerUnknown is the status at the deadline when it is not known whether the code was sent: 200 (also meant by
	// zero), the engine having taken the delivery over for good, which leaves a person without a code if every provider
	// fails later; or 503, after which the engine tries no more, though a try under way may make it two messages.
	AnswerUnknown int
	// Lifetime is how long Entra's codes live; zero means 30 minutes.
	Lifetime time.Duration
	// Tenant is the tenant of ours in which deliveries are recorded.
	Tenant string
	// AnyTenant takes events that speak of another tenant than their token, for a demonstration to which examples are
	// posted as they stand in documents.
	AnyTenant bool
	// Application is on whose behalf a code is sent; nil means the event's own client application.
	Application func(extension.Event) passcode.Application
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Log gets one line per request; nil means none is written.
	Log *slog.Logger
	// Observe is told of every answer; nil means nobody is.
	Observe func(Observation)
}

// Observation is one answer, for metrics.
type Observation struct {
	Status int
	// Code is that of the problem, empty for 200.
	Code string
	// Refused is why the token opened nothing, empty when it did.
	Refused extension.Reason
	// Verdict is what the engine said, empty when it was not asked or said no.
	Verdict outbox.Verdict
	// Joined is true when the event was Entra's own retry.
	Joined bool
	Took   time.Duration
}

// Mount registers the event's path, and the paths under which an Azure Function used to answer. All methods are
// registered, so that a wrong one gets this door's answer.
func (h *Handler) Mount(routes front.Routes) {
	routes.Handle("/entra/otp-send", h)
	routes.Handle("/api/{function}", h)
}

// visit is one request on its way through the door.
type visit struct {
	arrived  time.Time
	event    extension.Event
	delivery string
	seen     Observation
	// err is what went wrong, for the log.
	err error
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := visit{arrived: h.now()}
	p := h.receive(w, r, &v)
	v.seen.Status = http.StatusOK
	if p != nil {
		v.seen.Status, v.seen.Code = p.status, p.code
	}
	v.seen.Took = h.now().Sub(v.arrived)
	if h.Observe != nil {
		h.Observe(v.seen)
	}
	h.log(r, &v)

	w.Header().Set("Cache-Control", "no-store")
	if p != nil {
		p.write(w, r, h.now())
		return
	}
	faultpoint.Here("relay.before_answer")
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, extension.Continue)
}

// receive is the whole exchange: nil means that Entra is told the code is on its way. Nothing of the body is read
// before the token is found good.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request, v *visit) *problem {
	if r.Method != http.MethodPost {
		return &problem{kind: methodNotAllowed, allow: http.MethodPost}
	}
	caller, p := h.admit(r, v)
	if p != nil {
		return p
	}
	if !isJSON(r.Header) {
		return &problem{kind: unsupportedMediaType, detail: "Send the event as application/json."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		v.err = err
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			return &problem{kind: bodyTooLarge}
		}
		return &problem{kind: invalidEvent, detail: "The body could not be read."}
	}
	v.event, err = extension.Decode(body, maxDepth)
	if err != nil {
		v.err = err
		return &problem{kind: invalidEvent, detail: err.Error() + "."}
	}
	if !h.AnyTenant && !strings.EqualFold(v.event.TenantID, caller.Tenant) {
		return &problem{kind: wrongTenant, detail: "data.tenantId is not the tenant that the token comes from."}
	}
	if p := checkEvent(&v.event); p != nil {
		return p
	}
	return h.relay(r, v)
}

// relay hands the code to the engine. The delivery is durable, so it goes on when Entra hangs up.
func (h *Handler) relay(r *http.Request, v *visit) *problem {
	budget := orDefault(h.Budget, DefaultBudget)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), budget+grace)
	defer cancel()
	relayed, err := h.Engine.Relay(ctx, h.translate(v.event, v.arrived, budget))
	if err != nil {
		v.err = err
		return refusal(err)
	}
	v.delivery, v.seen.Verdict, v.seen.Joined = relayed.Delivery.ID, relayed.Outcome.Verdict, relayed.Joined
	switch relayed.Outcome.Verdict {
	case outbox.Taken:
		return nil
	case outbox.NotSent:
		return &problem{kind: notSent, retryAt: v.arrived}
	case outbox.Unknown:
		// What was given up will not be tried again, so saying "sent" could leave a person without a code.
		state := relayed.Outcome.State
		if h.AnswerUnknown == http.StatusServiceUnavailable || state == outbox.Failed || state == outbox.Stale {
			return &problem{kind: unknownOutcome, retryAt: v.arrived}
		}
		return nil
	}
	return &problem{kind: internalError}
}

func (h *Handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}
