package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

var (
	brevoMailContract = published.Operation{File: "brevo_smtp_email_trim.json", Path: "/smtp/email", Prefix: "/v3"}
	brevoSMSContract  = published.Operation{File: "brevo_smtp_email_trim.json", Path: "/transactionalSMS/sms", Prefix: "/v3"}
	anyUUID           = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
)

var brevoSettings = map[string]string{"api_key": "xkeysib-Secret123456", "from": "Contoso <codes@id.example.org>", "reply_to": "Help <help@example.org>",
	"sms_sender": "Contoso"}

func brevoAllows(r *http.Request) error {
	if r.Header.Get("api-key") != "xkeysib-Secret123456" {
		return errors.New("unauthorized")
	}
	return nil
}

func TestBrevoMail(t *testing.T) {
	type address struct{ Email, Name string }
	sitExam(t, candidate{
		kind: "brevo", settings: brevoSettings, path: "/v3/smtp/email", contract: &brevoMailContract,
		check: func(r *http.Request, body []byte) error {
			var mail struct {
				Sender, ReplyTo address
				To, Cc, Bcc     []address
				Headers         map[string]string
			}
			if err := json.Unmarshal(body, &mail); err != nil {
				return err
			}
			switch {
			case len(mail.To) != 1 || mail.To[0] != (address{Email: "jane@example.com"}) || mail.Cc != nil || mail.Bcc != nil:
				return errors.New("invalid_parameter: to")
			case mail.Sender.Email != "codes@id.example.org" || mail.Sender.Name == "" || len([]rune(mail.Sender.Name)) > 70:
				return errors.New("invalid_parameter: sender")
			case mail.ReplyTo != (address{"help@example.org", "Help"}):
				return errors.New("invalid_parameter: replyTo")
			case strings.Contains(string(body), "{{"):
				return errors.New("an expression of the template language")
			case !anyUUID.MatchString(mail.Headers["idempotencyKey"]):
				return errors.New("invalid_parameter: idempotencyKey")
			case mail.Headers["X-Mailin-custom"] != deliveryID || mail.Headers["Auto-Submitted"] != "auto-generated":
				return errors.New("the delivery's id is missing, or the mail does not say that it is automatic")
			}
			return brevoAllows(r)
		},
		accepted:       answer{status: 201, body: `{"messageId":"<202611221000.5787683@smtp-relay.mailin.fr>"}`},
		ref:            "202611221000.5787683@smtp-relay.mailin.fr",
		throttled:      answer{status: 429, body: `{"message":"API rate limit exceeded"}`, class: outbox.Throttled, code: "429"},
		quota:          brevoError(402, "not_enough_credits", "not enough credits", outbox.Quota),
		badCredentials: brevoError(401, "unauthorized", "Key xkeysib-Secret123456 not found", outbox.Account),
		badRecipient:   brevoError(400, "invalid_parameter", "email is not valid in to: {to}", outbox.InvalidRecipient),
		down:           answer{status: 502, body: "upstream", class: outbox.Transient, code: "502"},
		others: map[string]answer{
			"credits with another status": brevoError(400, "not_enough_credits", "none", outbox.Quota),
			"under validation":            brevoError(403, "account_under_validation", "wait", outbox.Account),
			"not permitted":               brevoError(400, "permission_denied", "no", outbox.Account),
			"bad sender":                  brevoError(400, "invalid_parameter", "valid sender email required", outbox.Account),
			"blacklisted":                 brevoError(400, "invalid_parameter", "{to} is blacklisted", outbox.Suppressed),
			"missing subject":             brevoError(400, "missing_parameter", "subject is missing {code}", outbox.RejectedContent),
			"seen before":                 brevoError(400, "duplicate_request", "duplicate", outbox.Ambiguous),
			"an unknown word":             brevoError(422, "other", "{to}", outbox.RejectedContent),
		},
		private: []string{"xkeysib-Secret123456"},
	})
}

