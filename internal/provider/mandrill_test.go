package provider_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

// The schema of the key allows no field beside it, and stands in an allOf with those fields: no request fulfils both.
var mandrillContract = published.Operation{File: "mandrill_messages_trim.json", Path: "/messages/send", Prefix: "/api/1.4", Mend: func(document []byte) []byte {
	var doc map[string]any
	if json.Unmarshal(document, &doc) != nil {
		return document
	}
	if key, ok := doc["components"].(map[string]any)["schemas"].(map[string]any)["ApiKey"].(map[string]any); ok {
		delete(key, "additionalProperties")
	}
	mended, err := json.Marshal(doc)
	if err != nil {
		return document
	}
	return mended
}}

func mandrillCandidate() candidate {
	return candidate{
		kind: "mandrill",
		settings: map[string]string{"api_key": "md-Secret123456", "from": "Contoso <codes@id.example.org>",
			"reply_to": "help@example.org", "subaccount": "codes"},
		path:           "/api/1.4/messages/send",
		contract:       &mandrillContract,
		check:          mandrillRefuses,
		accepted:       mandrillSays("sent", "", "", "", ""),
		ref:            "abc123abc123",
		throttled:      answer{status: 429, body: "", class: outbox.Throttled, code: "429"},
		quota:          mandrillError(402, "PaymentRequired", "The requested feature is only available to accounts with a positive balance", outbox.Quota),
		badCredentials: mandrillError(401, "Invalid_Key", "Invalid API key md-Secret123456", outbox.Account),
		badRecipient:   mandrillSays("invalid", "", "", outbox.InvalidRecipient, "invalid"),
		down:           answer{status: 502, body: "upstream", class: outbox.Transient, code: "502"},
		others: map[string]answer{
			"hard bounce before":     mandrillSays("rejected", "hard-bounce", "", outbox.Suppressed, "rejected hard-bounce"),
			"spam before":            mandrillSays("rejected", "spam", "", outbox.Suppressed, "rejected spam"),
			"invalid recipient":      mandrillSays("rejected", "invalid", "", outbox.InvalidRecipient, "rejected invalid"),
			"unsigned":               mandrillSays("rejected", "unsigned", "", outbox.Account, "rejected unsigned"),
			"invalid sender":         mandrillSays("rejected", "invalid-sender", "", outbox.Account, "rejected invalid-sender"),
			"test mode":              mandrillSays("rejected", "test-mode-limit", "", outbox.Quota, "rejected test-mode-limit"),
			"a rule":                 mandrillSays("rejected", "rule", "", outbox.RejectedContent, "rejected rule"),
			"without a reason":       mandrillSays("rejected", "", "", outbox.RejectedContent, "rejected"),
			"suspended":              mandrillSays("queued", "", "account-suspended", outbox.Account, "queued account-suspended"),
			"hourly quota":           mandrillSays("queued", "", "hourly-quota-exhausted", outbox.Quota, "queued hourly-quota-exhausted"),
			"unknown status":         mandrillSays("pondering", "", "", outbox.Ambiguous, "200"),
			"nobody":                 {status: 200, body: `[]`, class: outbox.Ambiguous, code: "200"},
			"not JSON":               {status: 200, body: `<html>`, class: outbox.Ambiguous, code: "200"},
			"bad key, as of old":     mandrillError(500, "Invalid_Key", "Invalid API key", outbox.Account),
			"bad key in a 200":       mandrillError(200, "Invalid_Key", "Invalid API key", outbox.Account),
			"other error in a 200":   mandrillError(200, "Strange", "{code}", outbox.RejectedContent),
			"no such subaccount":     mandrillError(404, "Unknown_Subaccount", "No subaccount exists with the id 'codes'", outbox.Account),
			"bad address":            mandrillError(400, "ValidationError", `Validation error: {"message":{"to":[{"email":"{to} is not an address"}]}}`, outbox.InvalidRecipient),
			"bad sender":             mandrillError(400, "ValidationError", `Validation error: {"message":{"from_email":"An email address must contain a single @"}}`, outbox.Account),
			"other validation":       mandrillError(500, "ValidationError", "You must specify a message value", outbox.RejectedContent),
			"trouble in their words": mandrillError(500, "GeneralError", "An error occurred", outbox.Transient),
		},
		hides:   true,
		private: []string{"md-Secret123456"},
	}
}

func mandrillSays(status, reject, queued string, class outbox.Class, code string) answer {
	result := map[string]any{"email": "jane@example.com", "status": status, "_id": "abc123abc123", "reject_reason": nil, "queued_reason": nil}
	if reject != "" {
		result["reject_reason"] = reject
	}
	if queued != "" {
		result["queued_reason"] = queued
	}
	body, _ := json.Marshal([]any{result})
	return answer{status: 200, body: string(body), class: class, code: code}
}

