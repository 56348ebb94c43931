package entra

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/extension"
)

// WrongFunctionKey is this door's own reason to refuse, beside those of extension.Reasons.
const WrongFunctionKey extension.Reason = "wrong_function_key"

// keysRetry is after what time a token may be judged whose issuer's keys could not be had.
const keysRetry = 5 * time.Second

// admit lets Entra in and nobody else. The answer to a refusal is the same for every reason; the log and the metrics
// get the reason.
func (h *Handler) admit(r *http.Request, v *visit) (extension.Identity, *problem) {
	token, err := bearer(r.Header)
	if h.FunctionKey != "" && !h.hasFunctionKey(r) {
		v.seen.Refused = WrongFunctionKey
		return extension.Identity{}, &problem{kind: unauthorized, challenge: challenge(presented(err))}
	}
	var id extension.Identity
	if err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), orDefault(h.Budget, DefaultBudget))
		defer cancel()
		id, err = h.Verifier.Verify(ctx, token)
	}
	if err == nil {
		return id, nil
	}
	v.err = err
	var refused *extension.Refused
	if !errors.As(err, &refused) {
		return id, &problem{kind: internalError}
	}
	v.seen.Refused = refused.Reason
	if refused.Reason == extension.NoKeys {
		return id, &problem{kind: keysUnavailable, retryAt: v.arrived.Add(keysRetry)}
	}
	return id, &problem{kind: unauthorized, challenge: challenge(presented(err))}
}

// presented reports whether there was a token, by the error that bearer or the verifier has for it.
func presented(err error) bool {
	var refused *extension.Refused
	return !errors.As(err, &refused) || refused.Reason != extension.TokenMissing
}

// challenge is the value of WWW-Authenticate. RFC 6750 §3 wants at least one parameter, and §3.1 an error only when a
// token was presented: that alone decides, or the header would tell whether the function's key was right.
func challenge(presented bool) string {
	if presented {
		return `Bearer realm="otpost", error="invalid_token"`
	}
	return `Bearer realm="otpost"`
}

// bearer takes the token from the Authorization header (RFC 6750 §2.1). A header of another scheme is no token.
func bearer(header http.Header) (string, error) {
	values := header.Values("Authorization")
	if len(values) > 1 {
		return "", &extension.Refused{Reason: extension.TokenMalformed, Detail: "more than one Authorization header"}
	}
	if len(values) == 0 {
		return "", &extension.Refused{Reason: extension.TokenMissing}
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.Trim(token, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", &extension.Refused{Reason: extension.TokenMissing}
	}
	for _, c := range []byte(strings.TrimRight(token, "=")) {
		if !isTokenByte(c) {
			return "", &extension.Refused{Reason: extension.TokenMalformed, Detail: "a character that no token has"}
		}
	}
	return token, nil
}

// isTokenByte is one character of b64token (RFC 6750 §2.1).
func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~+/", c) >= 0
}

// hasFunctionKey compares hashes, so that neither content nor length shows in the time it takes.
func (h *Handler) hasFunctionKey(r *http.Request) bool {
	given := r.Header.Get("X-Functions-Key")
	if given == "" {
		given = r.URL.Query().Get("code")
	}
	want, got := sha256.Sum256([]byte(h.FunctionKey)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// isJSON wants the event's content type and no compression.
func isJSON(header http.Header) bool {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return false
	}
	encoding := header.Get("Content-Encoding")
	return encoding == "" || strings.EqualFold(encoding, "identity")
}
