package otp_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/passcode/passcodetest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/otp"
)

// bench is a policy's runner on the engine and SQLite, in the bubble of a synctest.
type bench struct {
	t      *testing.T
	engine *passcode.Engine
	mail   *passcodetest.Tray
	runner *execute.Runner
	policy *trustframework.Policy
	// session is whose journey it is. codes are all that were made, which nothing may repeat.
	session *execute.Session
	codes   []string
}

// inBubble runs f with a policy on a fresh engine, with time that only moves when all wait. Limits beyond the policy are
// off.
func inBubble(t *testing.T, p parts, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		mail := &passcodetest.Tray{}
		engine := passcodetest.New(t, passcodetest.Options{Sender: mail}).Engine
		engine.Limits = passcode.Limits{}
		f(&bench{t: t, engine: engine, mail: mail, policy: p.load(t), session: &execute.Session{ID: "s1", Policy: "B2C_1A_Test"},
			runner: &execute.Runner{Rand: rand.Reader, Now: time.Now, Handlers: map[string]execute.Handler{
				otp.OneTimePasswordHandler: &otp.OneTimePassword{Engine: engine}, otp.SSPRHandler: &otp.SSPR{Engine: engine}}}})
	})
}

// run asks the runner for something, with claims by name, and holds that no code is in what a log or a person sees.
func (b *bench) run(q execute.Request, claims ...string) (execute.Result, error) {
	b.t.Helper()
	q.Policy, q.Session, q.Claims, q.Trace = b.policy, b.session, &claim.Bag{}, &execute.Trace{}
	q.Scene = execute.Scene{Tenant: "default", Application: "app_1", Wait: time.Minute}
	for i := 0; i < len(claims); i += 2 {
		q.Claims.Set(claims[i], claim.Text(claims[i+1]))
	}
	result, err := b.runner.Run(b.t.Context(), q)
	if result.Claims != nil && result.Claims.Has("otp") {
		b.codes = append(b.codes, result.Claims.Text("otp"))
	}
	var told *execute.Told
	seen := fmt.Sprintf("%+v %v", *q.Trace, err)
	if errors.As(err, &told) {
		seen += fmt.Sprint(told.Text, told.Failure.Default, told.Failure.Message, told.Failure.Arguments)
	}
	for _, code := range b.codes {
		if strings.Contains(seen, code) {
			b.t.Errorf("a code is in %s", strings.ReplaceAll(seen, code, "[the code]"))
		}
	}
	return result, err
}

// generate asks for a code: the code, or the key of what the person is told.
func (b *bench) generate(identifier string) (code, key string) {
	b.t.Helper()
	result, err := b.run(execute.Request{Profile: "Generate"}, "email", identifier)
	if err != nil {
		return "", b.key(err)
	}
	return result.Claims.Text("otp"), ""
}

// verify tries a code: the key of what the person is told, empty if it was taken.
func (b *bench) verify(identifier, code string) string {
	b.t.Helper()
	_, err := b.run(execute.Request{Profile: "Verify"}, "email", identifier, "typed", code)
	return b.key(err)
}

func (b *bench) key(err error) string {
	b.t.Helper()
	var told *execute.Told
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &told) || told.Text == "":
		b.t.Fatalf("%v, want what the person is told", err)
	}
	return told.Failure.Key
}

// must is a code that has to be made.
func (b *bench) must(identifier string) string {
	b.t.Helper()
	code, key := b.generate(identifier)
	if key != "" {
		b.t.Fatalf("no code: %s", key)
	}
	return code
}

// want holds a key against what it must be.
func (b *bench) want(what, got, want string) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// wrong is another code of the same form.
func wrong(code string) string {
	last := byte('0')
	if code[len(code)-1] == '0' {
		last = '1'
	}
	return code[:len(code)-1] + string(last)
}

func both(metadata ...string) parts { return parts{profiles: generateCode(metadata...) + verifyCode()} }

func TestTheTryAfterTheLastIsRefusedThoughItIsRight(t *testing.T) {
	inBubble(t, both("NumRetryAttempts=2", "CodeExpirationInSeconds=60"), func(b *bench) {
		code := b.must("lea@example.org")
		b.want("first", b.verify("lea@example.org", wrong(code)), "UserMessageIfVerificationFailedRetryAllowed")
		b.want("second", b.verify("lea@example.org", wrong(code)), "UserMessageIfInvalidCode")
		time.Sleep(time.Second)
		b.want("third, right", b.verify("lea@example.org", code), "UserMessageIfMaxRetryAttempted")
		_, key := b.generate("lea@example.org")
		b.want("a code in the lock-out", key, "UserMessageIfMaxRetryAttempted")
		time.Sleep(58 * time.Second)
		_, key = b.generate("lea@example.org")
		b.want("a code in its last second", key, "UserMessageIfMaxRetryAttempted")
		time.Sleep(time.Second)
		b.want("after it", b.verify("lea@example.org", b.must("lea@example.org")), "")
	})
}

