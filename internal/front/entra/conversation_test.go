package entra_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/front/conversation"
	"github.com/otpost/otpost/internal/front/entra"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

var update = flag.Bool("update", false, "rewrite the conversations with what the door says now")

// TestConversations replays testdata/*.txtar through the door. An archive is a list of steps: "handler" changes a
// setting, "engine" says what the engine will answer, "request" is sent, "relay" is what the engine was then asked
// and "response" what came back, byte for byte. {token} and its like stand for tokens, {event} for the part "event".
func TestConversations(t *testing.T) { recorder().Replay(t, replay) }

func recorder() conversation.Recorder { return conversation.Recorder{Update: *update} }

func replay(t *testing.T, archive *txtar.Archive) {
	engine := new(stub)
	handler := newHandler(t, engine)
	mux := http.NewServeMux()
	handler.Mount(mux)
	tokens := []string{
		"{token}", mint(t, tenantID, extension.Grant{Audience: appID}),
		"{v1}", mint(t, tenantID, extension.Grant{Audience: "api://otp.example.net/" + appID, Version: extension.V1}),
		"{foreign}", mint(t, tenantID, extension.Grant{Audience: "00000003-0000-0000-c000-000000000000"}),
		"{client}", mint(t, tenantID, extension.Grant{Audience: appID, Party: appID}),
		"{other}", mint(t, otherID, extension.Grant{Audience: appID}),
	}
	var event string
	var response *httptest.ResponseRecorder
	for i := range archive.Files {
		part := &archive.Files[i]
		switch part.Name {
		case "handler":
			configure(t, handler, string(part.Data))
		case "engine":
			instruct(t, engine, strings.TrimSpace(string(part.Data)))
		case "event":
			event = string(part.Data)
		case "request":
			engine.relays = nil
			response = httptest.NewRecorder()
			mux.ServeHTTP(response, conversation.Request(t, strings.NewReplacer(append(tokens, "{event}", event)...).Replace(string(part.Data))))
		case "relay":
			recorder().Expect(t, part, relays(t, engine))
		case "response":
			recorder().Expect(t, part, dump(t, response))
		default:
			t.Fatalf("unknown part %q", part.Name)
		}
	}
}

func configure(t *testing.T, h *entra.Handler, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "function_key":
			h.FunctionKey = value
		case "answer_unknown":
			h.AnswerUnknown, _ = strconv.Atoi(value)
		default:
			t.Fatalf("unknown setting %q", name)
		}
	}
}

// instruct reads "accepted", "not_sent", "unknown", "joined", "error TEXT" or "refuse REASON SECONDS DETAIL".
func instruct(t *testing.T, s *stub, text string) {
	t.Helper()
	words := strings.SplitN(text, " ", 4)
	s.relayed, s.err = passcode.Relayed{}, nil
	switch words[0] {
	case "joined":
		s.relayed = verdict(outbox.Taken)
		s.relayed.Joined = true
	case "error":
		s.err = errors.New(text)
	case "refuse":
		r := &passcode.Refusal{Reason: passcode.Reason(words[1]), Detail: words[3]}
		if seconds, err := strconv.Atoi(words[2]); err != nil {
			t.Fatal(err)
		} else if seconds > 0 {
			r.RetryAt = noon.Add(time.Duration(seconds) * time.Second)
		}
		s.err = r
	default:
		s.relayed = verdict(outbox.Verdict(text))
	}
}

func relays(t *testing.T, s *stub) string {
	t.Helper()
	if len(s.relays) == 0 {
		return "none\n"
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	for _, r := range s.relays {
		if err := enc.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// dump is a response as it is recorded. A 200 that is not the documented answer would be believed.
func dump(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Code == http.StatusOK && w.Body.String() != extension.Continue {
		t.Errorf("200 with %q", w.Body)
	}
	return conversation.Response(t, w)
}
