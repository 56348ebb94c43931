package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

var postmarkContract = published.Operation{File: "postmark_server_apisguru.json", Path: "/email"}

func postmarkAllows(r *http.Request) error {
	if r.Header.Get("X-Postmark-Server-Token") != "0f0e8d1c-server-token" || r.Header.Get("Accept") != "application/json" {
		return errors.New("10: bad or missing API token")
	}
	return nil
}

func TestPostmark(t *testing.T) {
	sitExam(t, candidate{
		kind:     "postmark",
		settings: map[string]string{"server_token": "0f0e8d1c-server-token", "from": "Contoso <codes@id.example.org>", "reply_to": "help@example.org"},
		path:     "/email",
		contract: &postmarkContract,
		check: func(r *http.Request, body []byte) error {
			var mail struct {
				To, Cc, Bcc, ReplyTo, MessageStream, TrackLinks string
				TrackOpens                                      *bool
				Headers                                         []struct{ Name, Value string }
				Metadata                                        map[string]string
			}
			if err := json.Unmarshal(body, &mail); err != nil {
				return fmt.Errorf("402: %w", err)
			}
			headers := map[string]string{}
			for _, h := range mail.Headers {
				headers[h.Name] = h.Value
			}
			switch {
			case mail.To != "jane@example.com" || mail.Cc != "" || mail.Bcc != "" || mail.ReplyTo != "help@example.org":
				return errors.New("300: invalid email request")
			case mail.MessageStream != "outbound":
				return errors.New("1235: the 'MessageStream' provided does not exist on this server")
			case mail.TrackLinks != "None" || mail.TrackOpens == nil || *mail.TrackOpens:
				return errors.New("the mail is tracked")
			case mail.Metadata["delivery"] != deliveryID || headers["Auto-Submitted"] != "auto-generated":
				return errors.New("the delivery's id is missing, or the mail does not say that it is automatic")
			}
			return postmarkAllows(r)
		},
		accepted:       answer{status: 200, body: `{"To":"jane@example.com","SubmittedAt":"2026-11-22T10:00:00.0Z","MessageID":"b7bc2f4a-e38e-4336-af7d-e6c392c2f817","ErrorCode":0,"Message":"OK"}`},
		ref:            "b7bc2f4a-e38e-4336-af7d-e6c392c2f817",
		throttled:      postmarkError(429, 429, "Rate limit exceeded", outbox.Throttled),
		quota:          postmarkError(422, 405, "Not allowed to send: no credits", outbox.Quota),
		badCredentials: postmarkError(401, 10, "No Account or Server API tokens were supplied: 0f0e8d1c-server-token", outbox.Account),
		badRecipient:   postmarkError(422, 300, "Error parsing 'To': Illegal email address '{to}'.", outbox.InvalidRecipient),
		down:           answer{status: 500, body: "", class: outbox.Transient, code: "500"},
		others: map[string]answer{
			"inactive":            postmarkError(422, 406, "You tried to send to recipients that have been marked as inactive. Found inactive addresses: {to}.", outbox.Suppressed),
			"no signature":        postmarkError(422, 400, "The 'From' address you supplied is not a Sender Signature", outbox.Account),
			"not confirmed":       postmarkError(422, 401, "not confirmed", outbox.Account),
			"bad sender":          postmarkError(422, 300, "Invalid 'From' address", outbox.Account),
			"empty":               postmarkError(422, 300, "Provide either email TextBody or HtmlBody or both.", outbox.RejectedContent),
			"pending":             postmarkError(422, 412, "pending approval", outbox.Account),
			"may not send":        postmarkError(422, 413, "may not send", outbox.Account),
			"no such stream":      postmarkError(422, 1235, "The 'MessageStream' provided does not exist on this server.", outbox.Account),
			"JSON":                postmarkError(422, 403, "Incompatible JSON {code}", outbox.RejectedContent),
			"maintenance":         postmarkError(503, 100, "Maintenance", outbox.Transient),
			"a refusal in a 200":  postmarkError(200, 406, "inactive: {to}", outbox.Suppressed),
			"an unknown in a 200": postmarkError(200, 9999, "{to}", outbox.RejectedContent),
		},
		private: []string{"0f0e8d1c-server-token"},
	})
}

func postmarkError(status, code int, text string, class outbox.Class) answer {
	body, _ := json.Marshal(map[string]any{"ErrorCode": code, "Message": text})
	return answer{status: status, body: string(body), class: class, code: fmt.Sprint(status, " ", code)}
}

