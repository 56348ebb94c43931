package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// FuzzNotifiedMailReports lets the vendor, or who knows the secret, say anything: what is read of it names a message, has an
// event, and keeps no words that could be an address or a passcode.
func FuzzNotifiedMailReports(f *testing.F) {
	for _, seed := range []string{sesEvent("Delivery", `,"delivery":{"timestamp":"2026-11-22T09:59:58.000Z"}`),
		sesEvent("Bounce", `,"bounce":{"bounceType":"Permanent","bounceSubType":"jane@example.com"}`), sesEvent("Complaint", `,"complaint":{"complaintSubType":"482913"}`),
		`{"RecordType":"Bounce","Type":"HardBounce","ID":1e9,"MessageID":"a"}`, `{"Type":"SoftBounce","Metadata":{"delivery":7}}`,
		`{"event":"hard_bounce","message-id":{"a":1},"ts_event":-1}`, `[{"msg_status":"rejected","messageId":7,"tag":["x"]},null,7]`, "[", "null", ""} {
		f.Add(seed)
	}
	secret := http.Header{"Authorization": {"Bearer long-and-random-secret"}}
	f.Fuzz(func(t *testing.T, body string) {
		readers, posted := map[string]provider.Receipts{"ses": sesEvents{}}, map[string]provider.Posted{"ses": {Body: []byte(body)}}
		for name, settings := range map[string]map[string]string{
			"brevo":    {"api_key": "x", "from": "codes@example.org", "receipt_secret": "long-and-random-secret"},
			"postmark": {"server_token": "x", "from": "codes@example.org", "receipt_secret": "long-and-random-secret"},
		} {
			readers[name], posted[name] = receiptsOf(t, name, settings), provider.Posted{Header: secret, Body: []byte(body)}
		}
		for name, reader := range readers {
			told, err := reader.Read(t.Context(), posted[name])
			if err != nil && (!errors.Is(err, provider.ErrMalformed) || len(told.Receipts) > 0) {
				t.Errorf("%s: got %+v, %v", name, told, err)
			}
			for _, r := range told.Receipts {
				known := slices.Contains(outbox.Classes(), r.Class) && r.Report == outbox.ReportBounced || r.Class == "" && r.Report != outbox.ReportBounced
				if r.Event == "" || r.Ref == "" && r.Delivery == "" || !known || strings.ContainsAny(r.Code, "@0123456789\r\n") || r.Detail != "" {
					t.Errorf("%s: got %+v", name, r)
				}
			}
		}
	})
}

// sesEvents reads the events of SES without what is around them, whose signature would take a fuzzer's whole time.
type sesEvents struct{}

func (sesEvents) Read(_ context.Context, p provider.Posted) (provider.Told, error) {
	return provider.ReadSESEvent("165545c9", string(p.Body))
}

// FuzzSNSNotice lets strangers post anything: nothing is believed, and nothing is fetched but from Amazon SNS.
func FuzzSNSNotice(f *testing.F) {
	var forged snsMessage // by a key that is not Amazon's; the address of its certificate is not under the signature
	if err := json.Unmarshal(otherSNSKey().sign(snsNotification("{}", examNow)), &forged); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"Type":"Notification","MessageId":"a","TopicArn":"`+snsTopic+`","Timestamp":"2026-11-22T10:00:00Z","SignatureVersion":"2","Signature":"AAAA","SigningCertURL":"https://sns.x@evil.example/a.pem"}`), "https://evil.example/x.pem")
	f.Add([]byte(`null`), snsCert+"?x")
	f.Add([]byte(`{"Type":"SubscriptionConfirmation","MessageId":"a","SubscribeURL":"https://evil.example/"}`), "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem")
	f.Fuzz(func(t *testing.T, body []byte, address string) {
		m := maps.Clone(forged)
		m["SigningCertURL"] = address
		spoiled, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{body, spoiled} {
			server := newSNSServer()
			told, err := server.open(t, sesReceiptSettings).Read(t.Context(), provider.Posted{Body: b})
			if len(told.Receipts) > 0 || !errors.Is(err, provider.ErrForged) {
				t.Errorf("%q at %q: got %+v, %v", b, address, told, err)
			}
			for _, asked := range server.asked {
				if host, _, _ := strings.Cut(strings.TrimPrefix(asked, "https://"), "/"); !strings.HasPrefix(host, "sns.") ||
					!strings.HasSuffix(host, ".amazonaws.com") && !strings.HasSuffix(host, ".amazonaws.com.cn") || strings.ContainsAny(host, "@:?#\\") {
					t.Errorf("%q was fetched", asked)
				}
			}
		}
	})
}