func TestExpirySlides(t *testing.T) {
	inBubble(t, both("CodeExpirationInSeconds=60", "ReuseSameCode=true"), func(b *bench) {
		code := b.must("lea@example.org")
		time.Sleep(50 * time.Second)
		if again := b.must("lea@example.org"); again != code {
			t.Error("a living code was not used again")
		}
		time.Sleep(50 * time.Second)
		b.want("100 s after the first request", b.verify("lea@example.org", code), "")
		b.want("a second time", b.verify("lea@example.org", code), "UserMessageIfSessionDoesNotExist")
		code = b.must("lea@example.org")
		time.Sleep(time.Minute)
		b.want("60 s after its last request", b.verify("lea@example.org", code), "UserMessageIfSessionDoesNotExist")
	})
}

// B2C's own unit test has three codes for each identifier (TP_OneTimePassword_NumCodeGenerationAttempts.xml).
func TestCodesPerIdentifier(t *testing.T) {
	for _, reuse := range []string{"ReuseSameCode=true", "ReuseSameCode=false"} {
		inBubble(t, both("NumCodeGenerationAttempts=3", reuse), func(b *bench) {
			for _, identifier := range []string{"lea@example.org", "ada@example.org", "something else"} {
				for range 3 {
					b.must(identifier)
				}
				_, key := b.generate(identifier)
				b.want("the fourth code", key, "UserMessageIfMaxNumberOfCodeGenerated")
			}
			b.session = &execute.Session{ID: "s2", Policy: "B2C_1A_Test"}
			b.must("lea@example.org")
		})
	}
}

func TestSessionsAndIdentifiersAreApart(t *testing.T) {
	inBubble(t, both(), func(b *bench) {
		first := b.must("lea@example.org")
		b.want("another identifier", b.verify("ada@example.org", first), "UserMessageIfSessionDoesNotExist")
		b.session = &execute.Session{ID: "s2", Policy: "B2C_1A_Test"}
		b.want("another session", b.verify("lea@example.org", first), "UserMessageIfSessionDoesNotExist")
		second := b.must("lea@example.org")
		b.want("the second session's", b.verify("lea@example.org", second), "")
		b.session = &execute.Session{ID: "s1", Policy: "B2C_1A_Test"}
		b.want("the first one's still", b.verify("lea@example.org", first), "")
	})
}

// Without a session a code is the identifier's, in a policy.
func TestWithoutASession(t *testing.T) {
	inBubble(t, both(), func(b *bench) {
		b.session = &execute.Session{Policy: "B2C_1A_Test"}
		code := b.must("lea@example.org")
		b.session = &execute.Session{Policy: "B2C_1A_Test"}
		b.want("in another call", b.verify("lea@example.org", code), "")
	})
}

// Nothing ends a session that is none, and so a code that was verified does.
func TestWithoutASessionCodesCountUntilOneIsVerified(t *testing.T) {
	inBubble(t, both("NumCodeGenerationAttempts=2"), func(b *bench) {
		b.session = &execute.Session{Policy: "B2C_1A_Test"}
		b.must("lea@example.org")
		b.want("the second", b.verify("lea@example.org", b.must("lea@example.org")), "")
		b.must("lea@example.org")
		b.must("lea@example.org")
		_, key := b.generate("lea@example.org")
		b.want("the third after that", key, "UserMessageIfMaxNumberOfCodeGenerated")
	})
	inBubble(t, both("NumCodeGenerationAttempts=1"), func(b *bench) {
		b.want("the only one", b.verify("lea@example.org", b.must("lea@example.org")), "")
		_, key := b.generate("lea@example.org")
		b.want("another in the same session", key, "UserMessageIfMaxNumberOfCodeGenerated")
	})
}

func TestCodesAsTheMetadataHasThem(t *testing.T) {
	inBubble(t, both("CodeLength=12", "CharacterSet=-a-f0-9"), func(b *bench) {
		code := b.must("lea@example.org")
		if len(code) != 12 || strings.Trim(code, "-abcdef0123456789") != "" {
			t.Errorf("a code of %d characters, and others than are asked for", len(code))
		}
		b.want("in capitals, with blanks", b.verify("lea@example.org", " "+strings.ToUpper(code)+" "), "")
	})
}

