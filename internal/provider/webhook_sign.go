package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
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
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"...)
		signatures = base64.StdEncoding.AppendEncode(signatures, mac.Sum(nil))
	}
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", timestamp)
	h.Set("webhook-signature", string(signatures))
	return h
}
