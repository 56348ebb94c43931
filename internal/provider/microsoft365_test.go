package provider_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

// graphContract is Graph's published document with what no caller fulfils taken out: it wants @odata.type in every object,
// spells the parameters in capitals, and names the action by its namespace.
var graphContract = published.Operation{File: "msgraph_users_sendMail_trim.json", Path: "/users/{user-id}/sendMail", Prefix: "/v1.0", Mend: func(document []byte) []byte {
	document = bytes.ReplaceAll(document, []byte("microsoft.graph.sendMail"), []byte("sendMail"))
	document = bytes.Replace(document, []byte(`"Message":`), []byte(`"message":`), 1)
	document = bytes.Replace(document, []byte(`"SaveToSentItems":`), []byte(`"saveToSentItems":`), 1)
	var whole any
	if json.Unmarshal(document, &whole) != nil {
		return document
	}
	withoutODataTypes(whole)
	document, _ = json.Marshal(whole)
	return document
}}

func withoutODataTypes(v any) {
	switch v := v.(type) {
	case map[string]any:
		if list, ok := v["required"].([]any); ok && len(list) == 1 && list[0] == "@odata.type" {
			delete(v, "required")
			delete(v, "discriminator")
		}
		for _, e := range v {
			withoutODataTypes(e)
		}
	case []any:
		for _, e := range v {
			withoutODataTypes(e)
		}
	}
}

func microsoft365Settings(a *authority) map[string]string {
	return map[string]string{"tenant_id": "contoso.example", "client_id": entraClient, "client_secret": entraSecret, "authority": a.url,
		"from": "Contoso <codes@id.example.org>", "reply_to": "Help <help@example.org>"}
}

const graphPath = "/v1.0/users/codes@id.example.org/sendMail"

const graphRef = "<" + deliveryID + "@id.example.org>"

func graphRefusal(status int, code string, class outbox.Class) answer {
	body, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": "no {to} {code} " + entraSecret,
		"innerError": map[string]string{"date": "2026-11-22T10:00:00", "request-id": "1", "client-request-id": "1"}}})
	return answer{status: status, body: string(body), class: class, code: fmt.Sprint(status, " ", code)}
}

// graphExam is what both modes have in common.
func graphExam(a *authority) candidate {
	return candidate{
		kind:           "microsoft365",
		settings:       microsoft365Settings(a),
		path:           graphPath,
		accepted:       answer{status: 202},
		ref:            graphRef,
		throttled:      graphRefusal(429, "ApplicationThrottled", outbox.Throttled),
		badRecipient:   graphRefusal(400, "ErrorInvalidRecipients", outbox.InvalidRecipient),
		badCredentials: graphRefusal(401, "InvalidAuthenticationToken", outbox.Account),
		quota:          graphRefusal(429, "ErrorExceededMessageLimit", outbox.Quota),
		down:           answer{status: 503, body: "upstream", class: outbox.Transient, code: "503"},
		others: map[string]answer{
			"mailbox busy":          graphRefusal(429, "MailboxConcurrency", outbox.Throttled),
			"server busy":           graphRefusal(503, "ErrorServerBusy", outbox.Throttled),
			"mailbox full":          graphRefusal(403, "ErrorQuotaExceeded", outbox.Quota),
			"no consent":            graphRefusal(403, "ErrorAccessDenied", outbox.Account),
			"no consent, by Entra":  graphRefusal(403, "Authorization_RequestDenied", outbox.Account),
			"send as":               graphRefusal(403, "ErrorSendAsDenied", outbox.Account),
			"no mailbox":            graphRefusal(404, "MailboxNotEnabledForRESTAPI", outbox.Account),
			"no user":               graphRefusal(404, "ErrorInvalidUser", outbox.Account),
			"bad MIME":              graphRefusal(400, "ErrorMimeContentInvalidBase64String", outbox.RejectedContent),
			"code in other letters": graphRefusal(400, "errorInvalidRecipients", outbox.InvalidRecipient),
			"unknown code":          graphRefusal(400, "ErrorNewToday", outbox.RejectedContent),
		},
		private: []string{entraSecret},
	}
}

