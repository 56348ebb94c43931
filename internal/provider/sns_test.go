package provider_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// snsSample is a message of the kind that phones get.
func snsSample() outbox.Message {
	return outbox.Message{Channel: outbox.SMS, To: "+34600111222", Text: "482913 is your Contoso code ~*\n@id.example.org #482913", Language: "en",
		Code: "482913", Application: "Contoso", Purpose: "sign_in"}
}

// snsAttributes reads the attributes of a message as SNS does: by their numbers, without a gap.
func snsAttributes(values url.Values) (map[string]string, error) {
	found := map[string]string{}
	known := 4 // Action, Version, PhoneNumber, Message
	for n := 1; ; n++ {
		entry := fmt.Sprintf("MessageAttributes.entry.%d.", n)
		name, kind, value := values.Get(entry+"Name"), values.Get(entry+"Value.DataType"), values.Get(entry+"Value.StringValue")
		if name == "" {
			break
		}
		if value == "" || kind != "String" && kind != "Number" {
			return nil, fmt.Errorf("InvalidParameterValue: attribute %s", name)
		}
		found[name] = kind + " " + value
		known += 3
	}
	if len(values) != known {
		return nil, fmt.Errorf("InvalidParameter: unknown parameters among %v", values)
	}
	return found, nil
}

