package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

func mailjetCandidate() candidate {
	return candidate{
		kind: "mailjet",
		settings: map[string]string{"api_key": "mjkey123456", "secret_key": "mjSecret98765", "from": "Contoso <codes@id.example.org>",
			"reply_to": "help@example.org"},
		path:  "/v3.1/send",
		check: mailjetRefuses,
		accepted: answer{status: 200, body: `{"Messages":[{"Status":"success","CustomID":"` + deliveryID +
			`","To":[{"Email":"jane@example.com","MessageUUID":"u1","MessageID":1152921504606846977,"MessageHref":"h"}],"Cc":[],"Bcc":[]}]}`},
		ref:            "1152921504606846977",
		throttled:      mailjetWhole(429, "", outbox.Throttled),
		badCredentials: mailjetWhole(401, "mj-0015", outbox.Account),
		badRecipient:   mailjetPart(400, 400, "mj-0013", "To[0].Email", outbox.InvalidRecipient),
		down:           answer{status: 500, body: `{"ErrorIdentifier":"x"}`, class: outbox.Transient, code: "500"},
		absent:         map[string]string{"quota": "the guide names no error of a limit that was used up"},
		others: map[string]answer{
			"hidden bad recipient":      mailjetPart(200, 400, "mj-0013", "To[0].Email", outbox.InvalidRecipient),
			"hidden unverified sender":  mailjetPart(200, 403, "send-0006", "From", outbox.Account),
			"hidden template problem":   mailjetPart(200, 400, "send-0010", "TemplateID", outbox.RejectedContent),
			"hidden throttling":         mailjetPart(200, 429, "x", "", outbox.Throttled),
			"hidden trouble":            mailjetPart(200, 500, "x", "", outbox.Transient),
			"bad sender":                mailjetPart(400, 400, "mj-0013", "From.Email", outbox.Account),
			"suspended key":             mailjetWhole(401, "mj-0001", outbox.Account),
			"refused under load":        mailjetWhole(503, "mj-0013", outbox.Transient),
			"neither success nor error": {status: 200, body: `{"Messages":[{"Status":"maybe"}]}`, class: outbox.Ambiguous, code: "200"},
			"no message":                {status: 200, body: `{"Messages":[]}`, class: outbox.Ambiguous, code: "200"},
			"not JSON":                  {status: 200, body: `<html>`, class: outbox.Ambiguous, code: "200"},
		},
		hides:   true,
		private: []string{"mjkey123456", "mjSecret98765"},
	}
}

// mailjetRefuses refuses unknown fields as the guide says (mj-0003), and what a passcode must not have.
func mailjetRefuses(r *http.Request, body []byte) error {
	type address struct{ Email, Name string }
	var mail struct {
		Messages []struct {
			From                    address
			To                      []address
			ReplyTo                 *address
			Subject                 string
			TextPart, HTMLPart      string
			TemplateID              int
			TemplateLanguage        bool
			Variables               map[string]string
			CustomID                string
			Headers                 map[string]string
			TrackOpens, TrackClicks string
		}
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&mail); err != nil {
		return err
	}
	if key, secret, _ := r.BasicAuth(); key != "mjkey123456" || secret != "mjSecret98765" {
		return errors.New("mj-0015")
	}
	if len(mail.Messages) != 1 {
		return errors.New("mj-0007: Messages")
	}
	m := mail.Messages[0]
	switch {
	case len(m.To) != 1 || m.To[0].Email != "jane@example.com" || m.From.Email == "" || m.ReplyTo == nil || m.ReplyTo.Email != "help@example.org":
		return errors.New("mj-0013")
	case m.TextPart == "" && m.HTMLPart == "" && m.TemplateID == 0:
		return errors.New("send-0003")
	case m.TemplateID == 0 && (m.TemplateLanguage || len(m.Variables) > 0):
		return errors.New("our own mail is evaluated as a template")
	case m.TemplateID != 0 && (!m.TemplateLanguage || m.Variables["otp"] == "" || strings.Contains(m.Subject, "{{")):
		return errors.New("send-0010")
	case len(m.Subject) > 255:
		return errors.New("mj-0006: Subject")
	case m.CustomID != deliveryID || m.Headers["Auto-Submitted"] != "auto-generated":
		return errors.New("the mail does not say that it is automatic, or which delivery it is")
	case m.TrackClicks != "disabled" || m.TrackOpens != "disabled":
		return errors.New("tracking is on")
	}
	return nil
}

func mailjetErrorBody(status int, code, related string) map[string]any {
	return map[string]any{"ErrorIdentifier": "f987", "ErrorCode": code, "StatusCode": status,
		"ErrorMessage": "no {to} {code} mjSecret98765", "ErrorRelatedTo": []string{related}}
}

// mailjetWhole is a refusal of the whole request.
func mailjetWhole(status int, code string, class outbox.Class) answer {
	body, _ := json.Marshal(mailjetErrorBody(status, code, ""))
	a := answer{status: status, body: string(body), class: class, code: strconv.Itoa(status)}
	if code != "" {
		a.code += " " + code
	}
	return a
}