func TestMicrosoft365(t *testing.T) {
	a := startAuthority(t, "")
	c := graphExam(a)
	c.contract = &graphContract
	c.check = func(r *http.Request, body []byte) error {
		var sent struct {
			Message struct {
				Subject, InternetMessageID string
				Body                       struct{ ContentType, Content string }
				From                       graphRecipient
				ToRecipients, CcRecipients []graphRecipient
				ReplyTo                    []graphRecipient
				InternetMessageHeaders     []struct{ Name, Value string }
			}
			SaveToSentItems *bool
		}
		if err := json.Unmarshal(body, &sent); err != nil {
			return err
		}
		m := sent.Message
		switch {
		case !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer tok-"):
			return errors.New("InvalidAuthenticationToken")
		case sent.SaveToSentItems == nil || *sent.SaveToSentItems:
			return errors.New("the code would stay in Sent Items")
		case m.InternetMessageID != graphRef:
			return errors.New("the Message-ID is not ours")
		case len(m.ToRecipients) != 1 || m.ToRecipients[0].EmailAddress.Address != "jane@example.com" || len(m.CcRecipients) != 0:
			return errors.New("ErrorInvalidRecipients")
		case m.From.EmailAddress.Address != "codes@id.example.org":
			return errors.New("ErrorSendAsDenied")
		case len(m.ReplyTo) != 1 || m.ReplyTo[0].EmailAddress.Address != "help@example.org":
			return errors.New("replies go elsewhere")
		case m.Body.ContentType != "HTML" || !strings.Contains(m.Body.Content, "482913"):
			return errors.New("the body is not the HTML")
		case len(m.InternetMessageHeaders) != 2:
			return errors.New("two headers are wanted")
		}
		for _, h := range m.InternetMessageHeaders {
			if !strings.HasPrefix(h.Name, "x-") {
				return errors.New("InvalidInternetMessageHeader")
			}
		}
		return nil
	}
	sitExam(t, c)
}

type graphRecipient struct {
	EmailAddress struct{ Address, Name string }
}

func TestMicrosoft365MIME(t *testing.T) {
	a := startAuthority(t, "")
	c := graphExam(a)
	c.settings["mode"], c.settings["save_to_sent_items"] = "mime", "true"
	c.check = func(r *http.Request, body []byte) error {
		if r.Header.Get("Content-Type") != "text/plain" {
			return errors.New("Content-Type is not text/plain")
		}
		text, err := base64.StdEncoding.DecodeString(string(body))
		if err != nil {
			return fmt.Errorf("ErrorMimeContentInvalidBase64String: %w", err)
		}
		return mimeMailIsRight(text)
	}
	sitExam(t, c)
}

