package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

var azureEmailContract = published.Operation{File: "azure_communication_email_2025-09-01.json", Path: "/emails:send"}

func azureEmailSettings() map[string]string {
	return map[string]string{"connection_string": azureConnection, "from": "codes@id.example.org", "reply_to": "Help <help@example.org>"}
}

func TestAzureCommunicationEmail(t *testing.T) {
	operation := provider.OperationID(deliveryID)
	sitExam(t, candidate{
		kind:     "azure_communication_email",
		settings: azureEmailSettings(),
		path:     "/emails:send",
		contract: &azureEmailContract,
		check: func(r *http.Request, body []byte) error {
			return errors.Join(azureSigned(r, body), azureMailIsRight(r, body))
		},
		accepted:  answer{status: 202, header: http.Header{"Retry-After": {"20"}}, body: `{"id":"` + operation + `","status":"Running","error":null}`},
		ref:       operation,
		throttled: azureRefusal(429, "TooManyRequests", outbox.Throttled),
		badCredentials: answer{status: 401, body: `{"error":{"code":"Denied","message":"Denied by the resource provider for ` + azureKey + `."}}`,
			class: outbox.Account, code: "401 Denied"},
		badRecipient: azureRefusal(400, "InvalidEmailAddress", outbox.InvalidRecipient),
		down:         answer{status: 503, body: "upstream", class: outbox.Transient, code: "503"},
		absent:       map[string]string{"quota": "Azure has a rate, and no code of its own for an allowance that is used up"},
		others: map[string]answer{
			"domain not connected": azureRefusal(404, "DomainNotLinked", outbox.Account),
			"unknown MailFrom":     azureRefusal(400, "InvalidSenderUserName", outbox.Account),
			"body not valid":       azureRefusal(422, "BodyInvalid", outbox.RejectedContent),
			"suppressed":           azureRefusal(400, "emailDroppedAllRecipientsSuppressed", outbox.Suppressed),
			"known operation":      azureRefusal(409, "Conflict", outbox.Ambiguous),
			"code in the header": {status: 403, header: http.Header{"X-Ms-Error-Code": {"Forbidden"}}, class: outbox.Account,
				code: "403 Forbidden"},
			"failed at once": {status: 202, body: `{"id":"1","status":"Failed","error":{"code":"EmailDropped","message":"no {to} {code}"}}`,
				class: outbox.RejectedContent, code: "EmailDropped"},
			"busy": azureRefusal(500, "InvalidEmailAddress", outbox.Transient),
		},
		private: []string{azureKey},
	})
}

func azureMailIsRight(r *http.Request, body []byte) error {
	var mail struct {
		SenderAddress string
		Recipients    struct {
			To, Cc, Bcc []struct{ Address, DisplayName string }
		}
		Content struct{ Subject, PlainText, HTML string }
		Headers map[string]string
		ReplyTo []struct{ Address, DisplayName string }

		UserEngagementTrackingDisabled bool
	}
	if err := json.Unmarshal(body, &mail); err != nil {
		return err
	}
	to := mail.Recipients.To
	switch {
	case r.Header.Get("Operation-Id") != provider.OperationID(deliveryID):
		return errors.New("Operation-Id is not the delivery's")
	case mail.SenderAddress != "codes@id.example.org":
		return fmt.Errorf("InvalidSenderUserName: %s", mail.SenderAddress)
	case len(to) != 1 || to[0].Address != "jane@example.com" || len(mail.Recipients.Cc)+len(mail.Recipients.Bcc) > 0:
		return errors.New("InvalidEmailAddress")
	case mail.Content.PlainText == "" || mail.Content.HTML == "":
		return errors.New("text and HTML are not both there")
	case len(mail.ReplyTo) != 1 || mail.ReplyTo[0].Address != "help@example.org" || mail.ReplyTo[0].DisplayName != "Help":
		return errors.New("replies go elsewhere")
	case mail.Headers["Auto-Submitted"] != "auto-generated":
		return errors.New("the mail does not say that it is automatic")
	case !mail.UserEngagementTrackingDisabled:
		return errors.New("links would be rewritten")
	}
	return nil
}

