package provider_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

const (
	twilioAccount  = "AC00000000000000000000000000000000"
	twilioToken    = "12345678901234567890123456789012"
	twilioPath     = "/2010-04-01/Accounts/" + twilioAccount + "/Messages.json"
	twilioCallback = reportsURL + "?delivery=" + deliveryID
	twilioRef      = "SM00000000000000000000000000000001"
)

var twilioContract = published.Operation{File: "twilio_messages_trim.json", Path: "/2010-04-01/Accounts/{AccountSid}/Messages.json"}

func twilioSettings(more ...string) map[string]string {
	s := map[string]string{"account_sid": twilioAccount, "auth_token": twilioToken, "from": "Contoso", "receipt_url": reportsURL}
	for i := 0; i < len(more); i += 2 {
		s[more[i]] = more[i+1]
	}
	return s
}

// twilioForm is what the npm package twilio 6.2.0 posted for the message of the exam (messages.create with to, from,
// body, statusCallback and validityPeriod), with an account's token and with an API key.
const (
	twilioForm      = "To=%2B34600111222&StatusCallback=https%3A%2F%2Fotp.example.org%2Freceipts%2Fsms%3Fdelivery%3Ddl_01jd9z3v5k8q2w4x6y7b9c0d1e&ValidityPeriod=600&From=Contoso&Body=Your%20Contoso%20code%20is%20482913.%20J%C3%BCrgen%20%26%20co"
	twilioBasic     = "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDoxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMg=="
	twilioBasicOfSK = "Basic U0sxMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTprZXktU2VjcmV0LTEyMzQ1Ng=="
)

func TestTwilio(t *testing.T) {
	sitExam(t, candidate{
		kind:     "twilio",
		settings: twilioSettings(),
		message:  shortMessage(),
		path:     twilioPath,
		contract: &twilioContract,
		check: func(r *http.Request, body []byte) error {
			want, err := url.ParseQuery(twilioForm)
			if err != nil {
				return err
			}
			got, err := url.ParseQuery(string(body))
			switch {
			case err != nil:
				return err
			case r.Header.Get("Authorization") != twilioBasic:
				return errors.New("20003")
			case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
				return errors.New("not a form")
			case got.Encode() != want.Encode():
				return fmt.Errorf("not what Twilio's own client posts: %s", want.Encode())
			}
			return nil
		},
		accepted:       answer{status: 201, body: `{"sid":"` + twilioRef + `","status":"queued","error_code":null,"error_message":null}`},
		ref:            twilioRef,
		throttled:      twilioError(429, 20429, outbox.Throttled),
		badRecipient:   twilioError(400, 21211, outbox.InvalidRecipient),
		badCredentials: twilioError(401, 20003, outbox.Account),
		quota:          twilioError(429, 63038, outbox.Quota),
		down:           answer{status: 503, body: "upstream", class: outbox.Transient, code: "503"},
		others: map[string]answer{
			"not a mobile":         twilioError(400, 21614, outbox.InvalidRecipient),
			"landline":             twilioError(400, 21635, outbox.InvalidRecipient),
			"country":              twilioError(400, 21408, outbox.GeoBlocked),
			"sender not ours":      twilioError(400, 21606, outbox.Account),
			"trial":                twilioError(400, 21608, outbox.Account),
			"STOP":                 twilioError(400, 21610, outbox.Suppressed),
			"no route":             twilioError(400, 21612, outbox.RejectedContent),
			"no such account":      twilioError(404, 20404, outbox.Account),
			"an error of tomorrow": twilioError(400, 29999, outbox.RejectedContent),
			"busy in their words":  twilioError(500, 20500, outbox.Transient),
			"taken and failed at once": {status: 201, body: `{"sid":"SM1","status":"failed","error_code":30005,"error_message":"Unknown {to} {code}"}`,
				class: outbox.InvalidRecipient, code: "201 30005"},
		},
		private: []string{twilioToken, strings.TrimPrefix(twilioBasic, "Basic ")},
	})
}

func twilioError(status, code int, class outbox.Class) answer {
	body, _ := json.Marshal(map[string]any{"code": code, "message": "The 'To' number {to} is not valid: {code} " + twilioToken + " " + twilioBasic,
		"more_info": fmt.Sprint("https://www.twilio.com/docs/errors/", code), "status": status})
	return answer{status: status, body: string(body), class: class, code: fmt.Sprint(status, " ", code)}
}