// mailjetPart is a refusal of the message.
func mailjetPart(http, status int, code, related string, class outbox.Class) answer {
	body, _ := json.Marshal(map[string]any{"Messages": []any{
		map[string]any{"Status": "error", "Errors": []any{mailjetErrorBody(status, code, related)}}}})
	return answer{status: http, body: string(body), class: class, code: fmt.Sprint(status, " ", code)}
}

func TestMailjet(t *testing.T) { sitExam(t, mailjetCandidate()) }

func TestMailjetWithATemplate(t *testing.T) {
	c := mailjetCandidate()
	c.settings["template_id"] = "1234567"
	sitExam(t, c)
}

func TestMailjetReceipts(t *testing.T) {
	event := func(name, more string) string {
		return `{"event":"` + name + `","time":1795341598,"MessageID":1152921504606846977,"email":"jane@example.com","CustomID":"` + deliveryID + `"` + more + `}`
	}
	receipt := func(r outbox.Report, class outbox.Class, code string) outbox.Receipt {
		return outbox.Receipt{Ref: "1152921504606846977", Delivery: deliveryID, Report: r, Class: class, Code: code,
			At: time.Date(2026, 11, 22, 9, 59, 58, 0, time.UTC)}
	}
	bounce := func(name, more string, class outbox.Class, code string) report {
		return report{name + more, "[" + event(name, more) + "]", []outbox.Receipt{receipt(outbox.ReportBounced, class, code)}}
	}
	sitReceipts(t, reports{
		kind:     "mailjet",
		settings: map[string]string{"api_key": "k", "secret_key": "s", "from": "codes@example.org", "receipt_secret": "letmein-98765"},
		post: func(body string, _ time.Time) provider.Posted {
			r := http.Request{Header: http.Header{"Content-Type": {"application/json"}}}
			r.SetBasicAuth("mailjet", "letmein-98765")
			return provider.Posted{URL: "https://otp.example.org/receipts/mail", Method: "POST", Header: r.Header, Body: []byte(body)}
		},
		tell: []report{
			{"a batch", "[" + event("sent", "") + "," + event("open", "") + "," + event("spam", "") + "," + event("sent", "") + "]",
				[]outbox.Receipt{receipt(outbox.ReportDelivered, "", ""), receipt(outbox.ReportComplained, "", "")}},
			{"one event", event("sent", ""), []outbox.Receipt{receipt(outbox.ReportDelivered, "", "")}},
			{"the id as text", `[{"event":"sent","time":1795341598,"mj_message_id":"1152921504606846977"}]`,
				[]outbox.Receipt{{Ref: "1152921504606846977", Report: outbox.ReportDelivered, At: time.Unix(1795341598, 0).UTC()}}},
			bounce("bounce", `,"hard_bounce":true,"error_related_to":"recipient","error":"user unknown"`, outbox.InvalidRecipient, "user unknown"),
			bounce("bounce", `,"hard_bounce":true,"error_related_to":"recipient","error":"quota exceeded"`, outbox.Transient, "quota exceeded"),
			bounce("bounce", `,"hard_bounce":false,"error_related_to":"domain","error":"no mail host"`, outbox.Transient, "no mail host"),
			bounce("bounce", `,"hard_bounce":true,"error_related_to":"spam","error":"content blocked"`, outbox.RejectedContent, "content blocked"),
			bounce("blocked", `,"error_related_to":"mailjet","error":"preblocked"`, outbox.Suppressed, "preblocked"),
			bounce("blocked", `,"error_related_to":"recipient","error":"user unknown"`, outbox.InvalidRecipient, "user unknown"),
			bounce("bounce", `,"error":"482913 for jane@example.com"`, outbox.Transient, ""),
		},
		forge: map[string]func(*provider.Posted){
			"other password": func(p *provider.Posted) {
				r := http.Request{Header: p.Header}
				r.SetBasicAuth("mailjet", "letmein-98764")
			},
		},
	})
}

func TestMailjetCheck(t *testing.T) {
	const senders = "GET /v3/REST/sender?Limit=1000"
	for name, c := range map[string]struct {
		say  answer
		want []string
		says string
	}{
		"bad keys":      {answer{status: 401, body: `{"ErrorMessage":"mjSecret98765"}`}, []string{"bad credentials"}, "api.us.mailjet.com"},
		"address":       {answer{body: `{"Count":1,"Data":[{"Email":"codes@id.example.org","Status":"Active"}]}`}, []string{"good credentials", "good sender address"}, "active"},
		"domain":        {answer{body: `{"Data":[{"Email":"*@id.example.org","Status":"Active"}]}`}, []string{"good credentials", "good sender address"}, "active"},
		"not activated": {answer{body: `{"Data":[{"Email":"codes@id.example.org","Status":"Inactive"}]}`}, []string{"good credentials", "bad sender address"}, "Senders & Domains"},
		"not JSON":      {answer{body: `<`}, []string{"doubtful credentials"}, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			account{kind: "mailjet", settings: mailjetCandidate().settings, asks: map[string]answer{senders: c.say}, want: c.want, says: []string{c.says},
				allow: func(r *http.Request) error {
					if key, secret, _ := r.BasicAuth(); key != "mjkey123456" || secret != "mjSecret98765" {
						return errors.New("401")
					}
					return nil
				}, private: []string{"mjSecret98765"}}.check(t)
		})
	}
}
