package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

var sendgridContract = published.Operation{File: "sendgrid_tsg_mail_v3.json", Path: "/v3/mail/send"}

func sendgridCandidate() candidate {
	return candidate{
		kind: "sendgrid",
		settings: map[string]string{"api_key": "SG.Secret123456", "from": "Contoso <codes@id.example.org>",
			"reply_to": "Help <help@example.org>"},
		path:      "/v3/mail/send",
		contract:  &sendgridContract,
		check:     sendgridRefuses,
		accepted:  answer{status: 202, header: http.Header{"X-Message-Id": {"x2vGPZSpSpC-nUfD1n0Cew"}}},
		ref:       "x2vGPZSpSpC-nUfD1n0Cew",
		throttled: sendgridError(429, "", "too many requests", outbox.Throttled),
		quota:     sendgridError(401, "", "Maximum credits exceeded", outbox.Quota),
		badCredentials: sendgridError(401, "", "The provided authorization grant SG.Secret123456 is invalid, expired, or revoked",
			outbox.Account),
		badRecipient: sendgridError(400, "personalizations.0.to.0.email", "Does not contain a valid address: {to} {code}",
			outbox.InvalidRecipient),
		down: answer{status: 503, body: "upstream", class: outbox.Transient, code: "503"},
		others: map[string]answer{
			"unverified sender": sendgridError(403, "from", "The from address does not match a verified Sender Identity.", outbox.Account),
			"bad sender":        sendgridError(400, "from.email", "Does not contain a valid address.", outbox.Account),
			"no such template":  sendgridError(400, "template_id", "The template_id must be a valid GUID.", outbox.Account),
			"bad content":       sendgridError(400, "content.0.value", "must be a string, {code}", outbox.RejectedContent),
			"other request":     sendgridError(400, "", "Bad Request", outbox.RejectedContent),
			"too large":         {status: 413, body: "{}", class: outbox.RejectedContent, code: "413"},
		},
		private: []string{"SG.Secret123456"},
	}
}

// sendgridRefuses holds a mail to what the words of the contract say and its schema does not: no reserved header
// ("headers"), plain text first ("content"), and nothing switched on that rewrites a mail.
func sendgridRefuses(r *http.Request, body []byte) error {
	var mail struct {
		Personalizations []struct {
			To      []map[string]string `json:"to"`
			Headers map[string]string   `json:"headers"`
			Args    map[string]string   `json:"custom_args"`
			Data    map[string]string   `json:"dynamic_template_data"`
		} `json:"personalizations"`
		Subject  string                                `json:"subject"`
		Content  []struct{ Type, Value string }        `json:"content"`
		Template string                                `json:"template_id"`
		Tracking map[string]struct{ Enable *bool }     `json:"tracking_settings"`
		Settings map[string]map[string]json.RawMessage `json:"mail_settings"`
	}
	if err := json.Unmarshal(body, &mail); err != nil {
		return err
	}
	if r.Header.Get("Authorization") != "Bearer SG.Secret123456" {
		return errors.New("authorization required")
	}
	if len(mail.Personalizations) != 1 {
		return errors.New("personalizations: want one")
	}
	p := mail.Personalizations[0]
	if len(p.To) != 1 || p.To[0]["email"] != "jane@example.com" {
		return errors.New("personalizations.0.to")
	}
	if p.Headers["Auto-Submitted"] != "auto-generated" || p.Args["delivery"] != deliveryID {
		return errors.New("the mail does not say that it is automatic, or which delivery it is")
	}
	for _, reserved := range []string{"To", "From", "Subject", "Reply-To", "Content-Type"} {
		if _, ok := p.Headers[reserved]; ok {
			return fmt.Errorf("personalizations.0.headers.%s is reserved", reserved)
		}
	}
	for _, name := range []string{"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"} {
		if t, ok := mail.Tracking[name]; !ok || t.Enable == nil || *t.Enable {
			return fmt.Errorf("%s is not off", name)
		}
	}
	if string(mail.Settings["sandbox_mode"]["enable"]) != "false" {
		return errors.New("sandbox_mode is not off")
	}
	if mail.Template != "" {
		if p.Data["otp"] == "" || len(mail.Content) > 0 {
			return errors.New("a template without data, or with content beside it")
		}
		return nil
	}
	if mail.Subject == "" || len(mail.Content) == 0 || mail.Content[0].Type != "text/plain" {
		return errors.New("want a subject and content, text/plain first")
	}
	return nil
}

