package provider

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// readVonage reads delivery receipts, by their signature where there is a secret for it, else by the secret in the URL.
func readVonage(s vonageSettings, env Environment) (Receipts, error) {
	if s.ReceiptSignatureSecret == "" && s.ReceiptSecret == "" {
		return nil, nil
	}
	return vonageReceipts{settings: s, now: env.clock()}, nil
}

type vonageReceipts struct {
	settings vonageSettings
	now      func() time.Time
}

// Read takes a receipt in each of the three forms that an account can be set to: POST-JSON, POST and GET (nexmo sms
// 1.2.0, DeliveryReceipt).
func (r vonageReceipts) Read(_ context.Context, p Posted) (Told, error) {
	if r.settings.ReceiptSignatureSecret == "" && !p.knows(r.settings.ReceiptSecret) {
		return Told{}, fmt.Errorf("%w: it does not carry receipt_secret", ErrForged)
	}
	fields, err := vonageFields(p)
	if err != nil {
		return Told{}, err
	}
	if r.settings.ReceiptSignatureSecret != "" {
		if err := r.verify(fields); err != nil {
			return Told{}, err
		}
	}
	ref, id, status, code := fields["messageId"], fields["client-ref"], fields["status"], fields["err-code"]
	if ref == "" || status == "" {
		return Told{}, fmt.Errorf("%w: want messageId and status", ErrMalformed)
	}
	receipt := outbox.Receipt{Event: eventOf(ref, status, code), Ref: ref, Delivery: id, At: vonageTime(fields["message-timestamp"])}
	switch status {
	case "delivered":
		receipt.Report = outbox.ReportDelivered
	case "buffered":
		receipt.Report = outbox.ReportDelayed
	case "expired", "failed", "rejected":
		receipt.Report, receipt.Class = outbox.ReportBounced, vonageReason(code)
		if number, err := strconv.Atoi(code); err == nil {
			receipt.Code = strconv.Itoa(number)
		}
	default: // accepted, unknown
		return Told{}, nil
	}
	return Told{Receipts: []outbox.Receipt{receipt}}, nil
}

// vonageFields reads the parameters of a receipt. One that comes twice has no meaning, neither here nor under a signature.
func vonageFields(p Posted) (map[string]string, error) {
	kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
	if kind == "application/json" {
		return vonageObject(p.Body)
	}
	text := string(p.Body)
	if p.Method == http.MethodGet {
		_, text, _ = strings.Cut(p.URL, "?")
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, fmt.Errorf("%w: want JSON or a form", ErrMalformed)
	}
	fields := map[string]string{}
	for name, values := range form {
		if len(values) > 1 {
			return nil, fmt.Errorf("%w: a parameter comes twice", ErrMalformed)
		}
		fields[name] = values[0]
	}
	return fields, nil
}

func vonageObject(body []byte) (map[string]string, error) {
	var object map[string]any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if dec.Decode(&object) != nil || object == nil {
		return nil, fmt.Errorf("%w: want a JSON object", ErrMalformed)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: text after the JSON object", ErrMalformed)
	}
	fields := map[string]string{}
	for name, value := range object {
		switch value := value.(type) {
		case string:
			fields[name] = value
		case json.Number:
			fields[name] = value.String()
		default:
			return nil, fmt.Errorf("%w: a parameter is neither text nor a number", ErrMalformed)
		}
	}
	return fields, nil
}

// verify checks sig (developer.vonage.com, "Signing requests"): the hash of &name=value for each parameter but sig,
// sorted by name, with & and = in values replaced. The time under it bounds how old a receipt may be.
func (r vonageReceipts) verify(fields map[string]string) error {
	given, err := hex.DecodeString(fields["sig"])
	if err != nil || len(given) == 0 {
		return fmt.Errorf("%w: sig is missing; ask Vonage to sign webhooks, or set receipt_secret instead", ErrForged)
	}
	var signed strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != "sig" {
			signed.WriteString("&" + name + "=" + strings.NewReplacer("&", "_", "=", "_").Replace(fields[name]))
		}
	}
	if !hmac.Equal(given, r.sign(signed.String())) {
		return fmt.Errorf("%w: sig does not fit; check receipt_signature_secret and receipt_signature_method", ErrForged)
	}
	at, err := strconv.ParseInt(fields["timestamp"], 10, 64)
	if age := r.now().Unix() - at; err != nil || age > maxReportAge || age < -maxReportAge {
		return fmt.Errorf("%w: its timestamp is missing or too far from now", ErrForged)
	}
	return nil
}

func (r vonageReceipts) sign(text string) []byte {
	secret := r.settings.ReceiptSignatureSecret
	if r.settings.ReceiptSignatureMethod == "md5hash" {
		sum := md5.Sum([]byte(text + secret))
		return sum[:]
	}
	hashes := map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}
	mac := hmac.New(hashes[r.settings.ReceiptSignatureMethod], []byte(secret))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// vonageReason is what an err-code means (api.support.vonage.com, "SMS Delivery Error Codes").
func vonageReason(code string) outbox.Class {
	switch code {
	case "3": // absent subscriber, permanent
		return outbox.InvalidRecipient
	case "4", "9", "13", "14": // barred by the user, asked not to receive, age, blocked by the carrier
		return outbox.Suppressed
	case "6", "10", "11", "12", "50", "51", "52", "53", "54": // spam filter, illegal message, no route, filters
		return outbox.RejectedContent
	case "16":
		return outbox.Quota
	case "39": // illegal sender
		return outbox.Account
	}
	return outbox.Transient // 1, 2, 5, 7, 8, 15, 99 and what is not known
}

// vonageTime reads message-timestamp in its newer and its older form, both in UTC; zero when it is neither.
func vonageTime(text string) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateTime} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}
