package provider_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

const (
	snsTopic = "arn:aws:sns:eu-west-1:123456789012:otpost"
	snsCert  = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
)

// snsKey is a key and its certificate, as Amazon SNS has them.
type snsKey struct {
	key  *rsa.PrivateKey
	cert []byte // PEM
}

var theSNSKey = sync.OnceValue(func() snsKey { return makeSNSKey(examNow.Add(-time.Hour), examNow.Add(time.Hour)) })

func makeSNSKey(from, until time.Time) snsKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return snsKey{key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// snsMessage is a message of Amazon SNS before it is signed.
type snsMessage map[string]string

func snsNotification(message string, at time.Time) snsMessage {
	return snsMessage{"Type": "Notification", "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b", "TopicArn": snsTopic, "Subject": "Amazon SES Email Event Notification",
		"Message": message, "Timestamp": at.Format("2006-01-02T15:04:05.000Z"), "SignatureVersion": "2", "SigningCertURL": snsCert}
}

func snsSubscription() snsMessage {
	return snsMessage{"Type": "SubscriptionConfirmation", "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1c", "TopicArn": snsTopic, "Token": "2336412f37",
		"Message": "You have chosen to subscribe.\nVisit the SubscribeURL.", "Timestamp": "2026-11-22T09:59:59.000Z", "SignatureVersion": "1", "SigningCertURL": snsCert,
		"SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + snsTopic + "&Token=2336412f37"}
}

// sign signs a message as the SNS Developer Guide says, and writes it.
func (k snsKey) sign(m snsMessage) []byte {
	var text strings.Builder
	for _, name := range []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"} {
		if value, ok := m[name]; ok {
			text.WriteString(name + "\n" + value + "\n")
		}
	}
	hash, digest := crypto.SHA256, []byte(nil)
	if m["SignatureVersion"] == "1" {
		sum := sha1.Sum([]byte(text.String()))
		hash, digest = crypto.SHA1, sum[:]
	} else {
		sum := sha256.Sum256([]byte(text.String()))
		digest = sum[:]
	}
	signature, err := rsa.SignPKCS1v15(nil, k.key, hash, digest)
	if err != nil {
		panic(err)
	}
	m["Signature"] = base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return body
}

// snsServer is Amazon SNS: it has pages and remembers what was asked.
type snsServer struct {
	mu    sync.Mutex
	pages map[string]string
	down  bool
	asked []string
}

func newSNSServer() *snsServer {
	return &snsServer{pages: map[string]string{snsCert: string(theSNSKey().cert), snsSubscription()["SubscribeURL"]: "<ConfirmSubscriptionResponse/>"}}
}

func (s *snsServer) get(_ context.Context, url string) (int, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, url)
	page, ok := s.pages[url]
	switch {
	case s.down:
		return 503, nil
	case !ok:
		return 403, []byte("<Error/>")
	}
	return 200, []byte(page)
}