func TestParallelTries(t *testing.T) {
	inBubble(t, both("NumRetryAttempts=5"), func(b *bench) {
		keys := func(identifier, code string) map[string]int {
			told := make(chan string)
			for range 50 {
				go func() {
					err := (&otp.OneTimePassword{Engine: b.engine}).Run(context.Background(),
						call(t, b.policy, "Verify", "identifier", identifier, "otpToVerify", code))
					var f *trustframework.Failure
					switch {
					case err == nil:
						told <- ""
					case errors.As(err, &f):
						told <- f.Key
					default:
						told <- err.Error()
					}
				}()
			}
			count := map[string]int{}
			for range 50 {
				count[<-told]++
			}
			return count
		}
		b.session = call(t, b.policy, "Verify").Session
		if got := keys("lea@example.org", b.must("lea@example.org")); got[""] != 1 || got["UserMessageIfSessionDoesNotExist"] != 49 {
			t.Errorf("a right code 50 times at once: %v", got)
		}
		if got := keys("ada@example.org", wrong(b.must("ada@example.org"))); got["UserMessageIfVerificationFailedRetryAllowed"] != 4 ||
			got["UserMessageIfInvalidCode"] != 1 || got["UserMessageIfMaxRetryAttempted"] != 45 {
			t.Errorf("a wrong code 50 times at once: %v", got)
		}
	})
}

func TestParallelRequests(t *testing.T) {
	inBubble(t, both("NumCodeGenerationAttempts=3", "ReuseSameCode=true"), func(b *bench) {
		told := make(chan error)
		for range 30 {
			go func() {
				told <- (&otp.OneTimePassword{Engine: b.engine}).Run(context.Background(), call(t, b.policy, "Generate", "identifier", "x"))
			}()
		}
		made := 0
		for range 30 {
			switch err := <-told; {
			case err == nil:
				made++
			case failure(b.t, err).Key != "UserMessageIfMaxNumberOfCodeGenerated":
				b.t.Error(err)
			}
		}
		if made != 3 {
			b.t.Errorf("of 30 requests at once %d got a code, want 3", made)
		}
	})
}

func TestLimitsBeyondThePolicy(t *testing.T) {
	inBubble(t, both("NumRetryAttempts=5"), func(b *bench) {
		b.engine.Limits = passcode.Limits{Guesses: []passcode.Quota{{Count: 1, Window: time.Hour}}, Generations: []passcode.Quota{{Count: 1, Window: time.Hour}}}
		code := b.must("lea@example.org")
		_, key := b.generate("lea@example.org")
		b.want("a code too many", key, "UserMessageIfMaxNumberOfCodeGenerated")
		b.want("wrong", b.verify("lea@example.org", wrong(code)), "UserMessageIfVerificationFailedRetryAllowed")
		b.want("right, and too many", b.verify("lea@example.org", code), "UserMessageIfMaxRetryAttempted")
	})
}

func TestIdentifiersThatTheEngineDoesNotTake(t *testing.T) {
	inBubble(t, both(), func(b *bench) {
		for _, identifier := range []string{strings.Repeat("x", 321), "a\x01b"} {
			_, key := b.generate(identifier)
			b.want("generate", key, "UserMessageIfSessionConflict")
			b.want("verify", b.verify(identifier, "123456"), "UserMessageIfSessionDoesNotExist")
		}
	})
}

