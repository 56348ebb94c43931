package provider_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

const (
	vonageRef    = "0A0000001234567B"
	vonageSecret = "vonage-signature-secret"
	vonagePath   = "/sms/json"
)

func vonageSettings(more ...string) map[string]string {
	s := map[string]string{"api_key": "abcd1234", "api_secret": "Secret0123456789", "from": "Contoso", "receipt_url": reportsURL,
		"receipt_secret": "Path-Secret-1"}
	for i := 0; i < len(more); i += 2 {
		s[more[i]] = more[i+1]
	}
	return s
}

// vonageContract is NewMessage of the published document (nexmo sms 1.2.0), whose form no validator at hand can read:
// what each parameter of ours must look like. TestVonageContract holds it to the document.
var vonageContract = map[string]struct {
	min, max int // length of a text, or size of a number
	number   bool
	oneOf    []string
	pattern  string
}{
	"api_key":           {min: 8, max: 8},
	"api_secret":        {min: 6, max: 32},
	"from":              {},
	"to":                {min: 7, max: 15, pattern: `\d{7,15}`},
	"text":              {},
	"type":              {oneOf: []string{"text", "binary", "unicode"}},
	"ttl":               {min: 20000, max: 604800000, number: true},
	"callback":          {},
	"client-ref":        {},
	"status-report-req": {oneOf: []string{"true", "false"}},
}

func checkVonage(form url.Values) error {
	for _, required := range []string{"api_key", "api_secret", "from", "to", "text"} {
		if form.Get(required) == "" {
			return fmt.Errorf("2: %s is missing", required)
		}
	}
	for name, values := range form {
		c, known := vonageContract[name]
		if !known || len(values) != 1 {
			return fmt.Errorf("3: %s is unknown or comes twice", name)
		}
		v := values[0]
		size := len([]rune(v))
		if c.number {
			n, err := strconv.Atoi(v)
			if err != nil {
				return fmt.Errorf("3: %s is no number", name)
			}
			size = n
		}
		if c.max > 0 && (size < c.min || size > c.max) || len(c.oneOf) > 0 && !slices.Contains(c.oneOf, v) ||
			c.pattern != "" && !regexp.MustCompile("^"+c.pattern+"$").MatchString(v) {
			return fmt.Errorf("3: %s is not as it must be", name)
		}
	}
	if len(form.Get("callback")) > 100 || len(form.Get("client-ref")) > 100 { // these two stand in the descriptions only
		return errors.New("3: callback or client-ref has more than 100 characters")
	}
	return nil
}