func (s *snsServer) open(t *testing.T, settings map[string]string) provider.Receipts {
	t.Helper()
	reader, err := provider.OpenSESReceipts(parsed(t, "ses", settings), func() time.Time { return examNow }, s.get)
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

var sesReceiptSettings = awsKeys(map[string]string{"from": "codes@id.example.org", "receipt_topic": "arn:aws:sns:eu-west-1:123456789012:other," + snsTopic})

func sesEvent(kind, more string) string {
	return `{"eventType":"` + kind + `","mail":{"timestamp":"2026-11-22T09:59:50.000Z","messageId":"0102018f-abc","destination":["jane@example.com"],` +
		`"tags":{"ses:configuration-set":["otp"],"delivery":["` + deliveryID + `"]}}` + more + `}`
}

func TestSESReceipts(t *testing.T) {
	sent, at := time.Date(2026, 11, 22, 9, 59, 50, 0, time.UTC), time.Date(2026, 11, 22, 9, 59, 58, 0, time.UTC)
	receipt := func(r outbox.Report, class outbox.Class, code string, at time.Time) []outbox.Receipt {
		return []outbox.Receipt{{Event: "165545c9-2a5c-472c-8df2-7ff2be2b3b1b", Ref: "0102018f-abc", Delivery: deliveryID, Report: r, Class: class, Code: code, At: at}}
	}
	bounce := func(kind, sub string) string {
		return sesEvent("Bounce", `,"bounce":{"bounceType":"`+kind+`","bounceSubType":"`+sub+`","timestamp":"2026-11-22T09:59:58.000Z",`+
			`"bouncedRecipients":[{"emailAddress":"jane@example.com","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 jane"}]}`)
	}
	untagged := receipt(outbox.ReportDelivered, "", "", at)
	untagged[0].Delivery = ""
	post := func(m snsMessage) provider.Posted {
		return provider.Posted{URL: "https://otp.example.org/receipts/mail", Method: "POST", Body: theSNSKey().sign(m)}
	}
	respell := func(change func(m snsMessage)) func(*provider.Posted) {
		return func(p *provider.Posted) {
			var m snsMessage
			if err := json.Unmarshal(p.Body, &m); err != nil {
				t.Fatal(err)
			}
			change(m)
			p.Body, _ = json.Marshal(m)
		}
	}
	resign := func(change func(m snsMessage)) func(*provider.Posted) {
		return func(p *provider.Posted) {
			m := snsNotification(sesEvent("Delivery", ""), examNow)
			change(m)
			p.Body = theSNSKey().sign(m)
		}
	}
	sitReceipts(t, reports{
		kind: "ses", settings: sesReceiptSettings,
		open:   func(settings map[string]string) provider.Receipts { return newSNSServer().open(t, settings) },
		post:   func(body string, at time.Time) provider.Posted { return post(snsNotification(body, at)) },
		inBody: true,
		tell: []report{
			{"delivered", sesEvent("Delivery", `,"delivery":{"timestamp":"2026-11-22T09:59:58.000Z"}`), receipt(outbox.ReportDelivered, "", "", at)},
			{"delivered, of an identity", `{"notificationType":"Delivery","mail":{"messageId":"0102018f-abc"},"delivery":{"timestamp":"2026-11-22T09:59:58.000Z"}}`, untagged},
			{"delayed", sesEvent("DeliveryDelay", `,"deliveryDelay":{"timestamp":"2026-11-22T09:59:58.000Z","delayType":"MailboxFull"}`), receipt(outbox.ReportDelayed, "", "MailboxFull", at)},
			{"hard bounce", bounce("Permanent", "General"), receipt(outbox.ReportBounced, outbox.InvalidRecipient, "Permanent General", at)},
			{"suppressed", bounce("Permanent", "Suppressed"), receipt(outbox.ReportBounced, outbox.Suppressed, "Permanent Suppressed", at)},
			{"suppressed for the account", bounce("Permanent", "OnAccountSuppressionList"), receipt(outbox.ReportBounced, outbox.Suppressed, "Permanent OnAccountSuppressionList", at)},
			{"soft bounce", bounce("Transient", "MailboxFull"), receipt(outbox.ReportBounced, outbox.Transient, "Transient MailboxFull", at)},
			{"too large", bounce("Transient", "MessageTooLarge"), receipt(outbox.ReportBounced, outbox.RejectedContent, "Transient MessageTooLarge", at)},
			{"undetermined", bounce("Undetermined", "Undetermined"), receipt(outbox.ReportBounced, outbox.Transient, "Undetermined Undetermined", at)},
			{"complaint", sesEvent("Complaint", `,"complaint":{"timestamp":"2026-11-22T09:59:58.000Z","complaintSubType":null}`), receipt(outbox.ReportComplained, "", "", at)},
			{"an earlier complaint", sesEvent("Complaint", `,"complaint":{"timestamp":"2026-11-22T09:59:58.000Z","complaintSubType":"OnAccountSuppressionList"}`),
				receipt(outbox.ReportBounced, outbox.Suppressed, "OnAccountSuppressionList", at)},
			{"rejected", sesEvent("Reject", `,"reject":{"reason":"Bad content"}`), receipt(outbox.ReportBounced, outbox.RejectedContent, "Reject", sent)},
			{"opened", sesEvent("Open", ""), nil},
			{"a greeting", "Successfully validated SNS topic for Amazon SES event publishing.", nil},
		},
		forge: map[string]func(*provider.Posted){
			"message":          respell(func(m snsMessage) { m["Message"] += " " }),
			"id":               respell(func(m snsMessage) { m["MessageId"] += "0" }),
			"subject":          respell(func(m snsMessage) { delete(m, "Subject") }),
			"time":             respell(func(m snsMessage) { m["Timestamp"] = "2026-11-22T09:59:59.000Z" }),
			"topic":            respell(func(m snsMessage) { m["TopicArn"] = "arn:aws:sns:eu-west-1:123456789012:other" }),
			"no signature":     respell(func(m snsMessage) { m["Signature"] = "" }),
			"version":          respell(func(m snsMessage) { m["SignatureVersion"] = "1" }),
			"another's topic":  resign(func(m snsMessage) { m["TopicArn"] = "arn:aws:sns:eu-west-1:999999999999:otpost" }),
			"version 3":        resign(func(m snsMessage) { m["SignatureVersion"] = "3" }),
			"another type":     resign(func(m snsMessage) { m["Type"] = "Other" }),
			"no time":          resign(func(m snsMessage) { m["Timestamp"] = "" }),
			"two hours ago":    resign(func(m snsMessage) { m["Timestamp"] = "2026-11-22T08:00:00.000Z" }),
			"in ten minutes":   resign(func(m snsMessage) { m["Timestamp"] = "2026-11-22T10:10:00.000Z" }),
			"missing key":      resign(func(m snsMessage) { m["SigningCertURL"] = strings.Replace(snsCert, "0123", "9999", 1) }),
			"another's key":    func(p *provider.Posted) { p.Body = otherSNSKey().sign(snsNotification("{}", examNow)) },
			"raw message":      func(p *provider.Posted) { p.Body = []byte(sesEvent("Delivery", "")) },
			"foreign language": func(p *provider.Posted) { p.Body = []byte("<xml/>") },
		},
	})
}

var otherSNSKey = sync.OnceValue(func() snsKey { return makeSNSKey(examNow.Add(-time.Hour), examNow.Add(time.Hour)) })

// A certificate is only ever fetched from Amazon SNS.
func TestSNSCertificateAddresses(t *testing.T) {
	for _, address := range []string{
		"", "http" + snsCert[5:], "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
		"https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0123456789abcdef.pem",
		"https://user@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
		"https://evil.example/SimpleNotificationService-0123456789abcdef.pem", "https://sns.eu-west-1.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
		"https://sns.a.b.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem", "https://evilsns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
		"https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef.pem", "https://sns.eu-west-1.amazonaws.com./SimpleNotificationService-0123456789abcdef.pem",
		snsCert + "?x=y", snsCert + "?", snsCert + "#x", "https://sns.eu-west-1.amazonaws.com/?Action=GetTopicAttributes&x=.pem", "https://sns.eu-west-1.amazonaws.com/",
		"https://sns.eu-west-1.amazonaws.com/..%2fSimpleNotificationService-0123456789abcdef.pem", "https:sns.eu-west-1.amazonaws.com/x.pem", "file:///etc/passwd", "https://169.254.169.254/x.pem",
		"https://sns.eu-west-1.amazonaws.com/x/SimpleNotificationService-0123456789abcdef.pem", "https://sns.EU.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
	} {
		server := newSNSServer()
		m := snsNotification(sesEvent("Delivery", ""), examNow)
		m["SigningCertURL"] = address
		_, err := server.open(t, sesReceiptSettings).Read(t.Context(), provider.Posted{Body: theSNSKey().sign(m)})
		if !errors.Is(err, provider.ErrForged) || len(server.asked) > 0 {
			t.Errorf("%s: got %v, and %q was fetched", address, err, server.asked)
		}
	}
}

// What is at the address must be a certificate of now, and nothing else.
func TestSNSCertificates(t *testing.T) {
	good := string(theSNSKey().cert)
	ended, early := makeSNSKey(examNow.Add(-2*time.Hour), examNow.Add(-time.Hour)), makeSNSKey(examNow.Add(time.Hour), examNow.Add(2*time.Hour))
	for name, test := range map[string]struct {
		key  snsKey
		page string
	}{
		"empty": {theSNSKey(), ""}, "text": {theSNSKey(), "not a certificate"}, "in an answer": {theSNSKey(), "<Error>\n" + good},
		"two": {theSNSKey(), good + good}, "broken": {theSNSKey(), strings.Replace(good, "MII", "MIX", 1)}, "ended": {ended, string(ended.cert)}, "early": {early, string(early.cert)},
	} {
		server := newSNSServer()
		server.pages[snsCert] = test.page
		_, err := server.open(t, sesReceiptSettings).Read(t.Context(), provider.Posted{Body: test.key.sign(snsNotification(sesEvent("Delivery", ""), examNow))})
		if !errors.Is(err, provider.ErrForged) {
			t.Errorf("%s: got %v, want %v", name, err, provider.ErrForged)
		}
	}
}

// A certificate is fetched once. While there is none to be had, nothing is believed and nothing is called forged.
func TestSNSCertificateIsKept(t *testing.T) {
	server := newSNSServer()
	reader := server.open(t, sesReceiptSettings)
	p := provider.Posted{Body: theSNSKey().sign(snsNotification(sesEvent("Delivery", ""), examNow))}
	server.down = true
	if told, err := reader.Read(t.Context(), p); !errors.Is(err, provider.ErrUnchecked) || len(told.Receipts) > 0 {
		t.Errorf("got %+v, %v, want %v", told, err, provider.ErrUnchecked)
	}
	server.down = false
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if told, err := reader.Read(t.Context(), p); err != nil || len(told.Receipts) != 1 {
				t.Errorf("got %+v, %v, want a receipt", told, err)
			}
		})
	}
	wait.Wait()
	if !slices.Equal(server.asked, []string{snsCert, snsCert}) {
		t.Errorf("fetched %q, want the certificate once while the server was down, and once more", server.asked)
	}
}

