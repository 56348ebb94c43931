package mfa

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// apart is how long a person waits for a second text message: within about half a minute B2C throttles it
// (MicrosoftDocs/azure-docs#87090, measured by a user).
const apart = 30 * time.Second

// The bounds of what a policy puts into a message, in bytes. UNCONFIRMED, and ours.
const (
	maxCompany = 256
	maxLocale  = 256
)

// terms are those of a code in a text message; a policy cannot set them. Six digits are the page's own pattern (\d{6}),
// 180 seconds those of Entra's multifactor authentication in general (Microsoft Q&A 138525). For B2C both are UNCONFIRMED,
// and so are the tries and the lock-out, which B2C takes from a judgement of the risk (MicrosoftDocs/azure-docs#78006).
func terms() *passcode.Policy {
	return &passcode.Policy{Alphabet: "0-9", Length: 6, Lifetime: 180 * time.Second, Tries: 5, Lockout: 5 * time.Minute}
}

// sendSMS is OneWaySMS. It is done when a provider took the message, and also when one still may: the code is good then.
func (h *Handler) sendSMS(ctx context.Context, c *execute.Call) error {
	// The user's name must be there and is not looked at: policies write a constant (azure-ad-b2c/samples,
	// migrate-to-entra-external-id-for-customers). The number is what the code belongs to.
	if _, err := c.Need(userPrincipalName); err != nil {
		return err
	}
	number, err := c.Need(phoneNumber)
	if err != nil {
		return err
	}
	to, err := passcode.ParseAddress(number.String())
	if err == nil && to.Channel != outbox.SMS {
		err = errors.New("the phone number is an email address")
	}
	if err != nil {
		return failure(invalidFormat, err)
	}
	if err := permit(c, to); err != nil {
		return err
	}
	issued, err := h.Passcodes.Issue(ctx, passcode.Request{Tenant: c.Scene.Tenant, Application: h.sender(c), Scope: c.Scope(),
		To: to.Deliverable, Channel: outbox.SMS, Purpose: passcode.MFA, Locale: language(c), Terms: terms(), Apart: apart,
		IP: c.Scene.Address()}, c.Scene.Wait)
	if err != nil {
		return refusedPasscode(sendKeys, err)
	}
	if outbox.OutcomeOf(&issued.Delivery).Verdict == outbox.NotSent {
		return failure(couldntSendSMS, errors.New("no provider took the message"))
	}
	return nil
}

// verifySMS is Verify. The number locates the code within the session (multi-factor-auth-technical-profile.md).
func (h *Handler) verifySMS(ctx context.Context, c *execute.Call) error {
	if typed, given := c.Input(verificationCode); given {
		c.Secret(typed.String())
	}
	number, err := c.Need(phoneNumber)
	if err != nil {
		return err
	}
	typed, err := c.Need(verificationCode)
	if err != nil {
		return err
	}
	v, err := h.Passcodes.Verify(ctx, passcode.Ref{Tenant: c.Scene.Tenant, Scope: c.Scope(), Purpose: passcode.MFA,
		To: number.String()}, typed.String())
	switch {
	case err != nil:
		return refusedPasscode(verifyKeys, err)
	case !v.Verified:
		return failure(cmp.Or(verifyKeys[v.Reason], serverError), errors.New(string(v.Reason)))
	}
	return nil
}

// sender is on whose behalf a message is sent: by the name that the policy gives it, or by its own.
func (h *Handler) sender(c *execute.Call) passcode.Application {
	a := passcode.Application{ID: c.Scene.Application, Name: c.Scene.Application}
	if h.Application != nil {
		a = h.Application(c.Policy, &c.Scene)
	}
	if company, given := c.Input(companyName); given {
		a.Name = cmp.Or(oneLine(company.String(), maxCompany), a.Name)
	}
	return a
}

// oneLine is a text without control characters, and with most bytes at most.
func oneLine(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	return strings.TrimSpace(strings.ToValidUTF8(text[:min(len(text), most)], ""))
}

// language is what the message is written in: the policy's word, or else that of the person's browser.
func language(c *execute.Call) string {
	if wanted, given := c.Input(locale); given && len(wanted.String()) <= maxLocale {
		return wanted.String()
	}
	return c.Scene.Locale
}