func azureRefusal(status int, code string, class outbox.Class) answer {
	body, _ := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": "no {to} {code}"}})
	return answer{status: status, body: string(body), class: class, code: fmt.Sprint(status, " ", code)}
}

func TestAzureEmailRefusesAddresses(t *testing.T) {
	for name, value := range map[string]string{"from": "Contoso <codes@id.example.org>", "reply_to": "help"} {
		settings := azureEmailSettings()
		settings[name] = value
		_, err := kind(t, "azure_communication_email").Open(parsed(t, "azure_communication_email", settings), provider.Environment{})
		if err == nil || !strings.Contains(err.Error(), "setting "+name+": ") {
			t.Errorf("%s %q: got %v", name, value, err)
		}
	}
}

// The reference is what Track can ask for, whatever the answer holds.
func TestAzureEmailReference(t *testing.T) {
	s, vendor := openAzureEmail(t)
	own, theirs := provider.OperationID(deliveryID), "3f0d2a1c-6a54-4f0e-9c1f-0b8a4f7d2e11"
	for body, want := range map[string]string{`{"id":"` + theirs + `","status":"Running"}`: theirs, `{"id":"482913","status":"Running"}`: own, "": own, "null": own, "<html>": own} {
		vendor(func(w http.ResponseWriter, _ *http.Request) { answer{status: 202, body: body}.write(w) })
		if got, err := s.Send(t.Context(), deliveryID, sampleMessage()); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", body, got, err, want)
		}
	}
}

func TestAzureEmailOperationIsTracked(t *testing.T) {
	ref := provider.OperationID(deliveryID)
	bounced := func(class outbox.Class, code string) outbox.Receipt {
		return outbox.Receipt{Event: ref + " Failed", Ref: ref, Report: outbox.ReportBounced, Class: class, Code: code, Detail: "no ...@example.com"}
	}
	failed := func(code string) string {
		return `{"id":"` + ref + `","status":"Failed","error":{"code":"` + code + `","message":"no jane@example.com"}}`
	}
	for _, test := range []struct {
		name, body, retryAfter string
		want                   outbox.Receipt
		wait                   time.Duration
	}{
		{"not started", `{"id":"` + ref + `","status":"NotStarted"}`, "", outbox.Receipt{Event: ref + " NotStarted", Ref: ref}, 20 * time.Second},
		{"running", `{"id":"` + ref + `","status":"Running"}`, "7", outbox.Receipt{Event: ref + " Running", Ref: ref}, 7 * time.Second},
		{"handed over", `{"id":"` + ref + `","status":"Succeeded"}`, "", outbox.Receipt{Event: ref + " Succeeded", Ref: ref}, 0},
		{"suppressed", failed("EmailDroppedAllRecipientsSuppressed"), "", bounced(outbox.Suppressed, "EmailDroppedAllRecipientsSuppressed"), 0},
		{"bad address", failed("InvalidEmailAddress"), "", bounced(outbox.InvalidRecipient, "InvalidEmailAddress"), 0},
		{"dropped", failed("EmailDropped"), "", bounced(outbox.RejectedContent, "EmailDropped"), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, vendor := openAzureEmail(t)
			vendor(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "GET" || r.URL.Path != "/emails/operations/"+ref || r.URL.RawQuery != "api-version=2025-09-01" {
					t.Errorf("asked %s %s", r.Method, r.URL)
				}
				if err := azureSigned(r, nil); err != nil {
					t.Error(err)
				}
				h := http.Header{}
				if test.retryAfter != "" {
					h.Set("Retry-After", test.retryAfter)
				}
				answer{status: 200, header: h, body: test.body}.write(w)
			})
			got, wait, err := s.(outbox.Tracker).Track(t.Context(), deliveryID, ref)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want || wait != test.wait {
				t.Errorf("got %+v, %s\nwant %+v, %s", got, wait, test.want, test.wait)
			}
		})
	}
}