func TestPostmarkCheck(t *testing.T) {
	const server, stream = "GET /server", "GET /message-streams/outbound"
	live := answer{body: `{"ID":1,"Name":"otp","ApiTokens":["0f0e8d1c-server-token"],"DeliveryType":"Live"}`}
	for name, test := range map[string]struct {
		token string
		asks  map[string]answer
		want  []string
	}{
		"good":      {"", map[string]answer{server: live, stream: {body: `{"ID":"outbound","MessageStreamType":"Transactional","ArchivedAt":null}`}}, []string{"good credentials", "good message stream"}},
		"sandbox":   {"", map[string]answer{server: {body: `{"DeliveryType":"Sandbox"}`}, stream: {body: `{"MessageStreamType":"Transactional"}`}}, []string{"good credentials", "bad server", "good message stream"}},
		"bad token": {"", map[string]answer{server: postmarkError(401, 10, "0f0e8d1c-server-token", "")}, []string{"bad credentials"}},
		"test":      {"POSTMARK_API_TEST", nil, []string{"bad credentials"}},
		"broadcast": {"", map[string]answer{server: live, stream: {body: `{"MessageStreamType":"Broadcasts"}`}}, []string{"good credentials", "doubtful message stream"}},
		"archived":  {"", map[string]answer{server: live, stream: {body: `{"MessageStreamType":"Transactional","ArchivedAt":"2026-01-01T00:00:00Z"}`}}, []string{"good credentials", "bad message stream"}},
		"no stream": {"", map[string]answer{server: live, stream: postmarkError(422, 1226, "no", "")}, []string{"good credentials", "bad message stream"}},
		"unseen":    {"", map[string]answer{server: live, stream: {status: 500}}, []string{"good credentials", "doubtful message stream"}},
	} {
		t.Run(name, func(t *testing.T) {
			settings := map[string]string{"server_token": "0f0e8d1c-server-token", "from": "codes@id.example.org"}
			if test.token != "" {
				settings["server_token"] = test.token
			}
			account{kind: "postmark", settings: settings, asks: test.asks, allow: postmarkAllows, want: test.want,
				private: []string{"0f0e8d1c-server-token"}}.check(t)
		})
	}
}

func TestPostmarkReceipts(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 59, 58, 0, time.UTC)
	const message = `,"MessageID":"883953f4","MessageStream":"outbound","Metadata":{"delivery":"` + deliveryID + `"}}`
	receipt := func(r outbox.Report, class outbox.Class, code string) []outbox.Receipt {
		return []outbox.Receipt{{Ref: "883953f4", Delivery: deliveryID, Report: r, Class: class, Code: code, At: at}}
	}
	bounce := func(kind string) string {
		return `{"RecordType":"Bounce","ID":42,"Type":"` + kind + `","Email":"jane@example.com","Details":"550 jane@example.com","BouncedAt":"2026-11-22T09:59:58Z","Inactive":true` + message
	}
	sitReceipts(t, reports{
		kind:     "postmark",
		settings: map[string]string{"server_token": "x", "from": "codes@example.org", "receipt_secret": "long-and-random-secret"},
		post: func(body string, _ time.Time) provider.Posted {
			return provider.Posted{URL: "https://otp.example.org/receipts/mail", Method: "POST", Body: []byte(body),
				Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {basicAuth("postmark", "long-and-random-secret")}}}
		},
		tell: []report{
			{"delivered", `{"RecordType":"Delivery","Recipient":"jane@example.com","DeliveredAt":"2026-11-22T09:59:58Z","Details":"250 OK"` + message, receipt(outbox.ReportDelivered, "", "")},
			{"hard bounce", bounce("HardBounce"), receipt(outbox.ReportBounced, outbox.InvalidRecipient, "HardBounce")},
			{"bad address", bounce("BadEmailAddress"), receipt(outbox.ReportBounced, outbox.InvalidRecipient, "BadEmailAddress")},
			{"soft bounce", bounce("SoftBounce"), receipt(outbox.ReportBounced, outbox.Transient, "SoftBounce")},
			{"deactivated", bounce("ManuallyDeactivated"), receipt(outbox.ReportBounced, outbox.Suppressed, "ManuallyDeactivated")},
			{"called spam by a filter", bounce("SpamNotification"), receipt(outbox.ReportBounced, outbox.RejectedContent, "SpamNotification")},
			{"still tried", bounce("Transient"), receipt(outbox.ReportDelayed, "", "Transient")},
			{"answered by itself", bounce("AutoResponder"), nil},
			{"without a record type", strings.Replace(bounce("HardBounce"), `"RecordType":"Bounce",`, "", 1), receipt(outbox.ReportBounced, outbox.InvalidRecipient, "HardBounce")},
			{"complaint", `{"RecordType":"SpamComplaint","ID":43,"Type":"SpamComplaint","BouncedAt":"2026-11-22T09:59:58Z"` + message, receipt(outbox.ReportComplained, "", "")},
			{"opened", `{"RecordType":"Open","FirstOpen":true` + message, nil},
			{"subscription", `{"RecordType":"SubscriptionChange","SuppressSending":true` + message, nil},
		},
		forge: map[string]func(*provider.Posted){
			"another password": func(p *provider.Posted) {
				p.Header.Set("Authorization", basicAuth("postmark", "long-and-random-secreT"))
			},
		},
	})
}

func basicAuth(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}
