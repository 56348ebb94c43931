package auth0_test

import (
	"bufio"
	"bytes"
	"encoding/json"
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

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/otpost/otpost/internal/front/auth0"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/registry"
)

var update = flag.Bool("update", false, "rewrite the conversations with what the door says now")

// TestConversations replays testdata/*.txtar, each on settings of its own. "webhook" gives the deployment a webhook,
// "sender" a sender address, "apply" changes documents as somebody else would, "request" is sent, "response" is what
// came back, byte for byte, "documents" are those that are then stored, secrets in the clear.
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
	shelf := &shelf{}
	settings := shelf.open(t)
	door := &auth0.Handler{Access: doorkeeper{}}
	var response *httptest.ResponseRecorder
	for i := range archive.Files {
		part := &archive.Files[i]
		switch part.Name {
		case "webhook":
			settings = shelf.open(t, registry.Given{Name: "webhook", Kind: "webhook", Channels: []outbox.Channel{outbox.Email},
				Settings: map[string]string{"url": strings.TrimSpace(string(part.Data)), "secrets": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}})
		case "sender":
			door.From = strings.TrimSpace(string(part.Data))
		case "apply":
			apply(t, settings, part.Data)
		case "request":
			door.Settings = settings
			mux := http.NewServeMux()
			door.Mount(mux)
			response = httptest.NewRecorder()
			mux.ServeHTTP(response, parse(t, string(part.Data)))
		case "response":
			expect(t, part, dump(t, response))
		case "documents":
			expect(t, part, shelf.text(t))
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

// apply reads "KIND NAME BODY", one a line; without a body the document is deleted.
func apply(t *testing.T, settings *registry.Registry, text []byte) {
	t.Helper()
	var changes []registry.Change
	for line := range strings.Lines(string(text)) {
		words := strings.SplitN(strings.TrimSpace(line), " ", 3)
		change := registry.Change{Kind: registry.Kind(words[0]), Name: words[1]}
		if len(words) == 3 {
			change.Body = json.RawMessage(words[2])
		}
		changes = append(changes, change)
	}
	if _, err := settings.Apply(t.Context(), "somebody else", changes); err != nil {
		t.Fatal(err)
	}
}

// parse reads a request; {zeros N} stands for a body of that many noughts.
func parse(t *testing.T, text string) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\n\n")))
	if err != nil {
		t.Fatal(err)
	}
	if size, ok := strings.CutPrefix(strings.TrimSpace(body), "{zeros "); ok {
		n, err := strconv.Atoi(strings.TrimSuffix(size, "}"))
		if err != nil {
			t.Fatal(err)
		}
		body = strings.Repeat("0", n)
	}
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return r
}

func dump(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	answer := w.Result()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range answer.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	var out strings.Builder
	fmt.Fprintf(&out, "%d %s\n", answer.StatusCode, http.StatusText(answer.StatusCode))
	for _, name := range names {
		fmt.Fprintf(&out, "%s: %s\n", name, strings.Join(answer.Header[name], " | "))
	}
	fmt.Fprintf(&out, "\n%s\n", body)
	return out.String()
}

// text is every document as it is stored, and who wrote last.
func (s *shelf) text(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	fmt.Fprintf(&out, "revision %d by %s\n", s.revision, s.by)
	all := slices.Clone(s.documents)
	slices.SortFunc(all, func(a, b registry.Document) int { return strings.Compare(string(a.Kind)+a.Name, string(b.Kind)+b.Name) })
	for _, d := range all {
		fmt.Fprintf(&out, "%s %s %s\n", d.Kind, d.Name, d.Body)
	}
	return out.String()
}