func TestAzureEmailOperationIsNotTracked(t *testing.T) {
	s, vendor := openAzureEmail(t)
	tooOften := azureRefusal(429, "TooManyRequests", outbox.Throttled)
	tooOften.header = http.Header{"Retry-After": {"9"}}
	for _, test := range []struct {
		name, ref string
		answer    answer
	}{
		{"a reference with a path", "../../sms", answer{class: outbox.Account}},
		{"too often", provider.OperationID("x"), tooOften},
		{"nonsense", provider.OperationID("x"), answer{status: 200, body: "{}", class: outbox.Transient, code: "200"}},
	} {
		vendor(func(w http.ResponseWriter, _ *http.Request) {
			if test.answer.status == 0 {
				t.Errorf("%s: it was asked for", test.name)
			}
			test.answer.write(w)
		})
		receipt, wait, err := s.(outbox.Tracker).Track(t.Context(), deliveryID, test.ref)
		if (wait == 9*time.Second) != (test.name == "too often") {
			t.Errorf("%s: wait %s", test.name, wait)
		}
		if f := fault(t, err); f.Class != test.answer.class || f.Code != test.answer.code || receipt.Report != "" {
			t.Errorf("%s: got %+v, %v", test.name, receipt, f)
		}
	}
}

// openAzureEmail opens a sender whose vendor answers as it is told to.
func openAzureEmail(t *testing.T) (outbox.Sender, func(http.HandlerFunc)) {
	var say http.HandlerFunc
	url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) { say(w, r) })
	settings := azureEmailSettings()
	settings["endpoint"], settings["allow_http"], settings["allow_private"] = url, "true", "true"
	s := openKind(t, "azure_communication_email", settings, provider.Environment{Now: func() time.Time { return examNow }})
	return s, func(h http.HandlerFunc) { say = h }
}

func TestAzureEmailCheck(t *testing.T) {
	s, vendor := openAzureEmail(t)
	for _, test := range []struct {
		name   string
		answer answer
		want   provider.FindingVerdict
	}{
		{"no such operation", azureRefusal(404, "NotFound", ""), provider.Good},
		{"bad key", azureRefusal(401, "Denied", ""), provider.Bad},
		{"clock", answer{status: 401, header: http.Header{"Date": {examNow.Add(time.Hour).Format(http.TimeFormat)}}}, provider.Bad},
		{"no role", azureRefusal(403, "Forbidden", ""), provider.Bad},
		{"busy", azureRefusal(503, "Busy", ""), provider.Doubtful},
	} {
		vendor(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				t.Errorf("a check does %s", r.Method)
			}
			w.Header().Set("Date", examNow.Format(http.TimeFormat))
			test.answer.write(w)
		})
		found := s.(provider.Checker).Check(t.Context())
		if len(found) != 2 || found[0].Subject != "credentials" || found[0].Verdict != test.want || (found[0].Do == "") != (test.want == provider.Good) {
			t.Errorf("%s: got %+v", test.name, found)
		}
		if sees := slices.ContainsFunc(found, func(f provider.Finding) bool {
			return f.Do == "Set the clock of this machine; the signature covers the time."
		}); sees != (test.name == "clock") {
			t.Errorf("%s: clock seen: %t", test.name, sees)
		}
	}
}

