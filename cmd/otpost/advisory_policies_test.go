package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// The tests here are named after what went wrong elsewhere, as docs/advisories.md lists it, and hold the door of policies
// to it: a whole server with a policy of our own.

// withSession are the claims of a call, the session among them where there is one.
func withSession(session string, more ...string) map[string]string {
	claims := map[string]string{}
	for i := 0; i < len(more); i += 2 {
		claims[more[i]] = more[i+1]
	}
	if session != "" {
		claims["otpost_session"] = session
	}
	return claims
}

// AuthQuake (Microsoft, 2024): each of many sessions had a budget of its own.
func TestAdvisory_AuthQuake_NewSessionsBringNoNewGuesses(t *testing.T) {
	p := startInProcess(t, nil)
	const to = "lea@example.org"
	evaluated := 0
	for range 15 {
		_, made := p.callPolicy(t, "technicalprofiles/GenerateOtp", withSession("", "email", to))
		_, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(made.Session, "email", to, "code", otherCode(made.Otp)))
		switch a.Code {
		case "UserMessageIfVerificationFailedRetryAllowed":
			evaluated++
		case "UserMessageIfMaxRetryAttempted":
			if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(made.Session, "email", to, "code", made.Otp)); status != http.StatusConflict {
				t.Errorf("the right code of a new session after the budget: %d %+v", status, a)
			}
		default:
			t.Fatalf("a wrong code: %+v", a)
		}
	}
	if evaluated != 10 {
		t.Errorf("%d guesses over 15 sessions, want the 10 of one mailbox", evaluated)
	}
}

// Keycloak CVE-2024-1722: requests in parallel overran the limit. MailCode takes three tries.
func TestAdvisory_CVE_2024_1722_ParallelGuessesOfOneSessionStayUnderTheCap(t *testing.T) {
	p := startInProcess(t, nil)
	const to = "lea@example.org"
	_, made := p.callPolicy(t, "technicalprofiles/GenerateOtp", withSession("", "email", to))
	wrong := withSession(made.Session, "email", to, "code", otherCode(made.Otp))
	var mu sync.Mutex
	told := map[string]int{}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", wrong)
			mu.Lock()
			defer mu.Unlock()
			told[a.Code]++
		})
	}
	all.Wait()
	if told["UserMessageIfVerificationFailedRetryAllowed"] != 2 || told["UserMessageIfInvalidCode"] != 1 || told["UserMessageIfMaxRetryAttempted"] != 47 {
		t.Errorf("50 wrong codes together: %v", told)
	}
	if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(made.Session, "email", to, "code", made.Otp)); status != http.StatusConflict {
		t.Errorf("the right code after them: %d %+v", status, a)
	}
}

// Gitea CVE-2026-20779 (GO-2026-6057): a code was read, then marked as used.
func TestAdvisory_CVE_2026_20779_ParallelCallsOfOneSessionHaveOneWinner(t *testing.T) {
	p := startInProcess(t, nil)
	const to = "lea@example.org"
	_, made := p.callPolicy(t, "technicalprofiles/GenerateOtp", withSession("", "email", to))
	var mu sync.Mutex
	told := map[string]int{}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(made.Session, "email", to, "code", made.Otp))
			mu.Lock()
			defer mu.Unlock()
			told[fmt.Sprint(status, a.Code)]++
		})
	}
	all.Wait()
	if told["200"] != 1 || told["409UserMessageIfSessionDoesNotExist"] != 49 {
		t.Errorf("50 right codes together: %v", told)
	}
}

// Vault CVE-2025-6014 (GO-2025-3841): used codes were remembered as typed, so that a space made a new one.
func TestAdvisory_CVE_2025_6014_OtherFormsOfAUsedCodeAreRefusedByAPolicy(t *testing.T) {
	p := startInProcess(t, nil)
	const to = "lea@example.org"
	_, made := p.callPolicy(t, "technicalprofiles/GenerateOtp", withSession("", "email", to))
	fullWidth := strings.Map(func(r rune) rune { return r - '0' + '\uff10' }, made.Otp)
	if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(made.Session, "email", to, "code", fullWidth)); status != http.StatusOK {
		t.Fatalf("the code in other digits: %d %+v", status, a)
	}
	for _, code := range []string{made.Otp, made.Otp + " ", made.Otp[:3] + " " + made.Otp[3:], made.Otp[:3] + "-" + made.Otp[3:], fullWidth} {
		if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(made.Session, "email", to, "code", code)); status != http.StatusConflict {
			t.Errorf("%q after it was used: %d %+v", code, status, a)
		}
	}
}

