package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

var (
	azureSMSContract    = published.Operation{File: "azure_communication_sms_2026-01-23.json", Path: "/sms"}
	azureOptOutContract = published.Operation{File: "azure_communication_sms_2026-01-23.json", Path: "/sms/optouts:check"}
)

func azureSMSSettings() map[string]string {
	return map[string]string{"connection_string": azureConnection, "from": "+18335550100"}
}

func sampleText() outbox.Message {
	return outbox.Message{Channel: outbox.SMS, To: "+34600111222", Text: "482913 is your Contoso code", Language: "en", Code: "482913",
		Application: "Contoso", Purpose: "sign_in"}
}

// azureTextSays is a 202 with what it says of the recipient.
func azureTextSays(status int, message string) string {
	return fmt.Sprintf(`{"value":[{"to":"{to}","httpStatusCode":%d,"repeatabilityResult":"rejected","successful":false,"errorMessage":"%s"}]}`, status, message)
}

func TestAzureCommunicationSMS(t *testing.T) {
	hidden := func(status int, message string, class outbox.Class) answer {
		return answer{status: 202, body: azureTextSays(status, message), class: class, code: fmt.Sprint("202 recipient ", status)}
	}
	sitExam(t, candidate{
		kind:     "azure_communication_sms",
		settings: azureSMSSettings(),
		message:  sampleText(),
		path:     "/sms",
		contract: &azureSMSContract,
		check: func(r *http.Request, body []byte) error {
			return errors.Join(azureSigned(r, body), azureTextIsRight(body))
		},
		accepted:  answer{status: 202, body: `{"value":[{"to":"+34600111222","messageId":"Outgoing_20261122_noam","httpStatusCode":202,"repeatabilityResult":"accepted","successful":true}]}`},
		ref:       "Outgoing_20261122_noam",
		throttled: azureRefusal(429, "TooManyRequests", outbox.Throttled),
		badCredentials: answer{status: 401, body: `{"error":{"code":"Denied","message":"Denied by the resource provider for ` + azureKey + `."}}`,
			class: outbox.Account, code: "401 Denied"},
		badRecipient: hidden(400, "Invalid To phone number format: {to}", outbox.InvalidRecipient),
		down:         answer{status: 503, body: "upstream", class: outbox.Transient, code: "503"},
		absent:       map[string]string{"quota": "Azure has a rate, and no code of its own for an allowance that is used up"},
		hides:        true,
		others: map[string]answer{
			"hidden throttle":    hidden(429, "slow down {code}", outbox.Throttled),
			"hidden outage":      hidden(500, "internal", outbox.Transient),
			"hidden refusal":     hidden(403, "not allowed", outbox.Account),
			"hidden bad sender":  hidden(400, "Invalid From phone number format", outbox.Account),
			"opted out":          hidden(400, "Recipient has opted out", outbox.Suppressed),
			"something else":     hidden(409, "what", outbox.RejectedContent),
			"not successful":     hidden(202, "not taken", outbox.RejectedContent),
			"nothing said":       {status: 202, body: `{"value":[]}`, class: outbox.Ambiguous, code: "202"},
			"not JSON":           {status: 202, body: `accepted`, class: outbox.Ambiguous, code: "202"},
			"from not ours":      azureRefusal(404, "NumberNotOwned", outbox.Account),
			"body is not valid":  azureRefusal(400, "BadRequest", outbox.RejectedContent),
			"error with no code": {status: 400, body: `{}`, class: outbox.RejectedContent, code: "400"},
		},
		private: []string{azureKey},
	})
}

func azureTextIsRight(body []byte) error {
	var text struct {
		From, Message  string
		SMSRecipients  []struct{ To, RepeatabilityRequestID, RepeatabilityFirstSent string }
		SMSSendOptions struct {
			EnableDeliveryReport bool
			Tag                  string
		}
	}
	if err := json.Unmarshal(body, &text); err != nil {
		return err
	}
	switch to := text.SMSRecipients; {
	case text.From != "+18335550100" || len(to) != 1 || to[0].To != "+34600111222":
		return errors.New("from or to is wrong")
	case to[0].RepeatabilityRequestID != provider.OperationID(deliveryID):
		return errors.New("repeatabilityRequestId is not the delivery's")
	case to[0].RepeatabilityFirstSent != examNow.Format(http.TimeFormat):
		return errors.New("repeatabilityFirstSent is not the time")
	case text.SMSSendOptions.Tag != deliveryID || !text.SMSSendOptions.EnableDeliveryReport:
		return errors.New("no report with the delivery's id is asked for")
	case text.Message == "":
		return errors.New("BadRequest: message")
	}
	return nil
}