func TestSNSSubscription(t *testing.T) {
	read := func(change func(m snsMessage)) ([]string, error) {
		server, m := newSNSServer(), snsSubscription()
		change(m)
		told, err := server.open(t, sesReceiptSettings).Read(t.Context(), provider.Posted{Body: theSNSKey().sign(m)})
		if len(told.Receipts) > 0 {
			t.Errorf("got receipts %+v", told.Receipts)
		}
		return server.asked, err
	}
	visit := snsSubscription()["SubscribeURL"]
	asked, err := read(func(snsMessage) {})
	if err != nil || !slices.Equal(asked, []string{snsCert, visit}) {
		t.Errorf("got %v, and %q was fetched, want the subscription to be confirmed", err, asked)
	}
	for name, test := range map[string]struct {
		change func(m snsMessage)
		want   error
	}{
		"another topic": {func(m snsMessage) { m["TopicArn"] = "arn:aws:sns:eu-west-1:999999999999:otpost" }, provider.ErrForged},
		"another host": {func(m snsMessage) {
			m["SubscribeURL"] = "https://169.254.169.254/?Action=ConfirmSubscription&TopicArn=" + snsTopic
		}, provider.ErrMalformed},
		"another action":        {func(m snsMessage) { m["SubscribeURL"] = strings.Replace(visit, "Confirm", "Un", 1) }, provider.ErrMalformed},
		"another topic to be":   {func(m snsMessage) { m["SubscribeURL"] = strings.Replace(visit, ":otpost", ":other", 1) }, provider.ErrMalformed},
		"another path":          {func(m snsMessage) { m["SubscribeURL"] = strings.Replace(visit, "/?", "/x?", 1) }, provider.ErrMalformed},
		"an old token":          {func(m snsMessage) { m["SubscribeURL"] = visit + "0" }, provider.ErrUnchecked},
		"the end of it":         {func(m snsMessage) { m["Type"] = "UnsubscribeConfirmation" }, nil},
		"a message in disguise": {func(m snsMessage) { m["Type"] = "Notification"; delete(m, "SubscribeURL"); delete(m, "Token") }, nil},
	} {
		asked, err := read(test.change)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
		if slices.Contains(asked, visit) || test.want != provider.ErrUnchecked && slices.ContainsFunc(asked, func(a string) bool { return a != snsCert }) {
			t.Errorf("%s: %q was fetched", name, asked)
		}
	}
}

