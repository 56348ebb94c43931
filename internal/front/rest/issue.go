package rest

import (
	"crypto/sha256"
	"net/http"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/passcode"
)

// issue answers POST /v1/passcodes.
func (h *Handler) issue(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return err
	}
	q, err := decode(w, r, issueMembers, false)
	if err != nil {
		return err
	}
	request := passcode.Request{
		Tenant:         c.Application.Tenant,
		Application:    applicationOf(c),
		To:             q.To,
		Channel:        q.Channel,
		Purpose:        orVerify(q.Purpose),
		Locale:         q.Locale,
		Policy:         q.Policy,
		IP:             q.IP,
		Metadata:       q.Metadata,
		IdempotencyKey: key,
	}
	if key != "" {
		sum := sha256.Sum256(q.canonical())
		request.Fingerprint = sum[:]
	}
	issued, err := h.Engine.Issue(r.Context(), request, q.Wait)
	if err != nil {
		return err
	}
	faultpoint.Here("issue.before_answer")
	if issued.Replayed {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	w.Header().Set("Location", "/v1/passcodes/"+issued.Challenge.ID)
	reply(w, http.StatusCreated, issuedOf(&issued, h.Now()))
	return nil
}

// orVerify is the purpose that holds when none is named.
func orVerify(p passcode.Purpose) passcode.Purpose {
	if p == "" {
		return passcode.Verify
	}
	return p
}

// idempotencyKey reads the Idempotency-Key header: one value of 1 to 255 visible ASCII characters, compared as it is
// written.
func idempotencyKey(h http.Header) (string, error) {
	given := h["Idempotency-Key"]
	if len(given) == 0 {
		return "", nil
	}
	key := given[0]
	ok := len(given) == 1 && key != "" && len(key) <= 255
	for i := 0; ok && i < len(key); i++ {
		ok = '!' <= key[i] && key[i] <= '~'
	}
	if !ok {
		return "", front.Problem{Status: http.StatusBadRequest, Code: "invalid_idempotency_key",
			Title:  "Idempotency key not valid",
			Detail: "Idempotency-Key must be given once, as 1 to 255 visible ASCII characters."}
	}
	return key, nil
}

// applicationOf says who calls in the engine's words.
func applicationOf(c access.Caller) passcode.Application {
	return passcode.Application{ID: c.Application.ID, Name: c.Application.Name, Domain: c.Application.Domain}
}