func mandrillError(status int, name, message string, class outbox.Class) answer {
	body, _ := json.Marshal(map[string]any{"status": "error", "code": -1, "name": name, "message": message})
	return answer{status: status, body: string(body), class: class, code: fmt.Sprint(status, " ", name)}
}

func mandrillRefuses(_ *http.Request, body []byte) error {
	var call struct {
		Key     string
		Async   *bool
		Message struct {
			From          string `json:"from_email"`
			To            []map[string]string
			Subject, Text string
			Headers       map[string]string
			TrackOpens    *bool `json:"track_opens"`
			TrackClicks   *bool `json:"track_clicks"`
			ViewContent   *bool `json:"view_content_link"`
			Merge         *bool
			Vars          json.RawMessage `json:"global_merge_vars"`
			Metadata      map[string]string
			Subaccount    string
		}
	}
	if err := json.Unmarshal(body, &call); err != nil {
		return err
	}
	m := call.Message
	off := func(b *bool) bool { return b != nil && !*b }
	switch {
	case call.Key != "md-Secret123456":
		return errors.New("Invalid_Key")
	case m.Subaccount != "codes":
		return errors.New("Unknown_Subaccount")
	case len(m.To) != 1 || m.To[0]["email"] != "jane@example.com" || m.From == "" || m.Text == "" || m.Subject == "":
		return errors.New("ValidationError")
	case strings.ContainsAny(m.Subject, "\r\n"):
		return errors.New("ValidationError: subject")
	case !off(m.TrackOpens) || !off(m.TrackClicks) || !off(m.ViewContent) || !off(call.Async):
		return errors.New("tracking, the content in the activity log, or the asynchronous mode is on")
	case !off(m.Merge) || m.Vars != nil:
		return errors.New("the mail is evaluated as a template")
	case m.Metadata["delivery"] != deliveryID || m.Headers["Auto-Submitted"] != "auto-generated" || m.Headers["Reply-To"] != "<help@example.org>":
		return errors.New("the mail does not say that it is automatic, which delivery it is, or where replies go")
	}
	return nil
}

func TestMandrill(t *testing.T) { sitExam(t, mandrillCandidate()) }

// A mail that waits for no longer than it takes is on its way.
func TestMandrillTakesABacklogForAnAcceptance(t *testing.T) {
	c := mandrillCandidate()
	c.message = sampleMessage()
	c.accepted = mandrillSays("queued", "", "sending-backlogged", "", "")
	c.takesAMessage(t)
}

const mandrillURL = "https://otp.example.org/receipts/mail"

// mandrillPost makes a report with fields that come in another order than they are signed in.
func mandrillPost(key, events string) provider.Posted {
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	h.Set("X-Mandrill-Signature", mandrillSign(key, mandrillURL+"a_field"+"1"+"mandrill_events"+events))
	body := "mandrill_events=" + url.QueryEscape(events) + "&a_field=1"
	return provider.Posted{URL: mandrillURL, Method: "POST", Header: h, Body: []byte(body)}
}

