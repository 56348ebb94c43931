package rest_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/rest"
	"github.com/otpost/otpost/internal/passcode"
)

var update = flag.Bool("update", false, "rewrite the recorded answers")

// newDoor is the door behind its entrance, as a server has it.
func newDoor(t testing.TB, engine passcode.Verbs, auth access.Authenticator, log io.Writer) http.Handler {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, nil))
	shell, err := front.NewShell(logger)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	devices := deviceStub{&stub{}}
	if s, ok := engine.(*stub); ok {
		devices.stub = s
	}
	if err := (&rest.Handler{Engine: engine, Authenticators: devices, Access: auth, Log: logger, Shell: shell, Now: noon}).Mount(mux); err != nil {
		t.Fatal(err)
	}
	return front.Entrance{Shell: shell, Log: logger, Now: noon}.Handler(mux)
}

// exchange is one request of a conversation: what the engine is to do, what it was asked, what came back.
type exchange struct {
	name                          string
	engine, request, asked, reply string
}

// play sends the request as its text stands.
func (x *exchange) play(t *testing.T) (*http.Request, *http.Response) {
	t.Helper()
	head, body, _ := strings.Cut(strings.TrimSuffix(x.request, "\n"), "\n\n")
	head = strings.ReplaceAll(head, "\n", "\r\n")
	text := fmt.Sprintf("%s\r\nHost: otpost.example\r\nX-Request-Id: r-%s\r\nContent-Length: %d\r\n\r\n%s", head, "1", len(body), body)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatalf("%s: read request: %v", x.name, err)
	}
	sent := r.Clone(t.Context())
	sent.Body = io.NopCloser(strings.NewReader(body))
	engine := &stub{}
	if plan := strings.TrimSpace(x.engine); plan != "" {
		engine.plan = strings.Split(plan, "\n")
	}
	w := httptest.NewRecorder()
	newDoor(t, engine, keys{}, io.Discard).ServeHTTP(w, r)
	x.asked = strings.Join(engine.asked, "\n")
	if x.asked != "" {
		x.asked += "\n"
	}
	answer := w.Result()
	x.reply = textOf(answer, w.Body.String())
	answer.Body = io.NopCloser(bytes.NewReader(w.Body.Bytes()))
	return sent, answer
}

// textOf is an answer as it stands in the archive: the headers that the door sets, sorted, then the body.
func textOf(answer *http.Response, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\n", answer.StatusCode, http.StatusText(answer.StatusCode))
	var names []string
	for name := range answer.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range answer.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", body)
	return b.String()
}

// conversations reads every archive.
func conversations(t *testing.T) map[string][]exchange {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	all := map[string][]exchange{}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			name, part, ok := cutLast(f.Name, ": ")
			if !ok {
				t.Fatalf("%s: section %q is not NAME: PART", path, f.Name)
			}
			xs := all[path]
			if len(xs) == 0 || xs[len(xs)-1].name != name {
				xs = append(xs, exchange{name: name})
			}
			x := &xs[len(xs)-1]
			switch part {
			case "engine":
				x.engine = string(f.Data)
			case "request":
				x.request = string(f.Data)
			case "asked":
				x.asked = string(f.Data)
			case "answer":
				x.reply = string(f.Data)
			default:
				t.Fatalf("%s: %s: unknown part %q", path, name, part)
			}
			all[path] = xs
		}
	}
	return all
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func TestConversations(t *testing.T) {
	for path, recorded := range conversations(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			played := slices.Clone(recorded)
			for i := range played {
				played[i].play(t)
				if *update {
					continue
				}
				if got, want := played[i].asked, recorded[i].asked; got != want {
					t.Errorf("%s: the engine was asked\n%s\nwant\n%s", played[i].name, got, want)
				}
				if got, want := played[i].reply, recorded[i].reply; got != want {
					t.Errorf("%s: the answer is\n%s\nwant\n%s", played[i].name, got, want)
				}
			}
			if *update {
				save(t, path, played)
			}
		})
	}
}

func save(t *testing.T, path string, xs []exchange) {
	t.Helper()
	old, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	archive := &txtar.Archive{Comment: old.Comment}
	for _, x := range xs {
		for _, part := range []struct{ name, text string }{
			{"engine", x.engine}, {"request", x.request}, {"asked", x.asked}, {"answer", x.reply},
		} {
			if part.text != "" {
				archive.Files = append(archive.Files, txtar.File{Name: x.name + ": " + part.name, Data: []byte(part.text)})
			}
		}
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