func TestSendgrid(t *testing.T) { sitExam(t, sendgridCandidate()) }

func TestSendgridWithATemplate(t *testing.T) {
	c := sendgridCandidate()
	c.settings["template_id"] = "d-0123456789abcdef"
	sitExam(t, c)
}

// The OnOtpSend sample with SendGrid fills the code in as otp; the B2C samples add email, verify-email and subject.
func TestSendgridFillsTemplatesOfTheSamples(t *testing.T) {
	c := sendgridCandidate()
	v := startVendor(t, &c)
	v.says(func(w http.ResponseWriter, _ *http.Request) { c.accepted.write(w) })
	m := sampleMessage()
	m.From, m.FromName = "other@id.example.org", "Fabrikam"
	if _, err := v.open(map[string]string{"template_id": "d-1"}).Send(t.Context(), deliveryID, m); err != nil {
		t.Fatal(err)
	}
	var sent struct {
		From             map[string]string `json:"from"`
		Template         string            `json:"template_id"`
		Personalizations []struct {
			Data map[string]string `json:"dynamic_template_data"`
		} `json:"personalizations"`
	}
	if err := json.Unmarshal([]byte(v.heard()[0]), &sent); err != nil {
		t.Fatal(err)
	}
	if sent.Template != "d-1" || sent.From["email"] != "other@id.example.org" || sent.From["name"] != "Fabrikam" {
		t.Errorf("template %q from %v", sent.Template, sent.From)
	}
	for name, want := range map[string]string{"otp": m.Code, "code": m.Code, "verificationCode": m.Code, "email": m.To, "verify-email": m.To,
		"subject": m.Subject, "application": m.Application, "purpose": m.Purpose, "language": m.Language} {
		if got := sent.Personalizations[0].Data[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// SendGrid says when a rate limit ends in a header of its own.
func TestSendgridWaitsForTheReset(t *testing.T) {
	c := sendgridCandidate()
	a := c.throttled
	a.header = http.Header{"X-Ratelimit-Reset": {strconv.FormatInt(examNow.Add(9*time.Second).Unix(), 10)}}
	c.message = sampleMessage()
	c.understands(t, a, 9*time.Second)
}

func sendgridError(status int, field, message string, class outbox.Class) answer {
	e := map[string]any{"message": message, "field": nil, "help": nil}
	code := strconv.Itoa(status)
	if field != "" {
		e["field"] = field
		code += " " + field
	}
	body, _ := json.Marshal(map[string]any{"errors": []any{e}})
	return answer{status: status, body: string(body), class: class, code: code}
}

func TestSendgridReceipts(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key *ecdsa.PrivateKey, body, timestamp string) string {
		sum := sha256.Sum256([]byte(timestamp + body))
		signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(signature)
	}
	const signature, timestamp = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
	event := func(id, name, more string) string {
		return `{"email":"jane@example.com","event":"` + name + `","sg_event_id":"` + id + `","sg_message_id":"x2vGPZSpSpC.recvd-7f-0.0",` +
			`"timestamp":1795341598,"delivery":"` + deliveryID + `"` + more + `}`
	}
	receipt := func(id string, r outbox.Report, class outbox.Class, code string) outbox.Receipt {
		return outbox.Receipt{Event: id, Ref: "x2vGPZSpSpC", Delivery: deliveryID, Report: r, Class: class, Code: code,
			At: time.Date(2026, 11, 22, 9, 59, 58, 0, time.UTC)}
	}
	bounce := func(name, more string, class outbox.Class, code string) report {
		return report{name, "[" + event("e", "bounce", more) + "]", []outbox.Receipt{receipt("e", outbox.ReportBounced, class, code)}}
	}
	dropped := func(reason string, class outbox.Class, code string) report {
		return report{"dropped/" + reason, "[" + event("e", "dropped", `,"reason":"`+reason+`"`) + "]",
			[]outbox.Receipt{receipt("e", outbox.ReportBounced, class, code)}}
	}
	sitReceipts(t, reports{
		kind: "sendgrid",
		settings: map[string]string{"api_key": "SG.x", "from": "codes@example.org",
			"receipt_public_key": base64.StdEncoding.EncodeToString(public)},
		post: func(body string, at time.Time) provider.Posted {
			seconds := strconv.FormatInt(at.Unix(), 10)
			h := http.Header{"Content-Type": {"application/json"}}
			h.Set(signature, sign(key, body, seconds))
			h.Set(timestamp, seconds)
			return provider.Posted{URL: "https://otp.example.org/receipts/mail", Method: "POST", Header: h, Body: []byte(body)}
		},
		tell: []report{
			{"a batch", "[" + event("a", "processed", "") + "," + event("b", "delivered", "") + ",7," + event("c", "spamreport", "") + "," +
				event("b", "delivered", "") + "," + event("d", "open", "") + "]",
				[]outbox.Receipt{receipt("b", outbox.ReportDelivered, "", ""), receipt("c", outbox.ReportComplained, "", "")}},
			{"deferred", "[" + event("e", "deferred", "") + "]", []outbox.Receipt{receipt("e", outbox.ReportDelayed, "", "")}},
			{"not ours", `[{"event":"delivered","sg_event_id":"f"}]`, nil},
			bounce("bounce of old", `,"status":"5.1.1"`, outbox.InvalidRecipient, "5.1.1"),
			bounce("bounce", `,"type":"bounce","status":"5.1.1","bounce_classification":"Invalid Address"`, outbox.InvalidRecipient, "5.1.1"),
			bounce("mailbox full", `,"type":"bounce","status":"5.2.2","bounce_classification":"Mailbox Unavailable"`, outbox.Transient, "5.2.2"),
			bounce("blocked", `,"type":"blocked","status":"5.7.1","bounce_classification":"Unclassified"`, outbox.Transient, "5.7.1"),
			bounce("content", `,"type":"blocked","status":"5.7.1","bounce_classification":"Content"`, outbox.RejectedContent, "5.7.1"),
			dropped("Bounced Address", outbox.Suppressed, "Bounced Address"),
			dropped("Unsubscribed Address", outbox.Suppressed, "Unsubscribed Address"),
			dropped("Invalid", outbox.InvalidRecipient, "Invalid"),
			dropped("Invalid SMTPAPI header", outbox.RejectedContent, "Invalid SMTPAPI header"),
			dropped("482913 to jane@example.com", outbox.RejectedContent, "dropped"),
		},
		forge: map[string]func(*provider.Posted){
			"other key": func(p *provider.Posted) {
				p.Header.Set(signature, sign(other, string(p.Body), p.Header.Get(timestamp)))
			},
			"other time": func(p *provider.Posted) {
				p.Header.Set(timestamp, strconv.FormatInt(examNow.Unix()+1, 10))
			},
			"no signature": func(p *provider.Posted) { p.Header.Del(signature) },
			"not base64":   func(p *provider.Posted) { p.Header.Set(signature, "?") },
		},
		timed: true, bodySigned: true,
	})
}

// The vector was signed by Node's crypto with a fixed key, and @sendgrid/eventwebhook 8 found it good for this body and
// bad for another.
func TestSendgridSignatureVector(t *testing.T) {
	reader := receiptsOf(t, "sendgrid", map[string]string{"api_key": "SG.x", "from": "a@example.org", "receipt_public_key": "MFkwEwYHKoZI" +
		"zj0CAQYIKoZIzj0DAQcDQgAEQhcyEXS28WxQP2dq2/TLOhNaz8lJVNermZWk0PuRdmil3Bey86q11aPQZ2R9JiVqYe29MTOVj/rbc0Prjfc8yw=="})
	h := http.Header{}
	h.Set("X-Twilio-Email-Event-Webhook-Timestamp", "1795341600")
	h.Set("X-Twilio-Email-Event-Webhook-Signature",
		"MEUCIE5uMBRObXt8dp7LQroo4kG0LIx70ByY7mNEJvuaDxwaAiEA1BT4jdEwZEi/n4+dyaUZC1Swc/N8fDSyPmAB/350oA0=")
	body := `[{"email":"jane@example.com","event":"delivered","sg_event_id":"ev1","sg_message_id":"x2vGPZSpSpC.recvd-1-0.0","timestamp":1795341598}]` + "\r\n"
	told, err := reader.Read(t.Context(), provider.Posted{Header: h, Body: []byte(body)})
	want := []outbox.Receipt{{Event: "ev1", Ref: "x2vGPZSpSpC", Report: outbox.ReportDelivered, At: time.Unix(1795341598, 0).UTC()}}
	if err != nil || !slices.Equal(told.Receipts, want) {
		t.Errorf("got %+v, %v, want %+v", told.Receipts, err, want)
	}
}

func TestSendgridRefusesOtherKeys(t *testing.T) {
	for _, key := range []string{"x", "MFkw", "-----BEGIN"} {
		k := kind(t, "sendgrid")
		if _, err := k.Receipts(parsed(t, "sendgrid", map[string]string{"api_key": "SG.x", "from": "a@example.org", "receipt_public_key": key}),
			provider.Environment{}); err == nil {
			t.Errorf("the key %q was accepted", key)
		}
	}
}

func TestSendgridCheck(t *testing.T) {
	const scopes, domains, senders = "GET /v3/scopes", "GET /v3/whitelabel/domains?limit=200", "GET /v3/verified_senders?limit=200"
	may := answer{body: `{"scopes":["mail.batch.read","mail.send"]}`}
	no := answer{status: 403, body: `{"errors":[{"field":null,"message":"access forbidden"}]}`}
	none := answer{body: `[]`}
	for name, c := range map[string]struct {
		asks map[string]answer
		want []string
		says string
	}{
		"bad key":      {map[string]answer{scopes: {status: 401, body: "{}"}}, []string{"bad credentials"}, "api.eu.sendgrid.com"},
		"not SendGrid": {map[string]answer{scopes: {status: 404, body: "{}"}}, []string{"bad credentials"}, "endpoint"},
		"down":         {map[string]answer{scopes: {status: 503, body: "{}"}}, []string{"doubtful credentials"}, "503"},
		"cannot send":  {map[string]answer{scopes: {body: `{"scopes":["user.read"]}`}}, []string{"good credentials", "bad permission to send"}, "mail.send"},
		"domain": {map[string]answer{scopes: may, domains: {body: `[{"domain":"ID.example.org","valid":true}]`}},
			[]string{"good credentials", "good sender address"}, "domain"},
		"domain above": {map[string]answer{scopes: may, domains: {body: `[{"domain":"example.org","valid":true}]`}, senders: {body: `{"results":[]}`}},
			[]string{"good credentials", "doubtful sender address"}, "above"},
		"domain not valid": {map[string]answer{scopes: may, domains: {body: `[{"domain":"id.example.org","valid":false},{"domain":"e.org","valid":true}]`},
			senders: {body: `{"results":[{"from_email":"codes@id.example.org","verified":false}]}`}},
			[]string{"good credentials", "bad sender address"}, "Sender Authentication"},
		"single sender": {map[string]answer{scopes: may, domains: none, senders: {body: `{"results":[{"from_email":"Codes@id.example.org","verified":true}]}`}},
			[]string{"good credentials", "good sender address"}, "verified sender"},
		"may not look": {map[string]answer{scopes: may, domains: no, senders: no}, []string{"good credentials", "doubtful sender address"}, "may not look"},
	} {
		t.Run(name, func(t *testing.T) {
			account{kind: "sendgrid", settings: sendgridCandidate().settings, asks: c.asks, want: c.want, says: []string{c.says},
				allow: func(r *http.Request) error {
					if r.Header.Get("Authorization") != "Bearer SG.Secret123456" {
						return errors.New("authorization required")
					}
					return nil
				}, private: []string{"SG.Secret123456"}}.check(t)
		})
	}
}
