// Package conversation replays what is recorded of a door in testdata/*.txtar, byte for byte, for the tests of doors.
package conversation

import (
	"bufio"
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
)

// Recorder replays archives, or writes them anew.
type Recorder struct {
	// Update is whether what a door says now replaces what was recorded.
	Update bool
}

// Replay gives every archive in testdata to play, whose parts Expect may change, as a test of its own.
func (r Recorder) Replay(t *testing.T, play func(t *testing.T, archive *txtar.Archive)) {
	t.Helper()
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
			play(t, archive)
			if r.Update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// Expect compares a part with what there is now.
func (r Recorder) Expect(t *testing.T, part *txtar.File, got string) {
	t.Helper()
	if r.Update {
		part.Data = []byte(got)
	}
	if want := string(part.Data); got != want {
		t.Errorf("%s:\ngot\n%s\nwant\n%s", part.Name, got, want)
	}
}

// Request reads a request as it is recorded; {zeros N} stands for a body of that many noughts.
func Request(t *testing.T, text string) *http.Request {
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

// Response is an answer as it is recorded: status, headers in order, body.
func Response(t *testing.T, w *httptest.ResponseRecorder) string {
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