func mimeMailIsRight(text []byte) error {
	m, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		return err
	}
	for name, want := range map[string]string{"Message-ID": graphRef, "To": "<jane@example.com>", "Reply-To": `"Help" <help@example.org>`, "Auto-Submitted": "auto-generated"} {
		if got := m.Header.Get(name); got != want {
			return fmt.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(m.Header["Bcc"]) > 0 || !strings.Contains(m.Header.Get("From"), "<codes@id.example.org>") {
		return fmt.Errorf("header %v", m.Header)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return fmt.Errorf("content type %q", kind)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{"text/plain", "text/html"} {
		p, err := parts.NextPart()
		if err != nil {
			return err
		}
		content, err := io.ReadAll(p)
		if err != nil || !strings.HasPrefix(p.Header.Get("Content-Type"), want) || !strings.Contains(string(content), "482913") {
			return fmt.Errorf("part %v, %v, want %s with the code", p.Header, err, want)
		}
	}
	return nil
}

// A secret must never be traded for a copy in Sent Items without a word.
func TestMicrosoft365RefusesSettings(t *testing.T) {
	a := startAuthority(t, "")
	for _, test := range []struct {
		change map[string]string
		want   string
	}{
		{map[string]string{"mode": "mime"}, "save_to_sent_items"},
		{map[string]string{"client_secret": ""}, "client_secret is missing; or set certificate"},
		{map[string]string{"certificate": "x"}, "both set"},
		{map[string]string{"reply_to": "help"}, "setting reply_to: "},
		{map[string]string{"from": "codes"}, "setting from"},
		{map[string]string{"endpoint": "https://127.0.0.1"}, "setting endpoint: "},
		{map[string]string{"endpoint": "http://graph.microsoft.com"}, "setting endpoint: "},
		{map[string]string{"authority": "https://[::1]"}, "setting authority: "},
		{map[string]string{"client_id": "otp"}, "setting client_id: "},
	} {
		settings := microsoft365Settings(a)
		delete(settings, "authority")
		maps.Copy(settings, test.change)
		_, err := kind(t, "microsoft365").Open(parsed(t, "microsoft365", settings), provider.Environment{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: got %v, want %q", test.change, err, test.want)
		}
	}
}

// graph is a fake that takes every mail, and remembers the paths and bodies.
type graph struct {
	mu     sync.Mutex
	paths  []string
	bodies []string
}

func (g *graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.paths, g.bodies = append(g.paths, r.URL.EscapedPath()), append(g.bodies, string(body))
	w.WriteHeader(http.StatusAccepted)
}

func openMicrosoft365(t *testing.T, a *authority, endpoint http.HandlerFunc, change map[string]string) outbox.Sender {
	t.Helper()
	settings := microsoft365Settings(a)
	settings["endpoint"], settings["allow_http"], settings["allow_private"] = serveHTTP(t, endpoint), "true", "true"
	maps.Copy(settings, change)
	return openKind(t, "microsoft365", settings, provider.Environment{Now: func() time.Time { return examNow }})
}

func TestMicrosoft365Mailbox(t *testing.T) {
	a, g := startAuthority(t, ""), &graph{}
	other := sampleMessage()
	other.From = "shop@id.example.org"
	odd := map[string]string{"mailbox": "codes#EXT#/../x@id.example.org"}
	for _, test := range []struct {
		change  map[string]string
		message outbox.Message
		want    string
	}{
		{nil, sampleMessage(), "codes@id.example.org"},
		{nil, other, "shop@id.example.org"},
		{map[string]string{"mailbox": "7c2b"}, other, "7c2b"},
		{odd, other, "codes%23EXT%23%2F..%2Fx@id.example.org"},
	} {
		if _, err := openMicrosoft365(t, a, g.ServeHTTP, test.change).Send(t.Context(), deliveryID, test.message); err != nil {
			t.Fatal(err)
		}
		if got, want := g.paths[len(g.paths)-1], "/v1.0/users/"+test.want+"/sendMail"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestMicrosoft365TextAlone(t *testing.T) {
	a, g := startAuthority(t, ""), &graph{}
	m := sampleMessage()
	m.HTML = ""
	if _, err := openMicrosoft365(t, a, g.ServeHTTP, map[string]string{"save_to_sent_items": "true"}).Send(t.Context(), deliveryID, m); err != nil {
		t.Fatal(err)
	}
	if b := g.bodies[0]; !strings.Contains(b, `"contentType":"Text"`) || !strings.Contains(b, `"saveToSentItems":true`) {
		t.Errorf("got %s", b)
	}
}

func TestMicrosoft365NeverSendsToWhatIsNoAddress(t *testing.T) {
	a, g := startAuthority(t, ""), &graph{}
	m := sampleMessage()
	m.To = "jane@example.com>,eve@example.com"
	_, err := openMicrosoft365(t, a, g.ServeHTTP, nil).Send(t.Context(), deliveryID, m)
	if f := fault(t, err); f.Class != outbox.InvalidRecipient || len(g.paths) != 0 {
		t.Errorf("got %v after %v", f, g.paths)
	}
}

func TestMicrosoft365ByCertificate(t *testing.T) {
	certificate, _, text := rsaCertificate(t)
	a, g := startAuthority(t, ""), &graph{}
	a.proof = func(form map[string][]string) error {
		if form["client_secret"] != nil || len(form["client_assertion"]) != 1 || len(form["client_assertion_type"]) != 1 ||
			form["client_assertion_type"][0] != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			return fmt.Errorf("AADSTS7000218: the form is %v", form)
		}
		return checkAssertion(form["client_assertion"][0], a.url+"/contoso.example/oauth2/v2.0/token", certificate, examNow)
	}
	s := openMicrosoft365(t, a, g.ServeHTTP, map[string]string{"client_secret": "", "certificate": text})
	if _, err := s.Send(t.Context(), deliveryID, sampleMessage()); err != nil {
		t.Error(err)
	}
	if a.given.Load() != 1 || len(g.paths) != 1 {
		t.Errorf("%d tokens, %d mails", a.given.Load(), len(g.paths))
	}
}

// tokenWith is a token with these roles, as Graph's look; nobody verifies its signature.
func tokenWith(roles string) func(int32) string {
	return func(int32) string {
		encode := base64.RawURLEncoding.EncodeToString
		return encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(`{"aud":"https://graph.microsoft.com","roles":`+roles+`}`)) + ".sig"
	}
}

func TestMicrosoft365Check(t *testing.T) {
	_, _, expiring := rsaCertificate(t)
	const good, doubtful, bad = provider.Good, provider.Doubtful, provider.Bad
	user := answer{status: 200, body: `{"mail":"codes@id.example.org"}`}
	consented := tokenWith(`["User.Read.All","Mail.Send"]`)
	for _, test := range []struct {
		name   string
		token  func(int32) string
		entra  http.HandlerFunc
		graph  answer
		change map[string]string
		want   string
	}{
		{"all well", consented, nil, user, nil, fmt.Sprint([]provider.FindingVerdict{good, good, good})},
		{"no consent", tokenWith(`["Mail.Read"]`), nil, user, nil, fmt.Sprint([]provider.FindingVerdict{good, doubtful, good})},
		{"no roles", tokenWith(`null`), nil, user, nil, fmt.Sprint([]provider.FindingVerdict{good, doubtful, good})},
		{"opaque token", nil, nil, user, nil, fmt.Sprint([]provider.FindingVerdict{good, doubtful, good})},
		{"may not look at users", consented, nil, graphRefusal(403, "Authorization_RequestDenied", ""), nil, fmt.Sprint([]provider.FindingVerdict{good, good, doubtful})},
		{"no such user", consented, nil, graphRefusal(404, "Request_ResourceNotFound", ""), map[string]string{"mailbox": "codes"}, fmt.Sprint([]provider.FindingVerdict{good, good, bad})},
		{"perhaps an alias", consented, nil, graphRefusal(404, "Request_ResourceNotFound", ""), nil, fmt.Sprint([]provider.FindingVerdict{good, good, doubtful})},
		{"no license", consented, nil, answer{status: 200, body: `{"mail":null}`}, nil, fmt.Sprint([]provider.FindingVerdict{good, good, doubtful})},
		{"other cloud", consented, nil, graphRefusal(401, "InvalidAuthenticationToken", ""), nil, fmt.Sprint([]provider.FindingVerdict{good, good, bad})},
		{"down", consented, nil, answer{status: 503}, nil, fmt.Sprint([]provider.FindingVerdict{good, good, doubtful})},
		{"bad secret", nil, entraError(401, "invalid_client", "AADSTS7000215: Invalid client secret."), user, nil, fmt.Sprint([]provider.FindingVerdict{bad})},
		{"Entra busy", nil, func(w http.ResponseWriter, _ *http.Request) { answer{status: 503}.write(w) }, user, nil, fmt.Sprint([]provider.FindingVerdict{doubtful})},
		{"nobody there", nil, nil, user, map[string]string{"authority": "http://127.0.0.1:1"}, fmt.Sprint([]provider.FindingVerdict{bad})},
	} {
		a := startAuthority(t, "")
		a.made, a.instead = test.token, test.entra
		s := openMicrosoft365(t, a, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.RawQuery != "$select=mail" || !strings.HasPrefix(r.URL.Path, "/v1.0/users/codes") {
				t.Errorf("%s: a check asks %s %s", test.name, r.Method, r.URL)
			}
			test.graph.write(w)
		}, test.change)
		var got []provider.FindingVerdict
		for _, f := range s.(provider.Checker).Check(t.Context()) {
			got = append(got, f.Verdict)
			if f.Subject == "" || f.Found == "" || (f.Do == "") != (f.Verdict == good) || strings.Contains(f.Found+f.Do, entraSecret) {
				t.Errorf("%s: %+v", test.name, f)
			}
		}
		if fmt.Sprint(got) != test.want {
			t.Errorf("%s: got %v, want %s", test.name, got, test.want)
		}
	}
	for name, test := range map[string]struct {
		now  time.Time
		want provider.FindingVerdict
	}{
		"in time": {examNow, good}, "soon": {examNow.AddDate(1, 0, -7), doubtful}, "late": {examNow.AddDate(1, 0, 1), bad}, "early": {examNow.AddDate(-2, 0, 0), bad},
	} {
		a := startAuthority(t, "")
		a.proof = func(map[string][]string) error { return nil }
		settings := microsoft365Settings(a)
		delete(settings, "client_secret")
		settings["certificate"], settings["endpoint"], settings["allow_http"], settings["allow_private"] = expiring, serveHTTP(t, user.serve), "true", "true"
		s := openKind(t, "microsoft365", settings, provider.Environment{Now: func() time.Time { return test.now }})
		if found := s.(provider.Checker).Check(t.Context()); len(found) != 4 || found[0].Subject != "certificate" || found[0].Verdict != test.want {
			t.Errorf("%s: got %+v", name, found)
		}
	}
}

func (a answer) serve(w http.ResponseWriter, _ *http.Request) { a.write(w) }