// Apache Answer CVE-2024-41890 (GO-2024-3064): an older link lived on after a newer one.
func TestAdvisory_CVE_2024_41890_ANewerCodeOfAJourneyEndsTheOlder(t *testing.T) {
	p := startInProcess(t, nil)
	const to = "lea@example.org"
	_, first := p.callPolicy(t, "technicalprofiles/GenerateOtp", withSession("", "email", to))
	_, second := p.callPolicy(t, "technicalprofiles/GenerateOtp", withSession(first.Session, "email", to))
	for second.Otp == first.Otp {
		_, second = p.callPolicy(t, "technicalprofiles/GenerateOtp", withSession(first.Session, "email", to))
	}
	for name, session := range map[string]string{"then": first.Session, "now": second.Session} {
		if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(session, "email", to, "code", first.Otp)); status != http.StatusConflict {
			t.Errorf("the older code with the session of %s: %d %+v", name, status, a)
		}
	}
	if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(first.Session, "email", to, "code", second.Otp)); status != http.StatusOK {
		t.Errorf("the newer code: %d %+v", status, a)
	}
}

// Zitadel CVE-2025-46815 (GO-2025-3671): a token worked again. Here a caller keeps the session, and may bring an older one:
// nothing that is counted is in it.
func TestAdvisory_CVE_2025_46815_AnOlderSessionTurnsNothingBack(t *testing.T) {
	p := startInProcess(t, nil)
	const to = "lea@example.org"
	_, made := p.callPolicy(t, "technicalprofiles/GenerateOtp", withSession("", "email", to))
	first := made.Session
	for i, want := range []string{"RetryAllowed", "RetryAllowed", "InvalidCode", "MaxRetryAttempted"} {
		_, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(first, "email", to, "code", otherCode(made.Otp)))
		if !strings.HasSuffix(a.Code, want) {
			t.Errorf("try %d with the first session: %s, want %s", i+1, a.Code, want)
		}
	}
	for _, path := range []string{"technicalprofiles/VerifyOtp", "technicalprofiles/GenerateOtp"} {
		if status, a := p.callPolicy(t, path, withSession(first, "email", to, "code", made.Otp)); status != http.StatusConflict || a.Code != "UserMessageIfMaxRetryAttempted" {
			t.Errorf("%s with the first session after the lock: %d %+v", path, status, a)
		}
	}
	_, made = p.callPolicy(t, "technicalprofiles/GenerateOtp", withSession("", "email", "ada@example.org"))
	first = made.Session
	if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(first, "email", "ada@example.org", "code", made.Otp)); status != http.StatusOK {
		t.Fatalf("the right code: %d %+v", status, a)
	}
	if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", withSession(first, "email", "ada@example.org", "code", made.Otp)); status != http.StatusConflict {
		t.Errorf("the used code with the session from before: %d %+v", status, a)
	}
}

// verified is a session in which an address was verified on a control, and the sessions before that.
func (p *inProcess) verified(t *testing.T, to string) (began, done string) {
	t.Helper()
	status, sent := p.callPolicy(t, "displaycontrols/mailControl/SendCode", withSession("", "email", to))
	if status != http.StatusOK {
		t.Fatalf("send: %d %+v", status, sent)
	}
	code := sixDigits.FindString(p.message(t, to).Text)
	status, a := p.callPolicy(t, "displaycontrols/mailControl/VerifyCode", withSession(sent.Session, "email", to, "code", code))
	if status != http.StatusOK {
		t.Fatalf("verify: %d %+v", status, a)
	}
	return sent.Session, a.Session
}