func TestAzureEmailReceipts(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 59, 58, 123456700, time.UTC)
	event := func(id, status string) string {
		return `{"id":"` + id + `","topic":"/subscriptions/x","subject":"sender/codes@id.example.org/message/3f0d","eventType":"Microsoft.Communication.EmailDeliveryReportReceived",` +
			`"eventTime":"2026-11-22T10:00:00Z","dataVersion":"1.0","metadataVersion":"1","data":{"sender":"codes@id.example.org","recipient":"jane@example.com",` +
			`"messageId":"3f0d","status":"` + status + `","deliveryStatusDetails":{"statusMessage":"jane@example.com is not here"},` +
			`"deliveryAttemptTimeStamp":"2026-11-22T10:59:58.1234567+01:00"}}`
	}
	bounced := func(id string, class outbox.Class, code string) outbox.Receipt {
		return outbox.Receipt{Event: id, Ref: "3f0d", Report: outbox.ReportBounced, Class: class, Code: code, Detail: "...@example.com is not here", At: at}
	}
	settings := azureEmailSettings()
	settings["receipt_secret"] = "grid-secret-1234567890"
	r := reports{
		kind: "azure_communication_email", settings: settings,
		post: func(body string, _ time.Time) provider.Posted {
			return provider.Posted{URL: "https://otp.example.org/receipts/mail", Method: "POST", Secret: "grid-secret-1234567890", Body: []byte(body),
				Header: http.Header{"Content-Type": {"application/json"}, "Aeg-Event-Type": {"Notification"}}}
		},
		tell: []report{
			{"delivered", "[" + event("e1", "Delivered") + "]", []outbox.Receipt{{Event: "e1", Ref: "3f0d", Report: outbox.ReportDelivered, At: at}}},
			{"two", "[" + event("e1", "Bounced") + "," + event("e2", "Suppressed") + "]",
				[]outbox.Receipt{bounced("e1", outbox.InvalidRecipient, "Bounced"), bounced("e2", outbox.Suppressed, "Suppressed")}},
			{"spam", "[" + event("e1", "FilteredSpam") + "]", []outbox.Receipt{bounced("e1", outbox.RejectedContent, "FilteredSpam")}},
			{"quarantined", "[" + event("e1", "Quarantined") + "]", []outbox.Receipt{bounced("e1", outbox.RejectedContent, "Quarantined")}},
			{"failed", "[" + event("e1", "Failed") + "]", []outbox.Receipt{bounced("e1", outbox.Transient, "Failed")}},
			{"expanded", "[" + event("e1", "Expanded") + "]", nil},
			{"another event", `[{"id":"e1","eventType":"Microsoft.Communication.EmailEngagementTrackingReportReceived","data":{}}]`, nil},
		},
		forge: map[string]func(*provider.Posted){
			"other secret": func(p *provider.Posted) { p.Secret = "grid-secret-1234567891" },
			"other bearer": func(p *provider.Posted) { p.Secret = ""; p.Header.Set("Authorization", "Bearer grid-secret") },
		},
	}
	sitReceipts(t, r)
	examineGridHandshake(t, r)
}

// examineGridHandshake asks whether a subscription of Event Grid is confirmed, and only one that brings the secret.
func examineGridHandshake(t *testing.T, r reports) {
	p := r.post(`[{"id":"2d17","topic":"/subscriptions/x","subject":"","data":{"validationCode":"512d\"38b6","validationUrl":"https://example.org/"},`+
		`"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2026-11-22T10:00:00Z","metadataVersion":"1","dataVersion":"2"}]`, examNow)
	p.Header.Set("Aeg-Event-Type", "SubscriptionValidation")
	bearer := p
	bearer.Secret, bearer.Header = "", http.Header{"Authorization": {"Bearer " + p.Secret}}
	for name, p := range map[string]provider.Posted{"path": p, "bearer": bearer} {
		told, err := r.read(t, p)
		if want := `{"validationResponse":"512d\"38b6"}`; err != nil || string(told.Answer) != want || len(told.Receipts) != 0 {
			t.Errorf("%s: got %s, %v, want %s", name, told.Answer, err, want)
		}
	}
	p.Secret = ""
	if told, err := r.read(t, p); !errors.Is(err, provider.ErrForged) || told.Answer != nil {
		t.Errorf("a stranger's handshake is answered with %s, %v", told.Answer, err)
	}
}
