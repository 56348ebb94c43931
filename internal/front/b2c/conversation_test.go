package b2c_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/otpost/otpost/internal/front/conversation"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

var update = flag.Bool("update", false, "rewrite the conversations with what the door says now")

func recorder() conversation.Recorder { return conversation.Recorder{Update: *update} }

// TestConversations replays testdata/*.txtar through the door. An archive is a list of steps: "handler" changes a
// setting, "runner" says what the runner will answer, "request" is sent, "asked" is what the runner was then asked and
// "response" what came back, which the contract must have. {token} stands for the token that was answered last, and in an answer a token is shown as what
// is in it.
func TestConversations(t *testing.T) { recorder().Replay(t, replay) }

var token = regexp.MustCompile(`"otpost_session":"([A-Za-z0-9_-]+)"`)

func replay(t *testing.T, archive *txtar.Archive) {
	d := newDoor(t)
	handler, contract := d.mounted(t), contractOf(t)
	last := ""
	var response *httptest.ResponseRecorder
	for i := range archive.Files {
		part := &archive.Files[i]
		text := strings.TrimSpace(string(part.Data))
		switch part.Name {
		case "handler":
			if text != "by_identifier" {
				t.Fatalf("unknown setting %q", text)
			}
			d.ByIdentifier = true
		case "runner":
			d.runner.run = answering(t, text)
		case "request":
			d.runner.asked = nil
			response = httptest.NewRecorder()
			request := conversation.Request(t, strings.ReplaceAll(string(part.Data), "{token}", last))
			handler.ServeHTTP(response, request)
			hold(t, contract, request, response)
			if found := token.FindStringSubmatch(response.Body.String()); found != nil {
				last = found[1]
			}
		case "asked":
			recorder().Expect(t, part, asked(d.runner))
		case "response":
			recorder().Expect(t, part, token.ReplaceAllStringFunc(conversation.Response(t, response), reveal))
		default:
			t.Fatalf("unknown part %q", part.Name)
		}
	}
}

func reveal(member string) string {
	plain, err := base64.RawURLEncoding.DecodeString(token.FindStringSubmatch(member)[1])
	if err != nil {
		return member
	}
	return `"otpost_session":{` + strings.ReplaceAll(string(plain), "\n", ": ") + "}"
}

// answering reads "ok NAME=VALUE ...", "keep NAME=VALUE" which sets a claim of the session, "told KEY TEXT", "service TEXT",
// "misuse" or "error TEXT".
func answering(t *testing.T, text string) func(execute.Request) (execute.Result, error) {
	t.Helper()
	what, rest, _ := strings.Cut(text, " ")
	return func(q execute.Request) (execute.Result, error) {
		switch what {
		case "ok", "keep":
			out := &claim.Bag{}
			for pair := range strings.FieldsSeq(rest) {
				name, value, _ := strings.Cut(pair, "=")
				declared, ok := q.Policy.Claim(name)
				if !ok {
					t.Fatalf("no claim %s", name)
				}
				v, err := claim.Parse(claim.TypeOf(declared.DataType), value)
				if err != nil {
					t.Fatal(err)
				}
				out.Set(name, v)
			}
			if what == "keep" {
				q.Session.Claims.Merge(out)
			}
			return execute.Result{Claims: out}, nil
		case "told":
			key, text, _ := strings.Cut(rest, " ")
			q.Session.Retries = map[string]int{"signup": 1}
			return execute.Result{}, &execute.Told{Text: text, Failure: &trustframework.Failure{Key: key, Default: text, Profile: q.Profile}}
		case "service":
			return execute.Result{}, &execute.Told{Text: rest, Failure: &trustframework.Failure{Message: rest, Code: "E7", Developer: "Say less.", RequestID: "r-1", MoreInfo: "https://api.example/e7"}}
		case "misuse":
			return execute.Result{}, &trustframework.Misuse{At: q.Policy.At, Element: "technical profile " + q.Profile, Reason: "has no Operation; write one"}
		}
		return execute.Result{}, errors.New(rest)
	}
}

// asked is what the runner was asked, one line each.
func asked(r *runner) string {
	if len(r.asked) == 0 {
		return "nothing\n"
	}
	var out strings.Builder
	for _, q := range r.asked {
		fmt.Fprintf(&out, "policy %s %s, host %q\n", q.Policy.ID, strings.TrimSpace(q.Profile+" "+q.Control+" "+q.Action), q.Host)
		for name, v := range q.Claims.All() {
			text, _ := json.Marshal(v)
			fmt.Fprintf(&out, "claim %s %s %s\n", name, v.Type(), text)
		}
		fmt.Fprintf(&out, "session %q of %s, tries %v\n", q.Session.ID, q.Session.Policy, q.Session.Retries)
		for name, v := range q.Session.Claims.All() {
			fmt.Fprintf(&out, "session's claim %s %s %s\n", name, v.Type(), v)
		}
		s := q.Scene
		fmt.Fprintf(&out, "scene %s/%s at %s, locale %q, ip %s, correlation %q, wait %s\n", s.Tenant, s.Application, s.Host, s.Locale, s.IP, s.CorrelationID, s.Wait)
		for _, m := range []struct {
			name string
			of   map[string]string
		}{{"oidc", s.OIDC}, {"query", s.Query}} {
			for _, k := range slices.Sorted(maps.Keys(m.of)) {
				fmt.Fprintf(&out, "%s %s=%s\n", m.name, k, m.of[k])
			}
		}
	}
	return out.String()
}
