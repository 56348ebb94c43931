package exam_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/b2c"
	"github.com/otpost/otpost/internal/front/rest"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/seal"
)

// BenchmarkCalls measures calls of technical profiles beside the same calls over REST, in turns on one engine and one
// database, so that a bad moment of the machine meets all. A pair is a code that is made and verified:
//
//   - REST issues, which sends a message, and verifies
//   - the door's SSPR profile does the same: SendCode and VerifyCode
//   - the door's one-time-password profile makes a code that the caller sends: GenerateCode and VerifyCode
//   - the Runner does so without a door
//
// The ratios are to the pair over REST.
func BenchmarkCalls(b *testing.B) {
	c := newCalls(b)
	var took [4]time.Duration
	i := 0
	for b.Loop() {
		for way, pair := range []func(address string){c.overREST, c.overSSPR, c.overOTP, c.overRunner} {
			address := fmt.Sprintf("p%d-%d@fabrikam.example", i, way)
			began := time.Now()
			pair(address)
			took[way] += time.Since(began)
		}
		c.rig.clock.advance(time.Second)
		i++
	}
	b.ReportMetric(float64(took[0].Microseconds())/float64(i), "REST-us/pair")
	for way, name := range map[int]string{1: "SSPR", 2: "OTP", 3: "Runner"} {
		b.ReportMetric(float64(took[way])/float64(took[0]), name+"/REST")
	}
	b.ReportMetric(0, "ns/op")
}

// calls are two doors on one engine.
type calls struct {
	b      *testing.B
	rig    *rig
	script *script
	door   http.Handler
	// token is the session token of the last answer.
	token string
}

func newCalls(b *testing.B) *calls {
	r := newRig(b)
	set := load(b, shared(b), r.web.port)
	ring, err := seal.New()
	if err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	if err := (&rest.Handler{Engine: r.passcodes, Authenticators: (*authenticator.Engine)(nil), Access: everyone{}, Now: r.clock.Now}).Mount(mux); err != nil {
		b.Fatal(err)
	}
	door := &b2c.Handler{Runner: r.runner, Policies: set, Seal: ring, Access: everyone{}, NewID: func() string { return outbox.NewID("bs", r.clock.Now()) }, Now: r.clock.Now}
	if err := door.Mount(mux); err != nil {
		b.Fatal(err)
	}
	c := &calls{b: b, rig: r, door: front.Entrance{}.Handler(mux), script: newScript(b, r, set)}
	c.script.choose([]string{"B2C_1A_Mail"})
	return c
}

// everyone is taken for one application.
type everyone struct{}

func (everyone) Authenticate(context.Context, string) (access.Caller, error) {
	return access.Caller{Application: access.Application{ID: "app_1", Tenant: "default"}}, nil
}

// post posts members to a path, and reads what is answered.
func (c *calls) post(path string, members map[string]any, status int) map[string]any {
	c.b.Helper()
	body, err := json.Marshal(members)
	if err != nil {
		c.b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(body)))
	r.Header.Set("Authorization", "Bearer "+strings.Repeat("k", 43))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	c.door.ServeHTTP(w, r)
	answer := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != status {
		c.b.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return answer
}

// sent is the code of the one message that was sent.
func (c *calls) sent() string {
	c.b.Helper()
	messages := c.rig.post.Take()
	if len(messages) != 1 {
		c.b.Fatalf("%d messages were sent", len(messages))
	}
	return messages[0].Code
}

func (c *calls) overREST(address string) {
	issued := c.post("/v1/passcodes", map[string]any{"to": address, "purpose": string(passcode.Verify), "wait_ms": 5000}, http.StatusCreated)
	verdict := c.post(fmt.Sprint("/v1/passcodes/", issued["id"], "/verify"), map[string]any{"code": c.sent()}, http.StatusOK)
	if verdict["verified"] != true {
		c.b.Fatal(verdict)
	}
}

// profile calls a profile with the session of the call before it.
func (c *calls) profile(path string, claims map[string]any) map[string]any {
	if c.token != "" {
		claims["otpost_session"] = c.token
	}
	answer := c.post(path, claims, http.StatusOK)
	c.token, _ = answer["otpost_session"].(string)
	return answer
}

func (c *calls) overSSPR(address string) {
	c.token = ""
	c.profile("/b2c/B2C_1A_Mfa/technicalprofiles/Sspr-Send", map[string]any{"email": address})
	c.profile("/b2c/B2C_1A_Mfa/technicalprofiles/Sspr-Verify", map[string]any{"email": address, "verificationCode": c.sent()})
}

func (c *calls) overOTP(address string) {
	c.token = ""
	made := c.profile("/b2c/B2C_1A_Mail/technicalprofiles/GenerateOtp", map[string]any{"email": address})
	c.profile("/b2c/B2C_1A_Mail/technicalprofiles/VerifyOtp", map[string]any{"email": address, "verificationCode": made["otp"]})
}

func (c *calls) overRunner(address string) {
	c.script.begin()
	made, err := c.rig.runner.Run(c.b.Context(), c.script.request([]string{"GenerateOtp", "email=" + address}))
	if err != nil {
		c.b.Fatal(err)
	}
	if _, err := c.rig.runner.Run(c.b.Context(), c.script.request([]string{"VerifyOtp", "email=" + address, "verificationCode=" + made.Claims.Text("otp")})); err != nil {
		c.b.Fatal(err)
	}
}