func TestAzureTextNamesTheTimeOfItsFirstTry(t *testing.T) {
	first := examNow.Add(-90 * time.Second)
	id := outbox.NewID("dl", first)
	var came []string
	url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		var text struct {
			SMSRecipients []struct{ RepeatabilityFirstSent string }
		}
		if err := json.NewDecoder(r.Body).Decode(&text); err != nil {
			t.Error(err)
		}
		came = append(came, text.SMSRecipients[0].RepeatabilityFirstSent)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	now := examNow
	settings := azureSMSSettings()
	settings["endpoint"], settings["allow_http"], settings["allow_private"] = url, "true", "true"
	s := openKind(t, "azure_communication_sms", settings, provider.Environment{Now: func() time.Time { return now }})
	for range 2 {
		if _, err := s.Send(t.Context(), id, sampleText()); err == nil {
			t.Error("taken")
		}
		now = now.Add(time.Minute)
	}
	if want := first.Format(http.TimeFormat); len(came) != 2 || came[0] != want || came[1] != want {
		t.Errorf("got %q, want twice %q", came, want)
	}
}

func TestAzureSMSCheck(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer answer
		want   []provider.FindingVerdict
	}{
		{"all well", answer{status: 200, body: `{"value":[{"to":"+18335550100","httpStatusCode":200,"isOptedOut":false}]}`}, []provider.FindingVerdict{provider.Good, provider.Good}},
		{"no list", azureRefusal(400, "BadRequest", ""), []provider.FindingVerdict{provider.Good, provider.Doubtful}},
		{"bad key", azureRefusal(401, "Denied", ""), []provider.FindingVerdict{provider.Bad}},
	} {
		url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			azureOptOutContract.Check(t, r, body)
			if err := azureSigned(r, body); err != nil {
				t.Error(err)
			}
			test.answer.write(w)
		})
		settings := azureSMSSettings()
		settings["endpoint"], settings["allow_http"], settings["allow_private"] = url, "true", "true"
		s := openKind(t, "azure_communication_sms", settings, provider.Environment{Now: func() time.Time { return examNow }})
		var got []provider.FindingVerdict
		for _, f := range s.(provider.Checker).Check(t.Context()) {
			got = append(got, f.Verdict)
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestAzureSMSReceipts(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 59, 58, 0, time.UTC)
	event := func(id, status, details string) string {
		return `{"id":"` + id + `","topic":"/subscriptions/x","subject":"/phonenumber/34600111222","eventType":"Microsoft.Communication.SMSDeliveryReportReceived",` +
			`"eventTime":"2026-11-22T10:00:00Z","dataVersion":"1.0","metadataVersion":"1","data":{"messageId":"Outgoing_1","from":"18335550100","to":"+34600111222",` +
			`"deliveryStatus":"` + status + `","deliveryStatusDetails":"` + details + `","deliveryAttempts":[{"timestamp":"2026-11-22T09:59:58Z","segmentsSucceeded":1,"segmentsFailed":0}],` +
			`"receivedTimestamp":"2026-11-22T09:59:58Z","tag":"` + deliveryID + `"}}`
	}
	failed := func(id string, class outbox.Class, detail string) outbox.Receipt {
		return outbox.Receipt{Event: id, Ref: "Outgoing_1", Delivery: deliveryID, Report: outbox.ReportBounced, Class: class, Code: "Failed", Detail: detail, At: at}
	}
	settings := azureSMSSettings()
	settings["receipt_secret"] = "grid-secret-1234567890"
	r := reports{
		kind: "azure_communication_sms", settings: settings,
		post: func(body string, _ time.Time) provider.Posted {
			return provider.Posted{URL: "https://otp.example.org/receipts/text", Method: "POST", Secret: "grid-secret-1234567890", Body: []byte(body),
				Header: http.Header{"Content-Type": {"application/json"}, "Aeg-Event-Type": {"Notification"}}}
		},
		tell: []report{
			{"delivered", "[" + event("e1", "Delivered", "No error.") + "]",
				[]outbox.Receipt{{Event: "e1", Ref: "Outgoing_1", Delivery: deliveryID, Report: outbox.ReportDelivered, At: at}}},
			{"two", "[" + event("e1", "Failed", "Sender blocked for given recipient.") + "," + event("e2", "Failed", "Invalid recipient +34600111222") + "]",
				[]outbox.Receipt{failed("e1", outbox.Suppressed, "Sender blocked for given recipient."), failed("e2", outbox.InvalidRecipient, "Invalid recipient +...")}},
			{"no reason", "[" + event("e1", "Failed", "Message could not be sent") + "]", []outbox.Receipt{failed("e1", outbox.Transient, "Message could not be sent")}},
			{"another status", "[" + event("e1", "Sent", "") + "]", nil},
			{"a message of somebody's", `[{"id":"e1","eventType":"Microsoft.Communication.SMSReceived","data":{"from":"+34600111222","message":"stop"}}]`, nil},
		},
		forge: map[string]func(*provider.Posted){
			"other secret": func(p *provider.Posted) { p.Secret = "grid-secret-1234567891" },
		},
	}
	sitReceipts(t, r)
	examineGridHandshake(t, r)
}