func TestBrevoSMS(t *testing.T) {
	sitExam(t, candidate{
		kind: "brevo", settings: brevoSettings, message: snsSample(), path: "/v3/transactionalSMS/sms", contract: &brevoSMSContract,
		check: func(r *http.Request, body []byte) error {
			var sms struct {
				Sender, Recipient, Content, Type, Tag string
				UnicodeEnabled                        *bool
			}
			if err := json.Unmarshal(body, &sms); err != nil {
				return err
			}
			switch {
			case !regexp.MustCompile(`^[0-9]{6,15}$`).MatchString(sms.Recipient):
				return errors.New("invalid_parameter: recipient")
			case !regexp.MustCompile(`^([A-Za-z0-9]{1,11}|[0-9]{12,15})$`).MatchString(sms.Sender):
				return errors.New("invalid_parameter: sender")
			case sms.Type != "transactional" || sms.Tag != deliveryID || sms.UnicodeEnabled == nil || *sms.UnicodeEnabled:
				return errors.New("the kind of message, the delivery's id, or the alphabet is wrong")
			case sms.Content != snsSample().Text:
				return errors.New("another text")
			}
			return brevoAllows(r)
		},
		accepted:       answer{status: 201, body: `{"reference":"ab1cde2fgh3i4jklmno","messageId":1511882900176220,"smsCount":1,"usedCredits":0.7,"remainingCredits":82.85}`},
		ref:            "1511882900176220",
		throttled:      answer{status: 429, body: `{}`, class: outbox.Throttled, code: "429"},
		quota:          brevoError(402, "not_enough_credits", "not enough credits", outbox.Quota),
		badCredentials: brevoError(401, "unauthorized", "Key xkeysib-Secret123456 not found", outbox.Account),
		badRecipient:   brevoError(400, "invalid_parameter", "Invalid phone number {to}", outbox.InvalidRecipient),
		down:           answer{status: 500, body: "", class: outbox.Transient, code: "500"},
		private:        []string{"xkeysib-Secret123456"},
	})
}

func brevoError(status int, code, text string, class outbox.Class) answer {
	body, _ := json.Marshal(map[string]string{"code": code, "message": text})
	return answer{status: status, body: string(body), class: class, code: fmt.Sprint(status, " ", code)}
}

// brevoPosts sends a message and returns what Brevo was posted.
func brevoPosts(t *testing.T, settings map[string]string, id string, m outbox.Message) map[string]any {
	t.Helper()
	c := candidate{kind: "brevo", settings: brevoSettings, path: "/v3/smtp/email"}
	if m.Channel == outbox.SMS {
		c.path = "/v3/transactionalSMS/sms"
	}
	v := startVendor(t, &c)
	v.says(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) })
	if _, err := v.open(settings).Send(t.Context(), id, m); err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(v.heard()[0]), &body); err != nil {
		t.Fatal(err)
	}
	return body
}

// Every try of a delivery has the same key, and no other delivery has it.
func TestBrevoIdempotencyKey(t *testing.T) {
	key := func(id string) string {
		return fmt.Sprint(brevoPosts(t, nil, id, sampleMessage())["headers"].(map[string]any)["idempotencyKey"])
	}
	if a, b, other := key(deliveryID), key(deliveryID), key("dl_01jd9z3v5k8q2w4x6y7b9c0d1f"); a != b || a == other {
		t.Errorf("got keys %s, %s and %s", a, b, other)
	}
}

func TestBrevoSender(t *testing.T) {
	m := sampleMessage()
	m.From, m.FromName = "other@id.example.org", strings.Repeat("\u00e9", 80)
	if sender := brevoPosts(t, nil, deliveryID, m)["sender"].(map[string]any); sender["email"] != m.From || sender["name"] != strings.Repeat("\u00e9", 70) {
		t.Errorf("got sender %v, want the message's own with 70 characters", sender)
	}
	sms := snsSample()
	for own, want := range map[string]string{"": "Contoso", "Fabrikam": "Fabrikam", "+14155550100": "14155550100", "codes@id.example.org": "Contoso", "TwelveLetter": "Contoso"} {
		sms.From = own
		if got := brevoPosts(t, nil, deliveryID, sms)["sender"]; got != want {
			t.Errorf("%q: got the sender %v, want %s", own, got, want)
		}
	}
}

