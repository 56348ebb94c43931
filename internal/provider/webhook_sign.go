package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// webhookSecret is the key of one signature.
type webhookSecret []byte

// parseSecrets reads secrets in the form of the Standard Webhooks specification, "Signature scheme": whsec_ and the
// base64 of 24 to 64 random bytes.
func parseSecrets(list []string) ([]webhookSecret, error) {
	if len(list) == 0 {
		return nil, errors.New("want at least one")
	}
	var out []webhookSecret
	for _, text := range list {
		encoded, ok := strings.CutPrefix(text, "whsec_")
		if !ok {
			return nil, errors.New("want whsec_ and base64")
		}
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return nil, errors.New("what follows whsec_ is not base64")
		}
		if len(key) < 24 || len(key) > 64 {
			return nil, errors.New("want 24 to 64 bytes after whsec_ (32 to 88 characters of base64)")
		}
		out = append(out, key)
	}
	return out, nil
}

// signWebhook makes the three headers of Standard Webhooks, "Webhook headers". Each secret adds a signature, so that
// a receiver can change its secret while messages flow.
func signWebhook(secrets []webhookSecret, id string, at time.Time, body []byte) http.Header {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	var signatures []byte
	for i, secret := range secrets {
		if i > 0 {
			signatures = append(signatures, ' ')
		}
		signatures = append(signatures, "v1,"...)
		signatures = base64.StdEncoding.AppendEncode(signatures, secret.sign(id, timestamp, body))
	}
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", timestamp)
	h.Set("webhook-signature", string(signatures))
	return h
}

// verifyWebhook checks the three headers of Standard Webhooks, "Verifying webhooks", and returns the message's id. prefix
// is "webhook", or "svix" for those who signed so before there was a standard.
func verifyWebhook(secrets []webhookSecret, prefix string, p Posted, now time.Time) (id string, err error) {
	id, timestamp := p.Header.Get(prefix+"-id"), p.Header.Get(prefix+"-timestamp")
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if id == "" || err != nil {
		return "", fmt.Errorf("%w: its %s headers are missing", ErrForged, prefix)
	}
	if age := now.Unix() - at; age > maxReportAge || age < -maxReportAge {
		return "", fmt.Errorf("%w: its %s-timestamp is too far from now", ErrForged, prefix)
	}
	for given := range strings.FieldsSeq(p.Header.Get(prefix + "-signature")) {
		encoded, _ := strings.CutPrefix(given, "v1,")
		signature, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			continue
		}
		for _, secret := range secrets {
			if hmac.Equal(signature, secret.sign(id, timestamp, p.Body)) {
				return id, nil
			}
		}
	}
	return "", fmt.Errorf("%w: no %s-signature fits", ErrForged, prefix)
}

func (s webhookSecret) sign(id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, s)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}
