package provider_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

var mailgunContract = published.Operation{File: "mailgun_messages_trim.json", Path: "/v3/{domain_name}/messages"}

func mailgunCandidate() candidate {
	return candidate{
		kind: "mailgun",
		settings: map[string]string{"api_key": "key-Secret123456", "domain": "mg.example.org", "from": "Contoso <codes@id.example.org>",
			"reply_to": "help@example.org"},
		path:           "/v3/mg.example.org/messages",
		contract:       &mailgunContract,
		check:          mailgunRefuses,
		accepted:       answer{status: 200, body: `{"id":"<20261122.1.ABC@mg.example.org>","message":"Queued. Thank you."}`},
		ref:            "20261122.1.ABC@mg.example.org",
		throttled:      mailgunError(429, "Domain mg.example.org is not allowed to send: recipient limit exceeded", outbox.Throttled),
		quota:          mailgunError(402, "Request failed", outbox.Quota),
		badCredentials: answer{status: 401, body: "Forbidden", class: outbox.Account, code: "401"},
		badRecipient:   mailgunError(400, "'to' parameter is not a valid address. please check documentation {to} {code}", outbox.InvalidRecipient),
		down:           answer{status: 502, body: "upstream", class: outbox.Transient, code: "502"},
		others: map[string]answer{
			"bad recipient of old": mailgunError(400, "to parameter is not a valid address. please check documentation", outbox.InvalidRecipient),
			"bad sender":           mailgunError(400, "from parameter is not a valid address. please check documentation", outbox.Account),
			"sandbox":              mailgunError(400, "Sandbox subdomains are for test purposes only. Please add your own domain or add the address to authorized recipients", outbox.Account),
			"no such domain":       mailgunError(404, "Domain not found: mg.example.org", outbox.Account),
			"account disabled":     mailgunError(403, "Domain mg.example.org is not allowed to send: The domain is unverified, key-Secret123456", outbox.Account),
			"too large":            {status: 413, body: "", class: outbox.RejectedContent, code: "413"},
		},
		private: []string{"key-Secret123456"},
	}
}

func mailgunRefuses(r *http.Request, _ []byte) error {
	if user, key, _ := r.BasicAuth(); user != "api" || key != "key-Secret123456" {
		return errors.New("Forbidden")
	}
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return err
	}
	form := r.MultipartForm.Value
	for name, values := range form {
		if len(values) != 1 {
			return fmt.Errorf("%s comes %d times", name, len(values))
		}
		if strings.HasPrefix(name, "h:") && strings.ContainsAny(values[0], "\r\n") {
			return fmt.Errorf("%s breaks the header", name)
		}
	}
	if to, err := mail.ParseAddressList(r.FormValue("to")); err != nil || len(to) != 1 || to[0].Address != "jane@example.com" {
		return errors.New("'to' parameter is not a valid address")
	}
	if from, err := mail.ParseAddressList(r.FormValue("from")); err != nil || len(from) != 1 || from[0].Address != "codes@id.example.org" {
		return errors.New("from parameter is not a valid address")
	}
	switch {
	case r.FormValue("text") == "" || r.FormValue("subject") == "":
		return errors.New("need a subject and a text")
	case r.FormValue("o:tracking") != "no" || r.FormValue("o:tracking-clicks") != "no" || r.FormValue("o:tracking-opens") != "no":
		return errors.New("tracking is on")
	case r.FormValue("o:testmode") != "" || r.FormValue("recipient-variables") != "":
		return errors.New("test mode or variables")
	case r.FormValue("v:delivery") != deliveryID || r.FormValue("h:Auto-Submitted") != "auto-generated":
		return errors.New("the mail does not say that it is automatic, or which delivery it is")
	case r.FormValue("h:Reply-To") != "<help@example.org>":
		return errors.New("no address for replies")
	}
	return nil
}

func mailgunError(status int, message string, class outbox.Class) answer {
	body, _ := json.Marshal(map[string]string{"message": message})
	return answer{status: status, body: string(body), class: class, code: strconv.Itoa(status)}
}

func TestMailgun(t *testing.T) { sitExam(t, mailgunCandidate()) }