// Zitadel CVE-2024-28197 (GO-2024-2637): a session that somebody else had begun became more when its owner gave a second
// factor. What was verified is in the token that is answered: who has the one before has learnt nothing.
func TestAdvisory_CVE_2024_28197_ASessionThatWasPlantedIsNotVerified(t *testing.T) {
	p := startInProcess(t, nil)
	planted, own := p.verified(t, "lea@example.org")
	if status, a := p.callPolicy(t, "technicalprofiles/SignUp", withSession(own)); status != http.StatusOK || a.Email != "lea@example.org" {
		t.Errorf("who verified goes on: %d %+v", status, a)
	}
	for name, claims := range map[string]map[string]string{
		"as it is": withSession(planted), "with the address": withSession(planted, "email", "lea@example.org"), "none": withSession("", "email", "lea@example.org"),
	} {
		if status, a := p.callPolicy(t, "technicalprofiles/SignUp", claims); status != http.StatusConflict || a.Code != "UserMessageIfVerificationControlClaimsNotVerified" {
			t.Errorf("the session that was planted, %s: %d %+v", name, status, a)
		}
	}
}

// Zitadel CVE-2026-27946 and CVE-2026-54693 (GO-2026-4572, GO-2026-6141): a user wrote that an address is verified.
func TestAdvisory_CVE_2026_27946_WhatWasVerifiedCountsWhateverIsPosted(t *testing.T) {
	p := startInProcess(t, nil)
	_, session := p.verified(t, "mine@example.org")
	for _, query := range []string{"", "?login_hint=victim@example.org", "?email=victim@example.org", "?username=victim@example.org"} {
		for _, name := range []string{"email", "EMAIL", " email "} {
			status, a := p.callPolicy(t, "technicalprofiles/SignUp"+query, withSession(session, name, "victim@example.org"))
			if status == http.StatusOK && a.Email != "mine@example.org" {
				t.Errorf("%s %q: signed up as %s", query, name, a.Email)
			}
		}
	}
	// A code for another address ends what was verified, and one's own code is not the other's.
	status, sent := p.callPolicy(t, "displaycontrols/mailControl/SendCode", withSession(session, "email", "victim@example.org"))
	if status != http.StatusOK {
		t.Fatalf("send: %d %+v", status, sent)
	}
	if status, a := p.callPolicy(t, "technicalprofiles/SignUp", withSession(sent.Session)); status != http.StatusConflict {
		t.Errorf("sign up with an address that a code was sent to: %d %+v", status, a)
	}
	_, mine := p.callPolicy(t, "displaycontrols/mailControl/SendCode", withSession("", "email", "own@example.org"))
	code := sixDigits.FindString(p.message(t, "own@example.org").Text)
	for _, to := range []string{"victim@example.org", "own@example.org.", "own@example.org,victim@example.org"} {
		if status, a := p.callPolicy(t, "displaycontrols/mailControl/VerifyCode", withSession(mine.Session, "email", to, "code", code)); status == http.StatusOK {
			t.Errorf("the code for own@ verifies %s: %+v", to, a)
		}
	}
}

// Zitadel CVE-2024-41952 (GO-2024-3014) and others: an answer told whether somebody exists.
func TestAdvisory_CVE_2024_41952_AControlAnswersEverybodyAlike(t *testing.T) {
	p := startInProcess(t, withoutInterval)
	p.verified(t, "known.1@example.org") // this person has proved a code before
	for _, c := range []struct {
		path, code string
		want       int
	}{
		{"displaycontrols/mailControl/SendCode", "", http.StatusOK},
		{"displaycontrols/mailControl/VerifyCode", "000000", http.StatusConflict},
		{"technicalprofiles/VerifyOtp", "000000", http.StatusConflict},
	} {
		ask := func(to string) (int, policyAnswer) {
			return p.callPolicy(t, c.path, withSession("", "email", to, "code", c.code))
		}
		status, known := ask("known.1@example.org")
		other, unknown := ask("never.1@example.org") // as long as the other, and its session too
		if len(known.Session) != len(unknown.Session) {
			t.Errorf("%s: sessions of %d and %d bytes", c.path, len(known.Session), len(unknown.Session))
		}
		known.Session, unknown.Session, known.Email, unknown.Email = "", "", "", ""
		if status != c.want || status != other || known != unknown {
			t.Errorf("%s: %d %+v for who is known, %d %+v for who is not", c.path, status, known, other, unknown)
		}
	}
}
