package entra_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/front/entra"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

var update = flag.Bool("update", false, "rewrite the conversations with what the door says now")

// TestConversations replays testdata/*.txtar through the door. An archive is a list of steps: "handler" changes a
// setting, "engine" says what the engine will answer, "request" is sent, "relay" is what the engine was then asked
// and "response" what came back, byte for byte. {token} and its like stand for tokens, {event} for the part "event".
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			replay(t, archive)
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

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
			mux.ServeHTTP(response, parseRequest(t, strings.NewReplacer(append(tokens, "{event}", event)...).Replace(string(part.Data))))
		case "relay":
			expect(t, part, relays(t, engine))
		case "response":
			expect(t, part, dump(t, response))
		default:
			t.Fatalf("unknown part %q", part.Name)
		}
	}
}

func expect(t *testing.T, part *txtar.File, got string) {
	t.Helper()
	if *update {
		part.Data = []byte(got)
	}
	if want := string(part.Data); got != want {
		t.Errorf("%s:\ngot\n%s\nwant\n%s", part.Name, got, want)
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

func parseRequest(t *testing.T, text string) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\n\n")))
	if err != nil {
		t.Fatal(err)
	}
	if size, ok := strings.CutPrefix(strings.TrimSpace(body), "{zeros "); ok {
		n, _ := strconv.Atoi(strings.TrimSuffix(size, "}"))
		body = strings.Repeat("0", n)
	}
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return r
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

func dump(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	resp := w.Result()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK && string(body) != extension.Continue {
		t.Errorf("200 with %q", body)
	}
	var names []string
	for name := range resp.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	var out strings.Builder
	fmt.Fprintf(&out, "%d %s\n", resp.StatusCode, http.StatusText(resp.StatusCode))
	for _, name := range names {
		fmt.Fprintf(&out, "%s: %s\n", name, strings.Join(resp.Header[name], " | "))
	}
	fmt.Fprintf(&out, "\n%s\n", body)
	return out.String()
}