func snsCheck(want map[string]string) func(r *http.Request, body []byte) error {
	return func(r *http.Request, body []byte) error {
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return err
		}
		attributes, err := snsAttributes(values)
		switch {
		case err != nil:
			return err
		case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || values.Get("Version") != "2010-03-31" || values.Get("Action") != "Publish":
			return errors.New("InvalidAction")
		case !regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`).MatchString(values.Get("PhoneNumber")):
			return errors.New("InvalidParameter: PhoneNumber")
		case values.Get("Message") != snsSample().Text:
			return errors.New("another message")
		case fmt.Sprint(attributes) != fmt.Sprint(want):
			return fmt.Errorf("attributes %v, want %v", attributes, want)
		}
		return awsAllows("sns", r, body)
	}
}

func TestSNS(t *testing.T) {
	sitExam(t, candidate{
		kind:     "sns",
		settings: awsKeys(map[string]string{"from": "Contoso", "max_price": "0.10", "entity_id": "110100001", "template_id": "110700001"}),
		message:  snsSample(),
		path:     "/",
		check: snsCheck(map[string]string{"AWS.SNS.SMS.SMSType": "String Transactional", "AWS.SNS.SMS.SenderID": "String Contoso",
			"AWS.SNS.SMS.MaxPrice": "Number 0.10", "AWS.MM.SMS.EntityId": "String 110100001", "AWS.MM.SMS.TemplateId": "String 110700001"}),
		accepted: answer{status: 200, body: `<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>567910cd-659e</MessageId></PublishResult>` +
			`<ResponseMetadata><RequestId>d74b8436</RequestId></ResponseMetadata></PublishResponse>`},
		ref:            "567910cd-659e",
		throttled:      snsError(429, "Throttled", "Rate exceeded", outbox.Throttled),
		quota:          snsError(400, "Throttling", "Daily message quota exceeded", outbox.Quota),
		badCredentials: snsError(403, "InvalidClientTokenId", "The security token FwoGZXIvYXdzEXAMPLE== included in the request is invalid.", outbox.Account),
		badRecipient:   snsError(400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: {to} is not valid to publish to", outbox.InvalidRecipient),
		down:           answer{status: 500, body: "", class: outbox.Transient, code: "500"},
		others: map[string]answer{
			"opted out":        snsError(400, "OptedOut", "{to}", outbox.Suppressed),
			"not allowed":      snsError(403, "AuthorizationError", "User is not authorized to perform: SNS:Publish on {to}", outbox.Account),
			"a wrong clock":    snsError(400, "RequestExpired", "expired", outbox.Account),
			"an odd parameter": snsError(400, "InvalidParameterValue", "Invalid parameter: Message {code}", outbox.RejectedContent),
			"inside":           snsError(500, "InternalError", "sorry", outbox.Transient),
		},
		private: awsSecrets,
	})
}

func snsError(status int, name, text string, class outbox.Class) answer {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text))
	return answer{status: status, class: class, code: fmt.Sprint(status, " ", name), body: `<ErrorResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>` +
		name + `</Code><Message>` + b.String() + `</Message></Error><RequestId>9d0c1f3a</RequestId></ErrorResponse>`}
}

// The sender is an id or a number, and a message may bring its own.
func TestSNSSender(t *testing.T) {
	for _, test := range []struct{ set, own, want string }{
		{"", "", ""},
		{"Contoso", "", "AWS.SNS.SMS.SenderID:String Contoso"},
		{"+14155550100", "", "AWS.MM.SMS.OriginationNumber:String +14155550100"},
		{"Contoso", "Fabrikam", "AWS.SNS.SMS.SenderID:String Fabrikam"},
		{"Contoso", "+14155550100", "AWS.MM.SMS.OriginationNumber:String +14155550100"},
		{"Contoso", "Eve\r\nAdams", "AWS.SNS.SMS.SenderID:String Contoso"},
		{"Contoso", "123456", "AWS.SNS.SMS.SenderID:String Contoso"},
		{"", "codes@id.example.org", ""},
	} {
		c := candidate{kind: "sns", settings: awsKeys(nil), path: "/"}
		v := startVendor(t, &c)
		v.says(func(w http.ResponseWriter, _ *http.Request) {})
		m := snsSample()
		m.From = test.own
		_, err := v.open(map[string]string{"from": test.set}).Send(t.Context(), deliveryID, m)
		if err != nil {
			t.Fatal(err)
		}
		values, _ := url.ParseQuery(v.heard()[0])
		attributes, err := snsAttributes(values)
		delete(attributes, "AWS.SNS.SMS.SMSType")
		want := map[string]string{}
		if name, value, ok := strings.Cut(test.want, ":"); ok {
			want[name] = value
		}
		if err != nil || fmt.Sprint(attributes) != fmt.Sprint(want) {
			t.Errorf("%+v: got %v, %v", test, attributes, err)
		}
	}
	for name, value := range map[string]string{"from": "Contoso Ltd", "max_price": "cheap"} {
		_, err := kind(t, "sns").Open(parsed(t, "sns", awsKeys(map[string]string{name: value})), provider.Environment{})
		if err == nil || !strings.Contains(err.Error(), "setting "+name) {
			t.Errorf("%s=%s: got %v", name, value, err)
		}
	}
}

func TestSNSCheck(t *testing.T) {
	sandbox := func(in string) answer {
		return answer{status: 200, body: "<GetSMSSandboxAccountStatusResponse><GetSMSSandboxAccountStatusResult><IsInSandbox>" + in + "</IsInSandbox></GetSMSSandboxAccountStatusResult></GetSMSSandboxAccountStatusResponse>"}
	}
	limit := func(entry string) answer {
		return answer{status: 200, body: "<GetSMSAttributesResponse><GetSMSAttributesResult><attributes>" + entry + "</attributes></GetSMSAttributesResult></GetSMSAttributesResponse>"}
	}
	const fifty = "<entry><key>MonthlySpendLimit</key><value>50</value></entry>"
	for name, test := range map[string]struct {
		sandbox, limit answer
		want           []string
	}{
		"good":            {sandbox("false"), limit(fifty), []string{"good credentials", "good account", "good monthly limit"}},
		"sandbox":         {sandbox("true"), limit(""), []string{"good credentials", "bad account", "doubtful monthly limit"}},
		"one dollar":      {sandbox("false"), limit(strings.Replace(fifty, "50", "1", 1)), []string{"good credentials", "good account", "doubtful monthly limit"}},
		"bad credentials": {snsError(403, "InvalidClientTokenId", "no", ""), limit(fifty), []string{"bad credentials"}},
		"may only send": {snsError(403, "AuthorizationError", "no", ""), snsError(403, "AuthorizationError", "no", ""),
			[]string{"good credentials", "doubtful account", "doubtful monthly limit"}},
		"not Amazon": {answer{status: 200, body: "hello"}, limit(fifty), []string{"doubtful credentials"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if err := awsAllows("sns", r, body); err != nil {
					t.Error(err)
				}
				answers := map[string]answer{"GetSMSSandboxAccountStatus": test.sandbox, "GetSMSAttributes": test.limit}
				values, _ := url.ParseQuery(string(body))
				a, ok := answers[values.Get("Action")]
				if !ok {
					t.Errorf("Amazon was asked %s", body)
				}
				dated(map[string]answer{"": a})[""].write(w)
			}))
			defer s.Close()
			sender := openKind(t, "sns", awsKeys(map[string]string{"endpoint": s.URL, "allow_http": "true", "allow_private": "true"}), provider.Environment{Now: func() time.Time { return examNow }})
			var got []string
			for _, f := range sender.(provider.Checker).Check(t.Context()) {
				got = append(got, string(f.Verdict)+" "+f.Subject)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