func TestVonageContract(t *testing.T) {
	folder := published.Folder(t)
	if folder == "" {
		t.Skip("without the document there is nothing to compare")
	}
	data, err := os.ReadFile(filepath.Join(folder, "vonage_sms_apisguru.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas struct {
				NewMessage struct {
					Required   []string
					Properties map[string]struct {
						Type                                   string
						MinLength, MaxLength, Minimum, Maximum int
						Enum                                   []any
						Pattern                                string
					}
				}
			}
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	published := doc.Components.Schemas.NewMessage
	if !slices.Equal(published.Required, []string{"api_key", "from", "to"}) {
		t.Errorf("required are %v", published.Required)
	}
	for name, c := range vonageContract {
		p, ok := published.Properties[name]
		if !ok {
			t.Errorf("%s is not in the document", name)
		}
		lowest, highest := p.MinLength, p.MaxLength
		if c.number {
			lowest, highest = p.Minimum, p.Maximum
		}
		if lowest != c.min || highest != c.max || p.Pattern != c.pattern || c.number != (p.Type == "integer") {
			t.Errorf("%s: got %+v, the document says %+v", name, c, p)
		}
		for _, e := range p.Enum {
			if !slices.Contains(c.oneOf, fmt.Sprint(e)) {
				t.Errorf("%s: %v is missing", name, e)
			}
		}
	}
}

func TestVonage(t *testing.T) {
	sitExam(t, candidate{
		kind:     "vonage",
		settings: vonageSettings(),
		message:  shortMessage(),
		path:     vonagePath,
		check: func(r *http.Request, body []byte) error {
			form, err := url.ParseQuery(string(body))
			if err != nil {
				return err
			}
			if err := checkVonage(form); err != nil {
				return err
			}
			for name, want := range map[string]string{"api_key": "abcd1234", "api_secret": "Secret0123456789", "to": "34600111222", "from": "Contoso",
				"text": shortMessage().Text, "type": "text", "ttl": "1800000", "client-ref": deliveryID, "callback": reportsURL + "/Path-Secret-1"} {
				if form.Get(name) != want {
					return fmt.Errorf("%s is %q, want %q", name, form.Get(name), want)
				}
			}
			if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
				return errors.New("not a form")
			}
			return nil
		},
		accepted: answer{status: 200, body: `{"message-count":"1","messages":[{"to":"34600111222","message-id":"` + vonageRef + `","status":"0",` +
			`"remaining-balance":"3.14159265","message-price":"0.03330000","network":"21401","client-ref":"` + deliveryID + `"}]}`},
		ref:            vonageRef,
		throttled:      vonageError("1", outbox.Throttled),
		badRecipient:   vonageError("33", outbox.InvalidRecipient),
		badCredentials: vonageError("4", outbox.Account),
		quota:          vonageError("9", outbox.Quota),
		down:           answer{status: 503, body: "upstream", class: outbox.Transient, code: "503"},
		others: map[string]answer{
			"missing parameter":    vonageError("2", outbox.RejectedContent),
			"internal error":       vonageError("5", outbox.Transient),
			"invalid message":      vonageError("6", outbox.RejectedContent),
			"number barred":        vonageError("7", outbox.Suppressed),
			"account barred":       vonageError("8", outbox.Account),
			"too many binds":       vonageError("10", outbox.Throttled),
			"too long":             vonageError("12", outbox.RejectedContent),
			"sender":               vonageError("15", outbox.Account),
			"callback":             vonageError("23", outbox.Account),
			"trial":                vonageError("29", outbox.Account),
			"an error of tomorrow": vonageError("77", outbox.RejectedContent),
			"refused without words": {status: 200, body: `{"message-count":"1","messages":[{"status":"9"}]}`,
				class: outbox.Quota, code: "status 9"},
			"too fast for the server": {status: 429, body: `{}`, class: outbox.Throttled, code: "429"},
			"one part was taken, one was not": {status: 200, body: `{"message-count":"2","messages":[{"status":"0","message-id":"a"},{"status":"1","error-text":"Throttled"}]}`,
				class: outbox.Ambiguous, code: "status 1"},
			"no message in the answer": {status: 200, body: `{"message-count":"0","messages":[]}`, class: outbox.Ambiguous, code: "200"},
			"no status in the answer":  {status: 200, body: `{"messages":[{"message-id":"a"}]}`, class: outbox.Ambiguous, code: "200"},
			"not JSON":                 {status: 200, body: `<html>`, class: outbox.Ambiguous, code: "200"},
		},
		hides:   true,
		private: []string{"Secret0123456789", "Path-Secret-1", "34600111222"},
	})
}

func vonageError(status string, class outbox.Class) answer {
	text := "no {to} 34600111222 {code} Secret0123456789 " + reportsURL + "/Path-Secret-1"
	body, _ := json.Marshal(map[string]any{"message-count": "1", "messages": []any{map[string]string{"status": status, "error-text": text}}})
	return answer{status: 200, body: string(body), class: class, code: "status " + status}
}

func TestVonageChoosesTheAlphabet(t *testing.T) {
	for text, want := range map[string]string{"482913 is your code": "text", string(rune(0x20AC)) + " 482913": "text",
		"482913 " + string(rune(0x416)): "unicode", "482913 \u00e7": "unicode"} {
		url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil || r.PostForm.Get("type") != want || r.PostForm.Get("text") != text || r.PostForm.Has("callback") {
				t.Errorf("%q: got %v", text, r.PostForm)
			}
			fmt.Fprint(w, `{"messages":[{"status":"0","message-id":"a"},{"status":"0","message-id":"b"}]}`)
		})
		m := shortMessage()
		m.Text = text
		settings := vonageSettings("receipt_url", "", "endpoint", url, "allow_http", "true", "allow_private", "true")
		if ref, err := openKind(t, "vonage", settings, provider.Environment{}).Send(t.Context(), deliveryID, m); err != nil || ref != "a" {
			t.Errorf("%q: got %q, %v", text, ref, err)
		}
	}
}

func TestVonageSettings(t *testing.T) {
	refusesSettings(t, "vonage", vonageSettings(), []wrongSetting{
		{nil, ""},
		{map[string]string{"api_key": "abcd123"}, "api_key"},
		{map[string]string{"api_secret": "short"}, "api_secret"},
		{map[string]string{"api_secret": strings.Repeat("x", 33)}, "api_secret"},
		{map[string]string{"from": "Contoso GmbH & Co"}, "setting from"},
		{map[string]string{"from": "+15005550006"}, ""},
		{map[string]string{"validity": "10s"}, "validity"},
		{map[string]string{"validity": "169h"}, "validity"},
		{map[string]string{"receipt_signature_method": "sha-256"}, "did you mean sha256?"},
		{map[string]string{"receipt_secret": strings.Repeat("x", 80)}, "shorter secret"},
		{map[string]string{"receipt_url": "https://10.0.0.1/receipts"}, "receipt_url"},
		{map[string]string{"receipt_secret": ""}, "receipt_secret is missing"},
		{map[string]string{"receipt_secret": "", "receipt_signature_secret": vonageSecret}, ""},
		{map[string]string{"receipt_secret": "", "receipt_url": ""}, ""},
	})
}