func mandrillSign(key, text string) string {
	mac := hmac.New(sha1.New, []byte(key))
	io.WriteString(mac, text)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestMandrillReceipts(t *testing.T) {
	event := func(name, more string) string {
		return `{"event":"` + name + `","_id":"abc123","ts":1795341598,"msg":{"_id":"abc123","email":"jane@example.com","metadata":{"delivery":"` +
			deliveryID + `"}` + more + `}}`
	}
	at := time.Date(2026, 11, 22, 9, 59, 58, 0, time.UTC)
	receipt := func(r outbox.Report, class outbox.Class, code string) outbox.Receipt {
		return outbox.Receipt{Ref: "abc123", Delivery: deliveryID, Report: r, Class: class, Code: code, At: at}
	}
	bounce := func(name, more string, class outbox.Class, code string) report {
		return report{name + more, "[" + event(name, more) + "]", []outbox.Receipt{receipt(outbox.ReportBounced, class, code)}}
	}
	sitReceipts(t, reports{
		kind:     "mandrill",
		settings: map[string]string{"api_key": "k", "from": "codes@example.org", "receipt_secret": "the-key-before mandrill-key"},
		post:     func(body string, _ time.Time) provider.Posted { return mandrillPost("mandrill-key", body) },
		tell: []report{
			{"a batch", "[" + event("send", "") + "," + event("delivered", "") + "," + event("spam", "") + "," + event("delivered", "") + "]",
				[]outbox.Receipt{receipt(outbox.ReportDelivered, "", ""), receipt(outbox.ReportComplained, "", "")}},
			{"deferral", "[" + event("deferral", "") + "]", []outbox.Receipt{receipt(outbox.ReportDelayed, "", "")}},
			{"no metadata", `[{"event":"delivered","ts":1795341598,"msg":{"_id":"abc123","metadata":[]}}]`,
				[]outbox.Receipt{{Ref: "abc123", Report: outbox.ReportDelivered, At: at}}},
			{"the test of a new webhook", `[]`, nil},
			bounce("hard_bounce", `,"bounce_description":"bad_mailbox","diag":"550 jane@example.com 482913"`, outbox.InvalidRecipient, "bad_mailbox"),
			bounce("soft_bounce", `,"bounce_description":"mailbox_full"`, outbox.Transient, "mailbox_full"),
			bounce("hard_bounce", `,"bounce_description":"482913 jane@example.com"`, outbox.InvalidRecipient, ""),
			bounce("reject", `,"reject":{"reason":"unsub"}`, outbox.Suppressed, "unsub"),
			bounce("reject", `,"reject":{"reason":"unsigned"}`, outbox.Account, "unsigned"),
			bounce("reject", `,"reject":null`, outbox.RejectedContent, ""),
		},
		forge: map[string]func(*provider.Posted){
			"other URL": func(p *provider.Posted) { p.URL += "/x" },
			"other key": func(p *provider.Posted) { p.Header = mandrillPost("mandrill-kez", "[]").Header },
			"one field more": func(p *provider.Posted) {
				p.Body = append(bytes.Clone(p.Body), "&x=1"...)
			},
			"not base64": func(p *provider.Posted) { p.Header.Set("X-Mandrill-Signature", "?") },
			"test key":   func(p *provider.Posted) { *p = mandrillPost("test-webhook", "[]") },
		},
		bodySigned: true,
	})
}

// The vector was computed from descriptions of the vendor's page, with Python's hmac.
func TestMandrillSignatureVector(t *testing.T) {
	reader := receiptsOf(t, "mandrill", map[string]string{"api_key": "k", "from": "a@example.org", "receipt_secret": "mandrill-webhook-key"})
	p := provider.Posted{URL: "https://otp.example.org/hooks/mandrill", Header: http.Header{"X-Mandrill-Signature": {"yDN07kgAQCSmjMDt3Ex3FsVsLm8="}},
		Body: []byte("mandrill_events=" + url.QueryEscape(`[{"event":"delivered"}]`))}
	if _, err := reader.Read(t.Context(), p); err != nil {
		t.Error(err)
	}
	p.URL = "https://otp.example.org/hooks/mandrill/"
	if _, err := reader.Read(t.Context(), p); !errors.Is(err, provider.ErrForged) {
		t.Errorf("another address: %v", err)
	}
}

func TestMandrillCheck(t *testing.T) {
	const ping, domains = "POST /api/1.4/users/ping2", "POST /api/1.4/senders/domains"
	pong := answer{body: `{"PING":"PONG!"}`}
	for name, c := range map[string]struct {
		asks map[string]answer
		want []string
		says string
	}{
		"bad key":        {map[string]answer{ping: mandrillError(401, "Invalid_Key", "md-Secret123456", "")}, []string{"bad credentials"}, "API key"},
		"bad key of old": {map[string]answer{ping: mandrillError(500, "Invalid_Key", "md-Secret123456", "")}, []string{"bad credentials"}, "API key"},
		"down":           {map[string]answer{ping: {status: 503, body: "x"}}, []string{"doubtful credentials"}, "503"},
		"verified": {map[string]answer{ping: pong, domains: {body: `[{"domain":"id.example.org","valid_signing":true}]`}},
			[]string{"good credentials", "good sending domain"}, "signed"},
		"not verified": {map[string]answer{ping: pong, domains: {body: `[{"domain":"id.example.org","valid_signing":false}]`}},
			[]string{"good credentials", "bad sending domain"}, "DKIM"},
		"unknown": {map[string]answer{ping: pong, domains: {body: `[{"domain":"example.org","valid_signing":true}]`}},
			[]string{"good credentials", "bad sending domain"}, "id.example.org"},
		"may not look": {map[string]answer{ping: pong, domains: {status: 403, body: `{}`}},
			[]string{"good credentials", "doubtful sending domain"}, "may not look"},
	} {
		t.Run(name, func(t *testing.T) {
			account{kind: "mandrill", settings: mandrillCandidate().settings, asks: c.asks, want: c.want, says: []string{c.says},
				allow: func(r *http.Request) error {
					var body map[string]string
					if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body) != 1 || body["key"] != "md-Secret123456" {
						return errors.New("Invalid_Key " + strconv.Itoa(len(body)))
					}
					return nil
				}, private: []string{"md-Secret123456"}}.check(t)
		})
	}
}
