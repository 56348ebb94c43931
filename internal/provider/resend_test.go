package provider_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

var resendContract = published.Operation{File: "resend.json", Path: "/emails"}

func TestResend(t *testing.T) {
	sitExam(t, candidate{
		kind:     "resend",
		settings: map[string]string{"api_key": "re_Secret123456", "from": "Contoso <codes@id.example.org>", "reply_to": "help@example.org"},
		path:     "/emails",
		contract: &resendContract,
		check: func(r *http.Request, body []byte) error {
			var mail struct {
				From    string
				To      []string
				Headers map[string]string
			}
			if err := json.Unmarshal(body, &mail); err != nil {
				return err
			}
			switch {
			case r.Header.Get("Authorization") != "Bearer re_Secret123456":
				return errors.New("missing_api_key")
			case r.Header.Get("Idempotency-Key") != deliveryID:
				return errors.New("invalid_idempotency_key")
			case len(mail.To) != 1 || mail.To[0] != "jane@example.com":
				return errors.New("validation_error: to")
			case mail.Headers["Auto-Submitted"] != "auto-generated":
				return errors.New("the mail does not say that it is automatic")
			}
			return nil
		},
		accepted:  answer{status: 200, body: `{"id":"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}`},
		ref:       "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794",
		throttled: resendError(429, "rate_limit_exceeded", outbox.Throttled),
		quota:     resendError(429, "daily_quota_exceeded", outbox.Quota),
		badCredentials: answer{status: 403, body: `{"statusCode":403,"name":"invalid_api_key","message":"API key re_Secret123456 is invalid"}`,
			class: outbox.Account, code: "403 invalid_api_key"},
		badRecipient: resendError(422, "validation_error", outbox.RejectedContent),
		down:         answer{status: 503, body: "upstream", class: outbox.Transient, code: "503"},
		others: map[string]answer{
			"a second request while the first is taken": resendError(409, "concurrent_idempotent_requests", outbox.Transient),
			"unverified domain":                         {status: 403, body: `{"name":"validation_error","message":"The {to} {code}"}`, class: outbox.Account, code: "403 validation_error"},
		},
		private: []string{"re_Secret123456"},
	})
}

func resendError(status int, name string, class outbox.Class) answer {
	body, _ := json.Marshal(map[string]any{"statusCode": status, "name": name, "message": "no {to} {code}"})
	return answer{status: status, body: string(body), class: class, code: fmt.Sprint(status, " ", name)}
}

func TestResendReceipts(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 24)
	secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
	event := func(kind, more string) string {
		return `{"type":"` + kind + `","created_at":"2026-11-22T09:59:58Z","data":{"email_id":"49a3999c","to":["jane@example.com"],` +
			`"tags":{"delivery":"` + deliveryID + `"}` + more + `}}`
	}
	at := time.Date(2026, 11, 22, 9, 59, 58, 0, time.UTC)
	receipt := func(r outbox.Report, class outbox.Class, code string) []outbox.Receipt {
		return []outbox.Receipt{{Event: "msg_1", Ref: "49a3999c", Delivery: deliveryID, Report: r, Class: class, Code: code, At: at}}
	}
	sitReceipts(t, reports{
		kind:     "resend",
		settings: map[string]string{"api_key": "re_x", "from": "codes@example.org", "receipt_secret": secret},
		post: func(body string, at time.Time) provider.Posted {
			h, err := provider.SignWebhook(secret, "msg_1", at, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			svix := http.Header{"Content-Type": {"application/json"}}
			for _, name := range []string{"id", "timestamp", "signature"} {
				svix.Set("svix-"+name, h.Get("webhook-"+name))
			}
			return provider.Posted{URL: "https://otp.example.org/receipts/mail", Method: "POST", Header: svix, Body: []byte(body)}
		},
		tell: []report{
			{"delivered", event("email.delivered", ""), receipt(outbox.ReportDelivered, "", "")},
			{"delayed", event("email.delivery_delayed", ""), receipt(outbox.ReportDelayed, "", "")},
			{"complained", event("email.complained", ""), receipt(outbox.ReportComplained, "", "")},
			{"hard bounce", event("email.bounced", `,"bounce":{"type":"Permanent","subType":"General"}`), receipt(outbox.ReportBounced, outbox.InvalidRecipient, "General")},
			{"soft bounce", event("email.bounced", `,"bounce":{"type":"Transient","subType":"MailboxFull"}`), receipt(outbox.ReportBounced, outbox.Transient, "MailboxFull")},
			{"suppressed", event("email.suppressed", ""), receipt(outbox.ReportBounced, outbox.Suppressed, "")},
			{"opened", event("email.opened", ""), nil},
		},
		forge: map[string]func(*provider.Posted){
			"other id": func(p *provider.Posted) { p.Header.Set("svix-id", "msg_2") },
		},
		timed: true, bodySigned: true,
	})
}

// The vector was computed by hand from the words of the Svix documentation, with Python's hmac.
func TestResendSignatureVector(t *testing.T) {
	reader, err := kind(t, "resend").Receipts(parsed(t, "resend", map[string]string{"api_key": "re_x", "from": "a@example.org",
		"receipt_secret": "whsec_c3ZpeC1zZWNyZXQtZm9yLXRlc3RzLTI0"}), provider.Environment{Now: func() time.Time { return time.Unix(1756808100, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("svix-id", "msg_test1")
	h.Set("svix-timestamp", "1756808100")
	h.Set("svix-signature", "v1,1mvUzGfIU5QXrbUpLvOhmfSVItI3FCF5WAO1WBByjSI=")
	if _, err := reader.Read(t.Context(), provider.Posted{Header: h, Body: []byte(`{"type":"email.delivered"}`)}); errors.Is(err, provider.ErrForged) {
		t.Error(err)
	}
}
