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

func sparkpostCandidate() candidate {
	return candidate{
		kind: "sparkpost",
		settings: map[string]string{"api_key": "spSecret123456", "from": "Contoso <codes@id.example.org>",
			"reply_to": "help@example.org"},
		path:           "/api/v1/transmissions",
		check:          sparkpostRefuses,
		accepted:       answer{status: 200, body: `{"results":{"total_rejected_recipients":0,"total_accepted_recipients":1,"id":"102258889940193104"}}`},
		ref:            "102258889940193104",
		throttled:      sparkpostError(429, "", "Too many requests", outbox.Throttled),
		quota:          sparkpostError(420, "2101", "Exceed Sending Limit (daily)", outbox.Quota),
		badCredentials: sparkpostError(401, "", "Unauthorized. spSecret123456", outbox.Account),
		badRecipient: answer{status: 400, body: `{"errors":[{"message":"At least one valid recipient is required","code":"5002"}],` +
			`"results":{"rcpt_to_errors":[{"message":"invalid data format/type","description":"invalid recipient address.email: {to}","code":"1300"}],` +
			`"total_rejected_recipients":1,"total_accepted_recipients":0}}`, class: outbox.InvalidRecipient, code: "400 1300"},
		down: answer{status: 503, body: "upstream", class: outbox.Transient, code: "503"},
		others: map[string]answer{
			"unverified domain":  sparkpostError(400, "7001", "Unconfigured Sending Domain <id.example.org>", outbox.Account),
			"missing field":      sparkpostError(400, "1400", "required field is missing", outbox.RejectedContent),
			"no permission":      sparkpostError(403, "", "Forbidden.", outbox.Account),
			"limit, not in JSON": {status: 420, body: "", class: outbox.Quota, code: "420"},
			"trouble":            sparkpostError(500, "1603", "internal error", outbox.Transient),
			"hidden bad recipient": {status: 200, body: `{"errors":[{"message":"transmission created, but with validation errors","code":"2000"}],` +
				`"results":{"rcpt_to_errors":[{"message":"required field is missing","description":"address.email is required, {to} {code}","code":"1400"}],` +
				`"total_rejected_recipients":1,"total_accepted_recipients":0,"id":"1"}}`, class: outbox.InvalidRecipient, code: "200 1400"},
			"hidden suppression": {status: 200, body: `{"results":{"rcpt_to_errors":[{"message":"Message generation rejected","description":` +
				`"recipient address suppressed due to customer policy","code":"1902"}],"total_rejected_recipients":1,"total_accepted_recipients":0}}`,
				class: outbox.Suppressed, code: "200 1902"},
			"rejected without a word": {status: 200, body: `{"results":{"total_rejected_recipients":1,"total_accepted_recipients":0,"id":"1"}}`,
				class: outbox.InvalidRecipient, code: "200"},
			"nobody counted": {status: 200, body: `{"results":{}}`, class: outbox.Ambiguous, code: "200"},
			"not JSON":       {status: 200, body: `<html>`, class: outbox.Ambiguous, code: "200"},
		},
		hides:   true,
		private: []string{"spSecret123456"},
	}
}

func sparkpostError(status int, code, message string, class outbox.Class) answer {
	e := map[string]string{"message": message + " {to} {code}"}
	a := answer{status: status, class: class, code: strconv.Itoa(status)}
	if code != "" {
		e["code"] = code
		a.code += " " + code
	}
	body, _ := json.Marshal(map[string]any{"errors": []any{e}})
	a.body = string(body)
	return a
}

// sparkpostRefuses is stricter than SparkPost, which ignores fields that it does not know, and evaluates what it finds
// between braces: an expression would come out empty or fail with a 422.
func sparkpostRefuses(r *http.Request, body []byte) error {
	var mail struct {
		Options    map[string]bool `json:"options"`
		Recipients []struct {
			Address  struct{ Email, Name string } `json:"address"`
			Metadata map[string]string            `json:"metadata"`
		} `json:"recipients"`
		Content struct {
			From    struct{ Email, Name string } `json:"from"`
			Subject string                       `json:"subject"`
			Text    string                       `json:"text"`
			HTML    string                       `json:"html"`
			ReplyTo string                       `json:"reply_to"`
			Headers map[string]string            `json:"headers"`
		} `json:"content"`
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&mail); err != nil {
		return err
	}
	if r.Header.Get("Authorization") != "spSecret123456" {
		return errors.New("Unauthorized.")
	}
	c := mail.Content
	for _, text := range append([]string{c.From.Name, c.Subject, c.Text, c.HTML, c.ReplyTo}, fmt.Sprint(c.Headers)) {
		if strings.Contains(text, "{{") || strings.Contains(text, "}}") {
			return fmt.Errorf("substitution language syntax error in %q", text)
		}
	}
	on := func(name string) bool { v, ok := mail.Options[name]; return !ok || v }
	switch {
	case len(mail.Recipients) != 1 || mail.Recipients[0].Address.Email != "jane@example.com":
		return errors.New("5002: at least one valid recipient is required")
	case c.From.Email == "" || c.Subject == "" || c.Text == "":
		return errors.New("1400: required field is missing")
	case on("open_tracking") || on("click_tracking") || !mail.Options["transactional"]:
		return errors.New("tracking is on, or the mail is not transactional")
	case mail.Recipients[0].Metadata["delivery"] != deliveryID || c.Headers["Auto-Submitted"] != "auto-generated":
		return errors.New("the mail does not say that it is automatic, or which delivery it is")
	case c.ReplyTo != "<help@example.org>":
		return errors.New("no address for replies")
	}
	return nil
}

func TestSparkpost(t *testing.T) { sitExam(t, sparkpostCandidate()) }