// vonageReceipt is a delivery receipt as an account posts it that is set to POST-JSON.
func vonageReceipt(status, code string) map[string]string {
	return map[string]string{"msisdn": "34600111222", "to": "Contoso", "messageId": vonageRef, "status": status, "err-code": code, "client-ref": deliveryID,
		"price": "0.0333", "scts": "2611221000", "network-code": "21401", "api-key": "abcd1234", "message-timestamp": "2026-11-22T09:59:58.361Z"}
}

var vonageTells = func() []report {
	at := time.Date(2026, 11, 22, 9, 59, 58, 361e6, time.UTC)
	one := func(status, code string, r outbox.Report, class outbox.Class) report {
		body, _ := json.Marshal(vonageReceipt(status, code))
		receipt := outbox.Receipt{Ref: vonageRef, Delivery: deliveryID, Report: r, Class: class, At: at}
		if r == outbox.ReportBounced {
			receipt.Code = code
		}
		return report{status + " " + code, string(body), []outbox.Receipt{receipt}}
	}
	accepted, _ := json.Marshal(vonageReceipt("accepted", "0"))
	unknown, _ := json.Marshal(vonageReceipt("unknown", "1"))
	return []report{
		one("delivered", "0", outbox.ReportDelivered, ""),
		one("buffered", "0", outbox.ReportDelayed, ""),
		one("expired", "1", outbox.ReportBounced, outbox.Transient),
		one("failed", "2", outbox.ReportBounced, outbox.Transient),
		one("failed", "3", outbox.ReportBounced, outbox.InvalidRecipient),
		one("failed", "4", outbox.ReportBounced, outbox.Suppressed),
		one("rejected", "6", outbox.ReportBounced, outbox.RejectedContent),
		one("rejected", "9", outbox.ReportBounced, outbox.Suppressed),
		one("rejected", "39", outbox.ReportBounced, outbox.Account),
		one("failed", "99", outbox.ReportBounced, outbox.Transient),
		{"accepted", string(accepted), nil},
		{"unknown", string(unknown), nil},
	}
}()

func TestVonageReceiptsWithASecret(t *testing.T) {
	sitReceipts(t, reports{
		kind:     "vonage",
		settings: vonageSettings(),
		post: func(body string, _ time.Time) provider.Posted {
			return provider.Posted{URL: reportsURL, Method: "POST", Secret: "Path-Secret-1", Body: []byte(body),
				Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}}
		},
		tell:  vonageTells,
		forge: map[string]func(*provider.Posted){"other secret": func(p *provider.Posted) { p.Secret = "Path-Secret-2" }},
	})
}

// signVonage adds timestamp, nonce and sig to a receipt, by HMAC-SHA256, written apart from the reader.
func signVonage(body string, at time.Time) string {
	var fields map[string]string
	if json.Unmarshal([]byte(body), &fields) != nil || fields == nil {
		return body
	}
	fields["timestamp"], fields["nonce"] = strconv.FormatInt(at.Unix(), 10), "ec11dd3e"
	names := slices.Collect(maps.Keys(fields))
	slices.Sort(names)
	mac := hmac.New(sha256.New, []byte(vonageSecret))
	for _, n := range names {
		fmt.Fprintf(mac, "&%s=%s", n, strings.ReplaceAll(strings.ReplaceAll(fields[n], "&", "_"), "=", "_"))
	}
	fields["sig"] = strings.ToUpper(hex.EncodeToString(mac.Sum(nil)))
	signed, _ := json.Marshal(fields)
	return string(signed)
}

func TestVonageReceiptsWithASignature(t *testing.T) {
	change := func(old, new string) func(*provider.Posted) {
		return func(p *provider.Posted) { p.Body = []byte(strings.Replace(string(p.Body), old, new, 1)) }
	}
	sitReceipts(t, reports{
		kind:     "vonage",
		settings: vonageSettings("receipt_signature_secret", vonageSecret),
		post: func(body string, at time.Time) provider.Posted {
			return provider.Posted{URL: reportsURL, Method: "POST", Secret: "Path-Secret-1", Body: []byte(signVonage(body, at)),
				Header: http.Header{"Content-Type": {"application/json"}}}
		},
		tell: vonageTells,
		forge: map[string]func(*provider.Posted){
			"other status":   change(`"delivered"`, `"failed"`),
			"other delivery": change("0d1e", "0d1f"),
			"other nonce":    change("ec11dd3e", "ec11dd3f"),
			"another field":  change("{", `{"x":"",`),
			"no signature":   change(`"sig"`, `"gis"`),
			"empty signature": func(p *provider.Posted) {
				p.Body = regexp.MustCompile(`"sig":"[^"]*"`).ReplaceAll(p.Body, []byte(`"sig":""`))
			},
		},
		timed: true, inBody: true,
	})
}

