package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// twilioDelivery is the parameter of the callback's URL that carries a delivery's id to Twilio and back.
const twilioDelivery = "delivery"

// readTwilio reads status callbacks, which are signed with the account's auth token whatever the message was sent with.
func readTwilio(s twilioSettings, _ Environment) (Receipts, error) {
	if s.AuthToken == "" {
		return nil, nil
	}
	return twilioReceipts{token: []byte(s.AuthToken), url: s.ReceiptURL}, nil
}

type twilioReceipts struct {
	token []byte
	url   string // the receipt_url setting, which Twilio was told, or empty
}

// Read takes a status callback as a form, or as a JSON object with the same members (twilio.com/docs, "Track outbound
// message status"). There is no time under the signature; a report that is posted twice has one Event.
func (r twilioReceipts) Read(_ context.Context, p Posted) (Told, error) {
	signed, query, err := r.signedURL(p.URL)
	if err != nil {
		return Told{}, err
	}
	fields, err := r.verify(signed, query, p)
	if err != nil {
		return Told{}, err
	}
	sid, status, code := fields.Get("MessageSid"), fields.Get("MessageStatus"), fields.Get("ErrorCode")
	if sid == "" || status == "" {
		return Told{}, fmt.Errorf("%w: want MessageSid and MessageStatus", ErrMalformed)
	}
	receipt := outbox.Receipt{Event: eventOf(sid, status, code), Ref: sid, Delivery: query.Get(twilioDelivery)}
	switch status {
	case "delivered", "read":
		receipt.Report = outbox.ReportDelivered
	case "undelivered", "failed", "canceled":
		number, _ := strconv.Atoi(code) // without a code it is nobody's fault that we know of
		receipt.Report, receipt.Class = outbox.ReportBounced, twilioClass(number, outbox.Transient)
		if number > 0 {
			receipt.Code = strconv.Itoa(number)
		}
	default: // queued, sending, sent and the like: on its way
		return Told{}, nil
	}
	return Told{Receipts: []outbox.Receipt{receipt}}, nil
}

// signedURL is the URL that Twilio was told, with the query that it called it with: its own bodySHA256 may be added.
func (r twilioReceipts) signedURL(posted string) (string, url.Values, error) {
	rest, raw, asked := strings.Cut(posted, "?")
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "", nil, fmt.Errorf("%w: its query cannot be read", ErrForged)
	}
	if r.url != "" {
		rest = r.url
	}
	if asked {
		rest += "?" + raw
	}
	return rest, query, nil
}

// verify checks X-Twilio-Signature (twilio.com/docs, "Validating Signatures from Twilio"): HMAC-SHA1 over the URL, then
// the form's names and values, sorted by name. With bodySHA256 in the query the body is covered by that hash instead.
func (r twilioReceipts) verify(signed string, query url.Values, p Posted) (url.Values, error) {
	forged := func(why string) (url.Values, error) { return nil, fmt.Errorf("%w: %s", ErrForged, why) }
	given, err := base64.StdEncoding.DecodeString(p.Header.Get("X-Twilio-Signature"))
	if err != nil || len(given) == 0 {
		return forged("X-Twilio-Signature is missing")
	}
	hash, hashed := query.Get("bodySHA256"), query.Has("bodySHA256")
	var fields url.Values
	if !hashed {
		if fields, err = url.ParseQuery(string(p.Body)); err != nil {
			return forged("its form cannot be read")
		}
	}
	if !r.signs(given, signed, fields) {
		return forged("X-Twilio-Signature does not fit; check auth_token, and that receipt_url is the very URL that Twilio calls")
	}
	if !hashed {
		return fields, nil
	}
	sum := sha256.Sum256(p.Body)
	if !hmac.Equal([]byte(strings.ToLower(hash)), []byte(hex.EncodeToString(sum[:]))) {
		return forged("bodySHA256 does not fit the body")
	}
	return twilioObject(p.Body)
}

// signs tries the URL with its standard port and without it, since Twilio signs both forms.
func (r twilioReceipts) signs(given []byte, signed string, fields url.Values) bool {
	var form strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(fields[name]))) {
			form.WriteString(name + value)
		}
	}
	for _, u := range withAndWithoutPort(signed) {
		mac := hmac.New(sha1.New, r.token)
		mac.Write([]byte(u + form.String()))
		if hmac.Equal(given, mac.Sum(nil)) {
			return true
		}
	}
	return false
}

func withAndWithoutPort(raw string) []string {
	scheme, rest, found := strings.Cut(raw, "://")
	port := map[string]string{"https": ":443", "http": ":80"}[scheme]
	end := strings.IndexAny(rest, "/?")
	if !found || port == "" || end < 0 {
		return []string{raw}
	}
	host := strings.TrimSuffix(rest[:end], port)
	if strings.Contains(host[strings.LastIndexByte(host, ']')+1:], ":") { // another port, which is always written
		return []string{raw}
	}
	return []string{scheme + "://" + host + rest[end:], scheme + "://" + host + port + rest[end:]}
}

// twilioObject reads the members of a JSON object that are text or numbers.
func twilioObject(body []byte) (url.Values, error) {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil || object == nil {
		return nil, fmt.Errorf("%w: want a JSON object", ErrMalformed)
	}
	fields := url.Values{}
	for name, value := range object {
		switch value := value.(type) {
		case string:
			fields.Set(name, value)
		case float64:
			fields.Set(name, strconv.FormatFloat(value, 'f', -1, 64))
		}
	}
	return fields, nil
}