func TestTwilioSendsWithAnAPIKeyAndAService(t *testing.T) {
	for name, test := range map[string]struct {
		settings map[string]string
		auth     string
		from     string
		service  string
	}{
		"API key": {twilioSettings("api_key", "SK11111111111111111111111111111111", "api_secret", "key-Secret-123456"), twilioBasicOfSK, "Contoso", ""},
		"service": {twilioSettings("from", "", "messaging_service_sid", "MG22222222222222222222222222222222"), twilioBasic, "", "MG22222222222222222222222222222222"},
	} {
		url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil || r.Header.Get("Authorization") != test.auth || r.PostForm.Get("From") != test.from ||
				r.PostForm.Get("MessagingServiceSid") != test.service || r.PostForm.Has("From") != (test.from != "") {
				t.Errorf("%s: got %v, %v", name, r.Header, r.PostForm)
			}
			w.WriteHeader(201)
		})
		test.settings["endpoint"], test.settings["allow_http"], test.settings["allow_private"] = url, "true", "true"
		if _, err := openKind(t, "twilio", test.settings, provider.Environment{}).Send(t.Context(), deliveryID, shortMessage()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTwilioSettings(t *testing.T) {
	refusesSettings(t, "twilio", twilioSettings(), []wrongSetting{
		{nil, ""},
		{map[string]string{"account_sid": "SK00000000000000000000000000000000"}, "account_sid"},
		{map[string]string{"account_sid": "AC1"}, "account_sid"},
		{map[string]string{"auth_token": ""}, "auth_token is missing"},
		{map[string]string{"api_key": "SK11111111111111111111111111111111"}, "both or neither"},
		{map[string]string{"api_key": "key", "api_secret": "s"}, "api_key"},
		{map[string]string{"auth_token": "", "api_key": "SK11111111111111111111111111111111", "api_secret": "s", "receipt_url": ""}, ""},
		{map[string]string{"auth_token": "", "api_key": "SK11111111111111111111111111111111", "api_secret": "s"}, "no report to receipt_url"},
		{map[string]string{"from": ""}, "from is missing"},
		{map[string]string{"from": "+1 500 555"}, "setting from"},
		{map[string]string{"from": "a name that is too long"}, "setting from"},
		{map[string]string{"from": "12345"}, ""},
		{map[string]string{"from": "", "messaging_service_sid": "MG22222222222222222222222222222222"}, ""},
		{map[string]string{"messaging_service_sid": "22222222222222222222222222222222"}, "messaging_service_sid"},
		{map[string]string{"validity": "11h"}, "validity"},
		{map[string]string{"validity": "10ms"}, "validity"},
		{map[string]string{"receipt_url": "https://127.0.0.1/receipts"}, "receipt_url"},
		{map[string]string{"receipt_url": "http://otp.example.org/receipts"}, "receipt_url"},
		{map[string]string{"receipt_url": "https://otp.example.org/receipts?x=1"}, "receipt_url"},
		{map[string]string{"receipt_url": "https://otp.example.org/receipts#x"}, "receipt_url"},
		{map[string]string{"receipt_url": "otp.example.org/receipts"}, "receipt_url"},
	})
}

// signTwilio signs what Twilio would post, written from the words of its documentation apart from the reader.
func signTwilio(signed, form string) string {
	values, _ := url.ParseQuery(form)
	names := []string{"AccountSid", "ErrorCode", "MessageSid", "MessageStatus", "To"} // in their order
	for _, n := range names {
		if values.Has(n) {
			signed += n + values.Get(n)
		}
	}
	mac := hmac.New(sha1.New, []byte(twilioToken))
	mac.Write([]byte(signed))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestTwilioReceipts(t *testing.T) {
	event := func(status, code string) string {
		form := url.Values{"AccountSid": {twilioAccount}, "MessageSid": {twilioRef}, "MessageStatus": {status}, "To": {"+34600111222"}}
		if code != "" {
			form.Set("ErrorCode", code)
		}
		return form.Encode()
	}
	receipt := func(r outbox.Report, class outbox.Class, code string) []outbox.Receipt {
		return []outbox.Receipt{{Ref: twilioRef, Delivery: deliveryID, Report: r, Class: class, Code: code}}
	}
	tell := []report{
		{"delivered", event("delivered", ""), receipt(outbox.ReportDelivered, "", "")},
		{"read", event("read", ""), receipt(outbox.ReportDelivered, "", "")},
		{"unreachable", event("undelivered", "30003"), receipt(outbox.ReportBounced, outbox.Transient, "30003")},
		{"blocked", event("undelivered", "30004"), receipt(outbox.ReportBounced, outbox.Suppressed, "30004")},
		{"unknown handset", event("undelivered", "30005"), receipt(outbox.ReportBounced, outbox.InvalidRecipient, "30005")},
		{"landline", event("undelivered", "30006"), receipt(outbox.ReportBounced, outbox.InvalidRecipient, "30006")},
		{"filtered", event("undelivered", "30007"), receipt(outbox.ReportBounced, outbox.RejectedContent, "30007")},
		{"failed without a code", event("failed", ""), receipt(outbox.ReportBounced, outbox.Transient, "")},
		{"failed with a code that is none", event("failed", "482913 jane"), receipt(outbox.ReportBounced, outbox.Transient, "")},
		{"sent", event("sent", ""), nil},
	}
	sitReceipts(t, reports{
		kind:     "twilio",
		settings: twilioSettings(),
		post: func(body string, _ time.Time) provider.Posted {
			return provider.Posted{URL: twilioCallback, Method: "POST", Body: []byte(body), Header: http.Header{
				"Content-Type": {"application/x-www-form-urlencoded"}, "X-Twilio-Signature": {signTwilio(twilioCallback, body)}}}
		},
		tell: tell,
		forge: map[string]func(*provider.Posted){
			"other path": func(p *provider.Posted) {
				p.Header.Set("X-Twilio-Signature", signTwilio("https://otp.example.org/x", string(p.Body)))
			},
			"other delivery": func(p *provider.Posted) { p.URL = strings.Replace(p.URL, "0d1e", "0d1f", 1) },
			"more query":     func(p *provider.Posted) { p.URL += "&x=1" },
			"other status":   func(p *provider.Posted) { p.Body = []byte(event("failed", "")) },
			"no signature":   func(p *provider.Posted) { p.Header.Set("X-Twilio-Signature", "") },
			"body hash unsigned": func(p *provider.Posted) {
				sum := sha256.Sum256(p.Body)
				p.URL += "&bodySHA256=" + hex.EncodeToString(sum[:])
			},
		},
		bodySigned: true,
	})
}

// The signatures were made with getExpectedTwilioSignature of the npm package twilio 6.2.0, which its validateRequest
// and validateRequestWithBody accept.
func TestTwilioSignatureVectors(t *testing.T) {
	const form = "MessageSid=" + twilioRef + "&MessageStatus=delivered&To=%2B34600111222&From=%2B15005550006&AccountSid=" + twilioAccount + "&ApiVersion=2010-04-01"
	const object = `{"MessageSid":"` + twilioRef + `","MessageStatus":"delivered"}`
	const hashed = twilioCallback + "&bodySHA256=c2a49ec3252aa01ed7bfceee3c3ae192ce3a8d483b78b62381a3f1649b15ba99"
	for _, test := range []struct {
		name, token, told, url, body, signature string
		ok                                      bool
	}{
		{"form", twilioToken, reportsURL, twilioCallback, form, "KfbS2+t2uU81qKA9oWJHUfjzIf0=", true},
		{"form, receipt_url not set", twilioToken, "", twilioCallback, form, "KfbS2+t2uU81qKA9oWJHUfjzIf0=", true},
		{"form, called at another name inside", twilioToken, reportsURL, "http://inside/receipts/sms?delivery=" + deliveryID, form, "KfbS2+t2uU81qKA9oWJHUfjzIf0=", true},
		{"form, signed with the port", twilioToken, reportsURL, twilioCallback, form, "s9ntbiwfKi9CGvjQ7p7/aSudA04=", true},
		{"form, told with the port", twilioToken, strings.Replace(reportsURL, ".org", ".org:443", 1), twilioCallback, form, "KfbS2+t2uU81qKA9oWJHUfjzIf0=", true},
		{"a name that comes three times", twilioToken, reportsURL, twilioCallback, form + "&Tag=b&Tag=a&Tag=b", "G1MKASK81ESCzVl8pVtMJ8Xt+To=", true},
		{"beyond ASCII", twilioToken, reportsURL, twilioCallback, form + "&ProfileName=J%C3%BCrgen", "4nyYwC+QP4qF1TcPF13sfHugSPI=", true},
		{"JSON", twilioToken, reportsURL, hashed, object, "l20Uf8iJLhTsLIMbJBKP/NHSis0=", true},
		{"JSON, another body", twilioToken, reportsURL, hashed, object + " ", "l20Uf8iJLhTsLIMbJBKP/NHSis0=", false},
		{"another port", twilioToken, strings.Replace(reportsURL, ".org", ".org:8443", 1), twilioCallback, form, "KfbS2+t2uU81qKA9oWJHUfjzIf0=", false},
		{"another token", twilioToken + "3", reportsURL, twilioCallback, form, "KfbS2+t2uU81qKA9oWJHUfjzIf0=", false},
		{"without a query", "twilio-auth-token-test", "", "https://otp.example.org/hooks/twilio", "MessageSid=" + twilioRef + "&MessageStatus=delivered", "utiMmT1QSlD2cByvzqPegYWroP0=", true},
	} {
		reader := receiptsOf(t, "twilio", twilioSettings("auth_token", test.token, "receipt_url", test.told))
		told, err := reader.Read(t.Context(), provider.Posted{URL: test.url, Method: "POST", Body: []byte(test.body),
			Header: http.Header{"X-Twilio-Signature": {test.signature}}})
		if test.ok && (err != nil || len(told.Receipts) != 1 || told.Receipts[0].Report != outbox.ReportDelivered) {
			t.Errorf("%s: got %+v, %v", test.name, told, err)
		}
		if !test.ok && !errors.Is(err, provider.ErrForged) {
			t.Errorf("%s: got %+v, %v, want %v", test.name, told, err, provider.ErrForged)
		}
	}
}

func TestTwilioReadsNothingWithoutTheToken(t *testing.T) {
	settings := twilioSettings("auth_token", "", "api_key", "SK11111111111111111111111111111111", "api_secret", "key-Secret-123456")
	if reader := receiptsOf(t, "twilio", settings); reader != nil {
		t.Error("reports are read though nothing can prove them")
	}
}

func TestTwilioCheck(t *testing.T) {
	account := func(numbers, state string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			switch {
			case r.Method != http.MethodGet || (user != twilioAccount || password != twilioToken) && (user != "SK11111111111111111111111111111111" || password != "key-Secret-123456"):
				w.WriteHeader(http.StatusUnauthorized)
			case r.URL.Path == "/2010-04-01/Accounts/"+twilioAccount+"/IncomingPhoneNumbers.json":
				fmt.Fprint(w, numbers)
			case r.URL.Path == "/2010-04-01/Accounts/"+twilioAccount+".json" && user == twilioAccount: // a standard key may not
				fmt.Fprint(w, state)
			default:
				w.WriteHeader(http.StatusNotFound)
			}
		}
	}
	const has, hasNot = `{"incoming_phone_numbers":[{"capabilities":{"sms":true}}]}`, `{"incoming_phone_numbers":[]}`
	const active, trial = `{"status":"active","type":"Full"}`, `{"status":"active","type":"Trial"}`
	good, number := provider.Finding{Subject: "credentials", Verdict: provider.Good}, "+15005550006"
	state := func(v provider.FindingVerdict, found string) provider.Finding {
		return provider.Finding{Subject: "account", Verdict: v, Found: found}
	}
	sender := func(v provider.FindingVerdict) provider.Finding {
		return provider.Finding{Subject: "sender number", Verdict: v}
	}
	finds(t, "twilio", twilioSettings("from", number), account(has, active), good, state(provider.Good, "active"), sender(provider.Good))
	finds(t, "twilio", twilioSettings("from", number), account(hasNot, trial), good, state(provider.Doubtful, "trial"), sender(provider.Bad))
	finds(t, "twilio", twilioSettings("from", number), account(`{"incoming_phone_numbers":[{"capabilities":{"sms":false}}]}`, `{"status":"suspended"}`),
		good, state(provider.Bad, "suspended"), sender(provider.Bad))
	finds(t, "twilio", twilioSettings(), account(has, `{}`), good, state(provider.Doubtful, ""))
	finds(t, "twilio", twilioSettings("api_key", "SK11111111111111111111111111111111", "api_secret", "key-Secret-123456"), account(has, active), good)
	finds(t, "twilio", twilioSettings("auth_token", "wrong-wrong-wrong"), account(has, active),
		provider.Finding{Subject: "credentials", Verdict: provider.Bad, Found: "401"})
}
