//go:build unix

package browser

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
)

type object = map[string]any

// refusal is a driver's error (WebDriver §6.6).
type refusal struct {
	Code    string `json:"error"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Code + ": " + r.Message }

// try sends a command and reads its value into the shape of into, which may be nil (WebDriver §6.1 to 6.5).
func (b *Browser) try(method, path string, content, into any) error {
	var body bytes.Buffer
	if method == http.MethodPost {
		if content == nil {
			content = object{}
		}
		if err := json.NewEncoder(&body).Encode(content); err != nil {
			return err
		}
	}
	r, err := http.NewRequest(method, b.base+path, &body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	answer, err := b.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var envelope struct {
		Value json.RawMessage `json:"value"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&envelope); err != nil {
		return fmt.Errorf("%s: %w", answer.Status, err)
	}
	if answer.StatusCode != http.StatusOK {
		refused := &refusal{}
		if err := json.Unmarshal(envelope.Value, refused); err != nil {
			return fmt.Errorf("%s: %s", answer.Status, envelope.Value)
		}
		return refused
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(envelope.Value, into)
}

// call is try for what has to go well.
func (b *Browser) call(method, path string, content, into any) {
	b.t.Helper()
	if err := b.try(method, path, content, into); err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
}

// Open goes to an address and returns when the page is loaded.
func (b *Browser) Open(address string) {
	b.t.Helper()
	b.call("POST", "/url", object{"url": address}, nil)
}

// Address is that of the page.
func (b *Browser) Address() (address string) {
	b.t.Helper()
	b.call("GET", "/url", nil, &address)
	return address
}

// Script runs the body of a function in the page, whose arguments array has args, and reads what it returns into into,
// which may be nil. It runs where the page's own scripts do not, too.
func (b *Browser) Script(into any, body string, args ...any) {
	b.t.Helper()
	if args == nil {
		args = []any{}
	}
	b.call("POST", "/execute/sync", object{"script": body, "args": args}, into)
}

// Picture is what the window shows, as PNG.
func (b *Browser) Picture() []byte {
	b.t.Helper()
	var text string
	b.call("GET", "/screenshot", nil, &text)
	picture, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		b.t.Fatal(err)
	}
	return picture
}

// protocol sends a command of Chromium's own protocol (https://chromedevtools.github.io/devtools-protocol/).
func (b *Browser) protocol(command string, params object) {
	b.t.Helper()
	b.call("POST", "/goog/cdp/execute", object{"cmd": command, "params": params}, nil)
}

// Prefer says which colours the person prefers: "light" or "dark".
func (b *Browser) Prefer(scheme string) {
	b.t.Helper()
	b.protocol("Emulation.setEmulatedMedia", object{"features": []object{{"name": "prefers-color-scheme", "value": scheme}}})
}

// Screen gives the page so many pixels of CSS, each of which is zoom pixels wide: 640 wide at 2 is a window of 1280 at 200 %.
func (b *Browser) Screen(width, height int, zoom float64) {
	b.t.Helper()
	b.protocol("Emulation.setDeviceMetricsOverride", object{"width": width, "height": height, "deviceScaleFactor": zoom, "mobile": false})
}

// Language is what the browser asks pages for from now on, as in Accept-Language.
func (b *Browser) Language(tags string) {
	b.t.Helper()
	b.protocol("Network.enable", object{})
	b.protocol("Network.setExtraHTTPHeaders", object{"headers": object{"Accept-Language": tags}})
}

// ScriptsOff keeps pages from running scripts.
func (b *Browser) ScriptsOff() {
	b.t.Helper()
	b.protocol("Emulation.setScriptExecutionDisabled", object{"value": true})
}

// Entry is a line of the browser's console.
type Entry struct {
	Level, Source, Message string
}

// Console returns what came to the console since it was asked last: errors of scripts, violations of the content policy,
// resources that could not be loaded.
func (b *Browser) Console() (entries []Entry) {
	b.t.Helper()
	b.call("POST", "/se/log", object{"type": "browser"}, &entries)
	return entries
}
