package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// mailCode is what a receipt may keep of a mail vendor's code: a status of SMTP (RFC 5321 §4.2, RFC 3463 §2) or words.
var mailCode = regexp.MustCompile(`^([1-9][0-9]{0,2}|[245]\.[0-9]{1,3}\.[0-9]{1,3}|[^@0-9]{0,60})$`)

// FuzzMailReports lets those who can sign or know the secret say anything, as the servers of recipients do whose words a
// vendor repeats: what is read of it names a message, has an event of its own, and keeps no address and no passcode.
func FuzzMailReports(f *testing.F) {
	for _, seed := range []string{
		`[{"event":"bounce","sg_event_id":"e","sg_message_id":"a.b","status":"482913","delivery":"d","timestamp":1795341598}]`,
		`[{"event":"dropped","sg_event_id":"e","sg_message_id":"a","reason":"482913 jane@example.com"}]`,
		`[{"event":"bounce","time":1e300,"MessageID":1152921504606846977,"CustomID":"d","hard_bounce":true,"error":"jane@example.com"}]`,
		`[{"msys":{"message_event":{"type":"bounce","event_id":"e","transmission_id":"7","timestamp":"x","error_code":"482913","bounce_class":10}}}]`,
		`[{"event":"reject","_id":"a","ts":-1,"msg":{"metadata":[],"reject":{"reason":"jane@example.com"}}}]`,
		`{"event":"failed","severity":"permanent","message":{"headers":{"message-id":"<a@b>"}},"user-variables":{"delivery":"d"},"delivery-status":{"code":-7}}`,
		`{"event":"failed","message":{"headers":{"message-id":"a"}},"delivery-status":{"code":482913}}`, "[", "null", "[null]", "[[]]", `{"event":7}`,
	} {
		f.Add(seed)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		seconds := strconv.FormatInt(examNow.Unix(), 10)
		sum := sha256.Sum256([]byte(seconds + body))
		signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		signed := http.Header{}
		signed.Set("X-Twilio-Email-Event-Webhook-Timestamp", seconds)
		signed.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(signature))
		from := func(more ...string) map[string]string {
			settings := map[string]string{"from": "codes@example.org"}
			for i := 0; i < len(more); i += 2 {
				settings[more[i]] = more[i+1]
			}
			return settings
		}
		for name, c := range map[string]struct {
			settings map[string]string
			post     provider.Posted
		}{
			"sendgrid": {from("api_key", "k", "receipt_public_key", base64.StdEncoding.EncodeToString(public)),
				provider.Posted{Header: signed, Body: []byte(body)}},
			"mailjet":   {from("api_key", "k", "secret_key", "s", "receipt_secret", "letmein"), provider.Posted{Secret: "letmein", Body: []byte(body)}},
			"sparkpost": {from("api_key", "k", "receipt_secret", "letmein"), provider.Posted{Secret: "letmein", Body: []byte(body)}},
			"mandrill":  {from("api_key", "k", "receipt_secret", "letmein"), mandrillPost("letmein", body)},
			"mailgun": {from("api_key", "k", "domain", "example.org", "receipt_secret", "letmein"), provider.Posted{Body: []byte(
				`{"signature":{"timestamp":"` + seconds + `","token":"t","signature":"` + mailgunSign("letmein", seconds, "t") + `"},"event-data":` + body + `}`)}},
		} {
			told, err := receiptsOf(t, name, c.settings).Read(t.Context(), c.post)
			if err != nil && (!errors.Is(err, provider.ErrMalformed) && !errors.Is(err, provider.ErrForged) || len(told.Receipts) > 0) {
				t.Errorf("%s: got %+v, %v", name, told, err)
			}
			var events []string
			for _, r := range told.Receipts {
				classed := slices.Contains(outbox.Classes(), r.Class) && r.Report == outbox.ReportBounced || r.Class == "" && r.Report != outbox.ReportBounced
				if r.Event == "" || slices.Contains(events, r.Event) || r.Ref == "" && r.Delivery == "" || !classed || !mailCode.MatchString(r.Code) || r.Detail != "" {
					t.Errorf("%s: got %+v", name, r)
				}
				events = append(events, r.Event)
			}
		}
	})
}