func TestACodeThatWasReplacedOrCancelled(t *testing.T) {
	inBubble(t, both("CodeLength=12"), func(b *bench) {
		b.must("lea@example.org")
		ref := passcode.Ref{Tenant: "default", Scope: b.session.Scope(), Purpose: passcode.Verify, Key: "lea@example.org"}
		if _, err := b.engine.Cancel(b.t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		b.want("cancelled", b.verify("lea@example.org", b.codes[0]), "UserMessageIfSessionConflict")
		b.must("ada@example.org")
		b.must("ada@example.org")
		b.want("the older of two", b.verify("ada@example.org", b.codes[1]), "UserMessageIfVerificationFailedRetryAllowed")
	})
}

// TestTheHostsTextsCount is the way of a message: the self-asserted profile's, else the older name's, else the default.
func TestTheHostsTextsCount(t *testing.T) {
	p := both("NumRetryAttempts=1")
	p.profiles = generateCode("NumRetryAttempts=1") + verifyCode("UserMessage.InvalidCode=old words", "UserMessage.MaxRetryAttemped=old count", "UserMessageIfSessionDoesNotExist=does nothing") +
		`<TechnicalProfile Id="Page"><Protocol Name="Proprietary" Handler="` + execute.SelfAsserted + `, Web.TPEngine" /><Metadata>
<Item Key="UserMessageIfInvalidCode">The host says no.</Item></Metadata>
<DisplayClaims><DisplayClaim DisplayControlReferenceId="Mail" /></DisplayClaims></TechnicalProfile>`
	p.blocks = `<DisplayControls><DisplayControl Id="Mail" UserInterfaceControlType="VerificationControl">
<DisplayClaims><DisplayClaim ClaimTypeReferenceId="email" Required="true" /><DisplayClaim ClaimTypeReferenceId="typed" ControlClaimType="VerificationCode" Required="true" /></DisplayClaims>
<Actions><Action Id="SendCode"><ValidationClaimsExchange><ValidationClaimsExchangeTechnicalProfile TechnicalProfileReferenceId="Generate" /></ValidationClaimsExchange></Action>
<Action Id="VerifyCode"><ValidationClaimsExchange><ValidationClaimsExchangeTechnicalProfile TechnicalProfileReferenceId="Verify" /></ValidationClaimsExchange></Action></Actions>
</DisplayControl></DisplayControls>`
	inBubble(t, p, func(b *bench) {
		said := func(action string, claims ...string) string {
			_, err := b.run(execute.Request{Control: "Mail", Action: action}, claims...)
			b.key(err)
			var told *execute.Told
			if errors.As(err, &told) {
				return told.Text
			}
			return ""
		}
		b.want("nothing sent", said("VerifyCode", "email", "lea@example.org", "typed", "1"), "One time password verification session has expired")
		b.want("send", said("SendCode", "email", "lea@example.org"), "")
		b.want("wrong", said("VerifyCode", "email", "lea@example.org", "typed", "1"), "The host says no.")
		b.want("again", said("VerifyCode", "email", "lea@example.org", "typed", "1"), "old count")
	})
}

func TestSSPROnTheEngine(t *testing.T) {
	inBubble(t, parts{profiles: sendCode() + proveCode() + generateCode() + verifyCode()}, func(b *bench) {
		send := func() string {
			_, err := b.run(execute.Request{Profile: "Send"}, "email", "lea@example.org")
			if err == nil {
				b.codes = append(b.codes, b.mail.Last(t).Code)
			}
			return b.key(err)
		}
		prove := func(code string) string {
			_, err := b.run(execute.Request{Profile: "Prove"}, "email", "lea@example.org", "typed", code)
			return b.key(err)
		}
		last := func() string { return b.codes[len(b.codes)-1] }

		b.want("never sent", prove("123456"), "UserMessageIfChallengeExpired")
		b.want("send", send(), "")
		if code := last(); len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Errorf("a code of %d characters", len(code))
		}
		mailed, handed := last(), b.must("lea@example.org")
		b.want("a one-time password of the same journey", b.verify("lea@example.org", handed), "")
		b.want("right", prove(mailed), "")
		b.want("again", prove(mailed), "UserMessageIfChallengeExpired")

		b.want("send", send(), "")
		time.Sleep(5*time.Minute - time.Second)
		b.want("in the last second", prove(wrong(last())), "UserMessageIfVerificationFailedRetryAllowed")
		time.Sleep(time.Second)
		b.want("after five minutes", prove(last()), "UserMessageIfChallengeExpired")

		b.want("send", send(), "")
		b.want("first", prove(wrong(last())), "UserMessageIfVerificationFailedRetryAllowed")
		b.want("second", prove(wrong(last())), "UserMessageIfVerificationFailedRetryAllowed")
		b.want("third", prove(wrong(last())), "UserMessageIfVerificationFailedNoRetry")
		b.want("right, too late", prove(last()), "UserMessageIfVerificationFailedNoRetry")
		b.want("send in the lock-out", send(), "UserMessageIfThrottled")
		time.Sleep(5 * time.Minute)

		b.engine.Limits.Identifier = []passcode.Quota{{Count: 1, Window: time.Hour}}
		b.want("send", send(), "")
		b.want("a message too many", send(), "UserMessageIfThrottled")
	})
}

func TestMailThatCannotBeSent(t *testing.T) {
	inBubble(t, parts{profiles: sendCode()}, func(b *bench) {
		send := func(to string) string {
			_, err := b.run(execute.Request{Profile: "Send"}, "email", to)
			return b.key(err)
		}
		b.want("no address", send("nobody"), "UserMessageIfInternalError")
		b.want("a number", send("+33612345678"), "UserMessageIfInternalError")
		b.mail.Refuse(outbox.Faultf(outbox.InvalidRecipient, "550", "no such mailbox"))
		b.want("refused", send("lea@example.org"), "UserMessageIfInternalError")
		b.engine.Route = func(passcode.Destination) passcode.Route { return passcode.Route{} }
		b.want("no provider", send("ada@example.org"), "UserMessageIfInternalError")
	})
}