// Mailgun says in words how long to wait.
func TestMailgunWaitsAsItIsTold(t *testing.T) {
	c := mailgunCandidate()
	c.message = sampleMessage()
	c.understands(t, mailgunError(429, "Domain mg.example.org is not allowed to send: limit exceeded, try again after 120 seconds", outbox.Throttled), 2*time.Minute)
}

func TestMailgunRefusesDomains(t *testing.T) {
	for _, domain := range []string{"mg.example.org/../x", "a b", "x?y", "x@y", "..", "-a"} {
		settings := mailgunCandidate().settings
		settings["domain"] = domain
		if _, err := kind(t, "mailgun").Open(parsed(t, "mailgun", settings), provider.Environment{}); err == nil {
			t.Errorf("the domain %q was accepted", domain)
		}
	}
}

func mailgunSign(key, timestamp, token string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(timestamp + token))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestMailgunReceipts(t *testing.T) {
	const key, token = "mg-signing-key", "0123456789abcdef"
	event := func(name, more string) string {
		return `{"event":"` + name + `","id":"e1","timestamp":1795341598.25,"recipient":"jane@example.com",` +
			`"message":{"headers":{"message-id":"20261122.1.ABC@mg.example.org"}},"user-variables":{"delivery":"` + deliveryID + `"}` + more + `}`
	}
	receipt := func(r outbox.Report, class outbox.Class, code string) []outbox.Receipt {
		return []outbox.Receipt{{Ref: "20261122.1.ABC@mg.example.org", Delivery: deliveryID, Report: r, Class: class, Code: code,
			At: time.Date(2026, 11, 22, 9, 59, 58, 250e6, time.UTC)}}
	}
	failed := func(severity, reason string, code int, enhanced string) string {
		return event("failed", fmt.Sprintf(`,"severity":"%s","reason":"%s","delivery-status":{"code":%d,"enhanced-code":"%s","message":"jane@example.com 482913"}`,
			severity, reason, code, enhanced))
	}
	spoil := func(from, to string) func(*provider.Posted) {
		return func(p *provider.Posted) { p.Body = []byte(strings.Replace(string(p.Body), from, to, 1)) }
	}
	sitReceipts(t, reports{
		kind: "mailgun",
		settings: map[string]string{"api_key": "k", "domain": "mg.example.org", "from": "codes@mg.example.org",
			"receipt_secret": "the-key-before " + key},
		post: func(body string, at time.Time) provider.Posted {
			if !json.Valid([]byte(body)) {
				body = `{"not":"an event"}`
			}
			seconds := strconv.FormatInt(at.Unix(), 10)
			return provider.Posted{URL: "https://otp.example.org/receipts/mail", Method: "POST", Header: http.Header{"Content-Type": {"application/json"}},
				Body: []byte(`{"signature":{"timestamp":"` + seconds + `","token":"` + token + `","signature":"` +
					mailgunSign(key, seconds, token) + `"},"event-data":` + body + `}`)}
		},
		tell: []report{
			{"delivered", event("delivered", ""), receipt(outbox.ReportDelivered, "", "")},
			{"complained", event("complained", ""), receipt(outbox.ReportComplained, "", "")},
			{"rejected", event("rejected", ""), receipt(outbox.ReportBounced, outbox.RejectedContent, "")},
			{"temporary", failed("temporary", "generic", 421, ""), receipt(outbox.ReportDelayed, "", "421")},
			{"by the name of the webhook", event("temporary_fail", ""), receipt(outbox.ReportDelayed, "", "")},
			{"no such mailbox", failed("permanent", "bounce", 550, "5.1.1"), receipt(outbox.ReportBounced, outbox.InvalidRecipient, "550")},
			{"hard bounce", failed("permanent", "bounce", 550, ""), receipt(outbox.ReportBounced, outbox.InvalidRecipient, "550")},
			{"spam", failed("permanent", "bounce", 554, "5.7.1"), receipt(outbox.ReportBounced, outbox.Transient, "554")},
			{"too old", failed("permanent", "old", 602, ""), receipt(outbox.ReportBounced, outbox.Transient, "602")},
			{"suppressed", failed("permanent", "suppress-bounce", 605, ""), receipt(outbox.ReportBounced, outbox.Suppressed, "605")},
			{"opened", event("opened", ""), nil},
		},
		forge: map[string]func(*provider.Posted){
			"other token":  spoil(token, "0123456789abcdee"),
			"other time":   spoil(strconv.FormatInt(examNow.Unix(), 10), strconv.FormatInt(examNow.Unix()+1, 10)),
			"no signature": spoil(mailgunSign(key, strconv.FormatInt(examNow.Unix(), 10), token), ""),
			"other key": spoil(mailgunSign(key, strconv.FormatInt(examNow.Unix(), 10), token),
				mailgunSign("x", strconv.FormatInt(examNow.Unix(), 10), token)),
			"nothing": func(p *provider.Posted) { p.Body = nil },
		},
		timed: true, inBody: true,
	})
}

