package auth0_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/otpost/otpost/internal/front/auth0"
	"github.com/otpost/otpost/internal/front/conversation"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/registry"
)

var update = flag.Bool("update", false, "rewrite the conversations with what the door says now")

// TestConversations replays testdata/*.txtar, each on settings of its own. "webhook" gives the deployment a webhook,
// "sender" a sender address, "apply" changes documents as somebody else would, "request" is sent, "response" is what
// came back, byte for byte, "documents" are those that are then stored, secrets in the clear.
func TestConversations(t *testing.T) { recorder().Replay(t, replay) }

func recorder() conversation.Recorder { return conversation.Recorder{Update: *update} }

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
			mux.ServeHTTP(response, conversation.Request(t, string(part.Data)))
		case "response":
			recorder().Expect(t, part, conversation.Response(t, response))
		case "documents":
			recorder().Expect(t, part, shelf.text(t))
		default:
			t.Fatalf("unknown part %q", part.Name)
		}
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
