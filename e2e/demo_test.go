package e2e_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/extension/emulate"
	"github.com/otpost/otpost/proof/rig"
)

// demoLine is what demo --output json prints once it can be used.
type demoLine struct {
	PublicURL   string `json:"public_url"`
	ConsoleURL  string `json:"console_url"`
	InboxURL    string `json:"inbox_url"`
	EntraURL    string `json:"entra_url"`
	APIKey      string `json:"api_key"`
	EntraToken  string `json:"entra_token"`
	PoliciesURL string `json:"policies_url"`
}

// startDemo runs the demo, which has to work without a setting, and returns its line.
func startDemo(t *testing.T) demoLine {
	t.Helper()
	cmd := rig.Command(t, rig.Settings{}, "demo", "--listen", "127.0.0.1:0", "--output", "json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	})
	text, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the demo printed %q, %v", text, err)
	}
	var line demoLine
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&line); err != nil {
		t.Fatalf("the demo printed %q: %v", text, err)
	}
	return line
}

// ask sends one request with a bearer token and returns status and body.
func ask(t *testing.T, method, address, token, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// newestCode waits for a message to an address and returns the passcode's id and the code, which begins the subject.
func newestCode(t *testing.T, d demoLine, to string) (id, code string) {
	t.Helper()
	rig.Await(t, "a message in the inbox", func() bool {
		_, text := ask(t, "GET", d.PublicURL+"/v1/inbox?to="+url.QueryEscape(to), "", "")
		var inbox struct {
			Messages []struct {
				Subject  string `json:"subject"`
				Passcode string `json:"passcode_id"`
			} `json:"messages"`
		}
		if err := json.Unmarshal([]byte(text), &inbox); err != nil || len(inbox.Messages) == 0 {
			return false
		}
		code, _, _ = strings.Cut(inbox.Messages[0].Subject, " ")
		id = inbox.Messages[0].Passcode
		return true
	})
	return id, code
}

func TestTheDemoNeedsNothing(t *testing.T) {
	d := startDemo(t)
	status, text := ask(t, "POST", d.PublicURL+"/v1/passcodes", d.APIKey, `{"to":"Lea@example.org","locale":"de"}`)
	if status != 201 {
		t.Fatalf("issue: %d %s", status, text)
	}
	id, code := newestCode(t, d, "lea@example.org")
	status, text = ask(t, "POST", d.PublicURL+"/v1/passcodes/"+id+"/verify", d.APIKey, `{"code":"`+code+`"}`)
	if status != 200 || !strings.Contains(text, `"verified":true`) {
		t.Errorf("verify: %d %s", status, text)
	}
	// An event as it stands in a document speaks of another tenant than the demo's token.
	// On a slow machine its time can be over before anybody begins to send the code, so that it is told that nobody will.
	rig.Await(t, "an event to be answered as sent", func() bool {
		status, text := ask(t, "POST", d.EntraURL, d.EntraToken, rig.Event("ada@example.org", "40718265", "fr-fr"))
		if status != 200 && !strings.Contains(text, `"not_sent"`) {
			t.Fatalf("event: %d %s", status, text)
		}
		return status == 200
	})
	if _, code := newestCode(t, d, "ada@example.org"); code != "40718265" {
		t.Errorf("the event's mail begins with %q", code)
	}
	for _, page := range []string{d.ConsoleURL, d.InboxURL, d.PoliciesURL, d.PublicURL + "/docs", d.PublicURL + "/readyz"} {
		rig.Await(t, page, func() bool { // a slow database makes a server unready for a moment
			status, _ := ask(t, "GET", page, "", "")
			return status == 200
		})
	}
}

// TestTheEmulatorWorksAgainstTheDemo is what the README's reader types: many people, none of them limited.
func TestTheEmulatorWorksAgainstTheDemo(t *testing.T) {
	d := startDemo(t)
	stdout, stderr, code := rig.Run(t, rig.Settings{}, "emulate", "entra", "--target", d.EntraURL, "--to", "user{n}@example.org",
		"--token", d.EntraToken, "--count", "150", "--concurrency", "4", "--output", "json")
	if code != 0 && code != emulate.ExitFellBack {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	played, sent := 0, 0
	for line := range strings.Lines(stdout) {
		if !strings.HasPrefix(line, `{"event":`) {
			continue
		}
		played++
		var e rig.Emulated
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		// Less than a second can be too short for a slow machine.
		switch last := e.Attempts[len(e.Attempts)-1]; {
		case e.Outcome == "sent":
			sent++
		case last.ErrorCode != int(extension.TimedOut) && last.Status != 503:
			t.Errorf("not sent: %s", line)
		}
	}
	if played != 150 || sent == 0 {
		t.Errorf("%d events were played and %d sent, want 150\n%s", played, sent, stdout)
	}
}