// The signature does not cover the event: one who saw a report and repeats its token with another event must come out as
// the same report, which the store has seen.
func TestMailgunTokenWithAnotherEventIsNoNews(t *testing.T) {
	const head = `{"signature":{"timestamp":"1795341600","token":"t1","signature":"`
	reader := receiptsOf(t, "mailgun", map[string]string{"api_key": "k", "domain": "mg.example.org", "from": "a@mg.example.org", "receipt_secret": "key1"})
	var events []string
	for _, data := range []string{`{"event":"delivered","id":"e1","message":{"headers":{"message-id":"m1"}}}`,
		`{"event":"failed","severity":"permanent","id":"e2","message":{"headers":{"message-id":"m2"}}}`} {
		told, err := reader.Read(t.Context(), provider.Posted{Body: []byte(head + mailgunSign("key1", "1795341600", "t1") + `"},"event-data":` + data + `}`)})
		if err != nil || len(told.Receipts) != 1 {
			t.Fatal(told, err)
		}
		events = append(events, told.Receipts[0].Event)
	}
	if len(slices.Compact(events)) != 1 {
		t.Errorf("two events %q of one token", events)
	}
}

// The vector was computed from the words of Mailgun's documentation, with Python's hmac.
func TestMailgunSignatureVector(t *testing.T) {
	reader, err := kind(t, "mailgun").Receipts(parsed(t, "mailgun", map[string]string{"api_key": "k", "domain": "mg.example.org", "from": "a@mg.example.org",
		"receipt_secret": "mg-signing-key-test"}), provider.Environment{Now: func() time.Time { return time.Unix(1756808100, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"signature":{"timestamp":"1756808100","token":"` + strings.Repeat("a", 25) + strings.Repeat("b", 25) +
		`","signature":"5a9197492cdf2faadbb631a9a540355282cdcbd34067b312a8207973ae8d6770"},"event-data":{"event":"opened"}}`
	if _, err := reader.Read(t.Context(), provider.Posted{Body: []byte(body)}); err != nil {
		t.Error(err)
	}
}

func TestMailgunCheck(t *testing.T) {
	const domain = "GET /v4/domains/mg.example.org"
	for name, c := range map[string]struct {
		say  answer
		want []string
		says string
	}{
		"sending key":  {answer{status: 401, body: "Forbidden"}, []string{"doubtful credentials"}, "api.eu.mailgun.net"},
		"other domain": {answer{status: 404, body: `{"message":"Domain not found"}`}, []string{"good credentials", "bad sending domain"}, "api.eu.mailgun.net"},
		"active":       {answer{body: `{"domain":{"name":"mg.example.org","state":"active"}}`}, []string{"good credentials", "good sending domain"}, "active"},
		"unverified":   {answer{body: `{"domain":{"state":"unverified"}}`}, []string{"good credentials", "bad sending domain"}, "DNS records"},
		"down":         {answer{status: 500, body: `{}`}, []string{"doubtful credentials"}, "500"},
	} {
		t.Run(name, func(t *testing.T) {
			account{kind: "mailgun", settings: mailgunCandidate().settings, asks: map[string]answer{domain: c.say}, want: c.want, says: []string{c.says},
				allow: func(r *http.Request) error {
					if user, key, _ := r.BasicAuth(); user != "api" || key != "key-Secret123456" {
						return errors.New("Forbidden")
					}
					return nil
				}, private: []string{"key-Secret123456"}}.check(t)
		})
	}
}