// The signatures were computed over these parameters with node's crypto and accepted by verifySignature of the npm
// package @vonage/sms 1.21.0, of @vonage/server-sdk 3.27.0.
func TestVonageSignatureVectors(t *testing.T) {
	fields := map[string]string{"msisdn": "34600111222", "to": "Contoso", "messageId": vonageRef, "status": "delivered", "err-code": "0",
		"client-ref": deliveryID, "price": "0.0333&=x", "timestamp": "1795341600", "nonce": "ec11dd3e-1e7f-4db5-9467-82b02cd223b9",
		"message-timestamp": "2026-11-22T10:00:00.361Z", "network-code": "21401", "scts": "2611221000", "api-key": "abcd1234"}
	for method, sig := range map[string]string{
		"md5hash": "31819507ac5ab831eac228d59d7413a7",
		"md5":     "0018bfdeacf2c99bbff36e81b218363d",
		"sha1":    "a8290d7c427683288534d3986bc91d2fa1fd621b",
		"sha256":  "5b520ae02d150a787ade16a62b626024b6a73afafdd2a7ce620bb8f07d984d9b",
		"sha512":  "dfa5f85116e776af6754f8a946ff63c2d210db81fd06fb1d915d496b73237594452bba3273f62c839da4b8bb9503b49413ec895c9a08ca28742f52922f2cf9ec",
	} {
		reader := receiptsOf(t, "vonage", vonageSettings("receipt_signature_secret", vonageSecret, "receipt_signature_method", method))
		form := url.Values{"sig": {sig}}
		for n, v := range fields {
			form.Set(n, v)
		}
		fields["sig"] = sig
		object, _ := json.Marshal(fields)
		delete(fields, "sig")
		for name, p := range map[string]provider.Posted{
			"POST-JSON": {URL: reportsURL, Method: "POST", Header: http.Header{"Content-Type": {"application/json"}}, Body: object},
			"POST":      {URL: reportsURL, Method: "POST", Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(form.Encode())},
			"GET":       {URL: reportsURL + "?" + form.Encode(), Method: "GET", Header: http.Header{}},
		} {
			told, err := reader.Read(t.Context(), p)
			if err != nil || len(told.Receipts) != 1 || told.Receipts[0].Report != outbox.ReportDelivered {
				t.Errorf("%s, %s: got %+v, %v", method, name, told, err)
			}
		}
		form.Add("status", "failed")
		if _, err := reader.Read(t.Context(), provider.Posted{URL: reportsURL, Method: "POST", Header: http.Header{}, Body: []byte(form.Encode())}); err == nil {
			t.Errorf("%s: a parameter that comes twice was read", method)
		}
	}
}

func TestVonageCheck(t *testing.T) {
	says := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			if r.Method != http.MethodGet || r.URL.Path != "/account/get-balance" || r.URL.RawQuery != "" || user != "abcd1234" || password != "Secret0123456789" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			fmt.Fprint(w, body)
		}
	}
	good := provider.Finding{Subject: "credentials", Verdict: provider.Good}
	balance := func(v provider.FindingVerdict, found string) provider.Finding {
		return provider.Finding{Subject: "balance", Verdict: v, Found: found}
	}
	finds(t, "vonage", vonageSettings(), says(`{"value":10.28,"autoReload":false}`), good, balance(provider.Good, "10.28"))
	finds(t, "vonage", vonageSettings(), says(`{"value":0,"autoReload":false}`), good, balance(provider.Doubtful, "0.00"))
	finds(t, "vonage", vonageSettings(), says(`{"value":-1,"autoReload":true}`), good, balance(provider.Good, "renewed"))
	finds(t, "vonage", vonageSettings(), says(`{}`), good)
	finds(t, "vonage", vonageSettings("api_secret", "wrong-secret"), says(`{}`), provider.Finding{Subject: "credentials", Verdict: provider.Bad, Found: "401"})
	finds(t, "vonage", vonageSettings(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		provider.Finding{Subject: "credentials", Verdict: provider.Doubtful, Found: "403"})
	finds(t, "vonage", vonageSettings(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		provider.Finding{Subject: "credentials", Verdict: provider.Bad, Found: "404"})
	finds(t, "vonage", vonageSettings(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		provider.Finding{Subject: "credentials", Verdict: provider.Doubtful, Found: "502"})
}