func TestSESReceiptTopicIsAnARN(t *testing.T) {
	settings := awsKeys(map[string]string{"from": "codes@id.example.org", "receipt_topic": "otpost"})
	if _, err := kind(t, "ses").Receipts(parsed(t, "ses", settings), provider.Environment{}); err == nil || !strings.Contains(err.Error(), "receipt_topic") {
		t.Errorf("got %v, want it to name the setting", err)
	}
}

// The client for what a notice names connects to no address inside the network, whatever the name comes to, unless the
// settings allow it.
func TestSNSClientRefusesPrivateAddresses(t *testing.T) {
	inside, names := netip.MustParseAddr("127.0.0.1"), &nameServer{}
	names.answer.Store(&inside)
	for private, refused := range map[bool]bool{false: true, true: false} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // something may listen on port 443 of this machine
		err := provider.GetOfSNS(ctx, provider.Environment{Resolver: names.start(t)}, private, snsCert)
		cancel()
		if f := fault(t, err); strings.Contains(f.Detail, "private") != refused || names.asked.Load() == 0 {
			t.Errorf("private addresses allowed %v: got %v after %d lookups", private, f, names.asked.Load())
		}
	}
}

// The vectors were signed with node:crypto, and sns-validator 0.3.5, the validator that AWS publishes on npm, accepts
// them.
func TestSNSSignatureVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/sns_notices.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Certificate string
		Notices     []string
	}
	if err := json.Unmarshal(data, &vectors); err != nil || len(vectors.Notices) != 3 {
		t.Fatalf("%d notices, %v", len(vectors.Notices), err)
	}
	for i, notice := range vectors.Notices {
		server := newSNSServer()
		server.pages[snsCert] = vectors.Certificate
		reader := server.open(t, sesReceiptSettings)
		told, err := reader.Read(t.Context(), provider.Posted{Body: []byte(notice)})
		if err != nil || i < 2 && (len(told.Receipts) != 1 || told.Receipts[0].Ref != "0102018f-abc") {
			t.Errorf("notice %d: got %+v, %v", i, told, err)
		}
		if _, err := reader.Read(t.Context(), provider.Posted{Body: []byte(strings.Replace(notice, ":otpost", ":other", -1))}); !errors.Is(err, provider.ErrForged) {
			t.Errorf("notice %d, changed: got %v", i, err)
		}
	}
}