func TestSparkpostReceipts(t *testing.T) {
	event := func(id, name, more string) string {
		return `{"msys":{"message_event":{"type":"` + name + `","event_id":"` + id + `","transmission_id":"102258889940193104","rcpt_to":"jane@example.com",` +
			`"rcpt_meta":{"delivery":"` + deliveryID + `"},"timestamp":"1795341598"` + more + `}}}`
	}
	receipt := func(id string, r outbox.Report, class outbox.Class, code string) outbox.Receipt {
		return outbox.Receipt{Event: id, Ref: "102258889940193104", Delivery: deliveryID, Report: r, Class: class, Code: code,
			At: time.Date(2026, 11, 22, 9, 59, 58, 0, time.UTC)}
	}
	bounce := func(name, more string, class outbox.Class, code string) report {
		return report{name + more, "[" + event("e", name, more) + "]", []outbox.Receipt{receipt("e", outbox.ReportBounced, class, code)}}
	}
	sitReceipts(t, reports{
		kind:     "sparkpost",
		settings: map[string]string{"api_key": "k", "from": "codes@example.org", "receipt_secret": "letmein-98765"},
		post: func(body string, _ time.Time) provider.Posted {
			return provider.Posted{URL: "https://otp.example.org/receipts/mail/letmein-98765", Method: "POST", Secret: "letmein-98765",
				Header: http.Header{"Content-Type": {"application/json"}, "X-Messagesystems-Batch-Id": {"b1"}}, Body: []byte(body)}
		},
		tell: []report{
			{"a batch", `[{"msys":{}},` + event("a", "injection", "") + "," + event("b", "delivery", "") + "," + event("c", "spam_complaint", "") +
				`,{"msys":{"track_event":{"type":"open"}}},` + event("b", "delivery", "") + "]",
				[]outbox.Receipt{receipt("b", outbox.ReportDelivered, "", ""), receipt("c", outbox.ReportComplained, "", "")}},
			{"the test of a new webhook", `[{"msys":{}}]`, nil},
			{"delay", "[" + event("d", "delay", `,"error_code":"421","bounce_class":"20"`) + "]", []outbox.Receipt{receipt("d", outbox.ReportDelayed, "", "421")}},
			{"no event id and a written time", `[{"msys":{"message_event":{"type":"delivery","transmission_id":7,"timestamp":"2026-11-22T09:59:58.000+00:00"}}}]`,
				[]outbox.Receipt{{Ref: "7", Report: outbox.ReportDelivered, At: time.Date(2026, 11, 22, 9, 59, 58, 0, time.UTC)}}},
			bounce("bounce", `,"error_code":"550","bounce_class":"10","raw_reason":"550 jane@example.com 482913"`, outbox.InvalidRecipient, "550"),
			bounce("bounce", `,"error_code":550,"bounce_class":10`, outbox.InvalidRecipient, "550"),
			bounce("bounce", `,"error_code":"552","bounce_class":"22"`, outbox.Transient, "552"),
			bounce("bounce", `,"error_code":"554","bounce_class":"51"`, outbox.RejectedContent, "554"),
			bounce("out_of_band", `,"error_code":"550","bounce_class":"30"`, outbox.InvalidRecipient, "550"),
			bounce("policy_rejection", `,"error_code":"554","bounce_class":"25","raw_reason":"554 5.7.1 recipient address suppressed due to customer policy"`,
				outbox.Suppressed, "554"),
			bounce("generation_failure", `,"error_code":"554"`, outbox.RejectedContent, "554"),
			bounce("bounce", `,"error_code":"482913"`, outbox.Transient, ""),
		},
		forge: map[string]func(*provider.Posted){
			"other secret": func(p *provider.Posted) { p.Secret = "letmein-98764" },
			"no secret":    func(p *provider.Posted) { p.Secret = "" },
		},
	})
}

func TestSparkpostCheck(t *testing.T) {
	const domain = "GET /api/v1/sending-domains/id.example.org"
	status := func(s string) answer { return answer{body: `{"results":{"status":{` + s + `}}}`} }
	for name, c := range map[string]struct {
		say  answer
		want []string
		says string
	}{
		"bad key":      {answer{status: 401, body: `{}`}, []string{"bad credentials"}, "api.eu.sparkpost.com"},
		"may not look": {answer{status: 403, body: `{}`}, []string{"doubtful credentials"}, "Sending Domains"},
		"unknown":      {answer{status: 404, body: `{}`}, []string{"good credentials", "bad sending domain"}, "id.example.org"},
		"verified":     {status(`"ownership_verified":true,"dkim_status":"valid","compliance_status":"valid"`), []string{"good credentials", "good sending domain"}, "verified"},
		"unsigned":     {status(`"ownership_verified":true,"dkim_status":"invalid"`), []string{"good credentials", "doubtful sending domain"}, "DKIM"},
		"unverified":   {status(`"ownership_verified":false,"dkim_status":"pending"`), []string{"good credentials", "bad sending domain"}, "DNS"},
		"blocked":      {status(`"ownership_verified":true,"dkim_status":"valid","compliance_status":"blocked"`), []string{"good credentials", "bad sending domain"}, "blocked"},
	} {
		t.Run(name, func(t *testing.T) {
			account{kind: "sparkpost", settings: sparkpostCandidate().settings, asks: map[string]answer{domain: c.say}, want: c.want, says: []string{c.says},
				allow: func(r *http.Request) error {
					if r.Header.Get("Authorization") != "spSecret123456" {
						return errors.New("Unauthorized.")
					}
					return nil
				}, private: []string{"spSecret123456"}}.check(t)
		})
	}
}