// Characters beyond the default alphabet are only kept where Brevo is told.
func TestBrevoUnicode(t *testing.T) {
	for text, want := range map[string]bool{"482913 caf\u00e9 \u20ac": false, "482913 \u043a\u043e\u0434": true, "482913 \u00ea": true} {
		m := snsSample()
		m.Text = text
		if got := brevoPosts(t, nil, deliveryID, m)["unicodeEnabled"]; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

// A kind for two channels needs a sender for each that is used, and says so before anything is posted.
func TestBrevoSettings(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"the setting from": {"api_key": "x"},
		"sms_sender":       {"api_key": "x", "sms_sender": "Contoso Limited"},
		"setting from":     {"api_key": "x", "from": "nobody"},
		"reply_to":         {"api_key": "x", "from": "codes@id.example.org", "reply_to": "nobody"},
	} {
		if _, err := kind(t, "brevo").Open(parsed(t, "brevo", settings), provider.Environment{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: got %v, want it to name %s", settings, err, name)
		}
	}
	for word, test := range map[string]struct {
		settings map[string]string
		m        outbox.Message
	}{
		"setting from":       {map[string]string{"api_key": "x", "sms_sender": "+14155550100"}, sampleMessage()},
		"setting sms_sender": {map[string]string{"api_key": "x", "from": "codes@id.example.org"}, snsSample()},
	} {
		_, err := openKind(t, "brevo", test.settings, provider.Environment{}).Send(t.Context(), deliveryID, test.m)
		if f := fault(t, err); f.Class != outbox.Account || !strings.Contains(f.Detail, word) {
			t.Errorf("got %v, want it to name the %s", f, word)
		}
	}
}

// Brevo says when its limit ends in a field of its own.
func TestBrevoRateLimit(t *testing.T) {
	for reset, want := range map[string]time.Duration{"7": 7 * time.Second, "": 0, "x": 0, "-1": 0, "99999999": 24 * time.Hour} {
		c := candidate{kind: "brevo", settings: brevoSettings, path: "/v3/smtp/email"}
		v := startVendor(t, &c)
		v.says(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("x-sib-ratelimit-reset", reset)
			w.WriteHeader(429)
		})
		_, err := v.open(nil).Send(t.Context(), deliveryID, sampleMessage())
		if f := fault(t, err); f.Class != outbox.Throttled || f.RetryAfter != want {
			t.Errorf("%q: got %v after %s, want %s", reset, f, f.RetryAfter, want)
		}
	}
}

func TestBrevoCheck(t *testing.T) {
	const me, domain, senders = "GET /v3/account", "GET /v3/senders/domains/id.example.org", "GET /v3/senders"
	plan := answer{body: `{"email":"jane@example.com","plan":[{"type":"free","credits":300,"creditsType":"sendLimit"},{"type":"sms","credits":12.5,"creditsType":"sendLimit"}]}`}
	unknown := brevoError(404, "document_not_found", "Domain does not exist", "")
	listed := func(active string) answer {
		return answer{body: `{"senders":[{"id":1,"email":"other@example.org","active":true},{"id":2,"email":"Codes@id.example.org","active":` + active + `}]}`}
	}
	for name, test := range map[string]struct {
		asks map[string]answer
		want []string
	}{
		"good":            {map[string]answer{me: plan, domain: {body: `{"authenticated":true,"verified":true}`}}, []string{"good credentials", "good sms credits", "good sender"}},
		"bad key":         {map[string]answer{me: brevoError(401, "unauthorized", "xkeysib-Secret123456", "")}, []string{"bad credentials"}},
		"no SMS credits":  {map[string]answer{me: {body: `{"plan":[]}`}, domain: {body: `{"authenticated":true}`}}, []string{"good credentials", "bad sms credits", "good sender"}},
		"sender alone":    {map[string]answer{me: plan, domain: unknown, senders: listed("true")}, []string{"good credentials", "good sms credits", "good sender", "doubtful dkim"}},
		"inactive sender": {map[string]answer{me: plan, domain: {body: `{"authenticated":false}`}, senders: listed("false")}, []string{"good credentials", "good sms credits", "bad sender"}},
		"no sender":       {map[string]answer{me: plan, domain: unknown, senders: {body: `{"senders":[]}`}}, []string{"good credentials", "good sms credits", "bad sender"}},
		"unseen":          {map[string]answer{me: plan, domain: {status: 403}}, []string{"good credentials", "good sms credits", "doubtful sender"}},
		"unseen list":     {map[string]answer{me: plan, domain: unknown, senders: {status: 500}}, []string{"good credentials", "good sms credits", "doubtful sender"}},
	} {
		t.Run(name, func(t *testing.T) {
			account{kind: "brevo", settings: brevoSettings, asks: test.asks, allow: brevoAllows, want: test.want, private: []string{"xkeysib-Secret123456"}}.check(t)
		})
	}
}

func TestBrevoReceipts(t *testing.T) {
	at := time.Unix(1795341598, 0).UTC()
	mail := func(event string) string {
		return `{"event":"` + event + `","email":"jane@example.com","id":26570,"date":"2026-11-22 10:59:58","ts":1795341598,"message-id":"<2026.57@smtp-relay.mailin.fr>",` +
			`"ts_event":1795341598,"subject":"482913 is your code","X-Mailin-custom":"` + deliveryID + `","reason":"550 jane@example.com","tags":["x"]}`
	}
	sms := func(status string) string {
		return `{"id":26570,"to":"34600111222","sms_count":1,"credits_used":1.5,"messageId":1511882900176220,"remaining_credit":11488.845,"msg_status":"` + status + `",` +
			`"date":"2026-11-22 10:59:58","type":"transactional","tag":"` + deliveryID + `","reference":{"1":"ab1cde2"},"ts_event":"1795341598"}`
	}
	receipt := func(r outbox.Report, class outbox.Class, code string) outbox.Receipt {
		return outbox.Receipt{Ref: "2026.57@smtp-relay.mailin.fr", Delivery: deliveryID, Report: r, Class: class, Code: code, At: at}
	}
	text := func(r outbox.Report, class outbox.Class, code string) []outbox.Receipt {
		return []outbox.Receipt{{Ref: "1511882900176220", Delivery: deliveryID, Report: r, Class: class, Code: code, At: at}}
	}
	one := func(r outbox.Report, class outbox.Class, code string) []outbox.Receipt {
		return []outbox.Receipt{receipt(r, class, code)}
	}
	sitReceipts(t, reports{
		kind:     "brevo",
		settings: map[string]string{"api_key": "x", "from": "codes@example.org", "receipt_secret": "long-and-random-secret"},
		post: func(body string, _ time.Time) provider.Posted {
			return provider.Posted{URL: "https://otp.example.org/receipts/mail", Method: "POST", Body: []byte(body),
				Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer long-and-random-secret"}}}
		},
		tell: []report{
			{"delivered", mail("delivered"), one(outbox.ReportDelivered, "", "")},
			{"hard bounce", mail("hard_bounce"), one(outbox.ReportBounced, outbox.InvalidRecipient, "hard_bounce")},
			{"hard bounce, spelled otherwise", mail("hardBounce"), one(outbox.ReportBounced, outbox.InvalidRecipient, "hardBounce")},
			{"soft bounce", mail("soft_bounce"), one(outbox.ReportBounced, outbox.Transient, "soft_bounce")},
			{"invalid", mail("invalid_email"), one(outbox.ReportBounced, outbox.InvalidRecipient, "invalid_email")},
			{"blocked", mail("blocked"), one(outbox.ReportBounced, outbox.Suppressed, "blocked")},
			{"deferred", mail("deferred"), one(outbox.ReportDelayed, "", "")},
			{"spam", mail("spam"), one(outbox.ReportComplained, "", "")},
			{"error", mail("error"), one(outbox.ReportBounced, outbox.Transient, "error")},
			{"sent", mail("request"), nil},
			{"a batch", "[" + mail("request") + "," + mail("deferred") + "," + mail("delivered") + "]",
				[]outbox.Receipt{receipt(outbox.ReportDelayed, "", ""), receipt(outbox.ReportDelivered, "", "")}},
			{"SMS delivered", sms("delivered"), text(outbox.ReportDelivered, "", "")},
			{"SMS hard bounce", sms("hard_bounces"), text(outbox.ReportBounced, outbox.InvalidRecipient, "hard_bounces")},
			{"SMS soft bounce", sms("soft_bounce"), text(outbox.ReportBounced, outbox.Transient, "soft_bounce")},
			{"SMS rejected", sms("rejected"), text(outbox.ReportBounced, outbox.RejectedContent, "rejected")},
			{"SMS blacklisted", sms("blacklisted"), text(outbox.ReportBounced, outbox.Suppressed, "blacklisted")},
			{"SMS accepted", sms("accepted"), nil},
		},
		forge: map[string]func(*provider.Posted){
			"another token": func(p *provider.Posted) { p.Header.Set("Authorization", "Bearer long-and-random-secreT") },
		},
	})
}
