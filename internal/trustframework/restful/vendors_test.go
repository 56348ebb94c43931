package restful_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/provider/published"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/vendors"
)

// vendor is a service that policies post codes to.
type vendor struct {
	vendors.Vendor
	contract *published.Operation
	metadata string
	more     []string
	// transformation builds the body, as policies do, of "path claim" and of "path=value", the value an int or boolean if it
	// ends so. claims are those of a profile without one.
	transformation []string
	claims         []any
	// credential is what the vendor must be shown, and sent what it must be asked to deliver.
	credential vendors.Key
	sent       vendors.Sent
	// key is the policy key that a 401 is about.
	key string
}

const (
	mailTo   = "lea@fabrikam.example"
	mailCode = "482913"
)

func known() map[string]vendor {
	all := vendors.All()
	token := vendors.Key{Secret: "SG.Secret-123456"}
	basic := vendors.Key{User: vault["B2C_1A_User"], Secret: vault["B2C_1A_Password"]}
	return map[string]vendor{
		"SendGrid": {
			Vendor: all["SendGrid"], contract: &sendgridContract, credential: token,
			metadata: "AuthenticationType=Bearer SendClaimsIn=Body ClaimUsedForRequestPayload=body",
			more:     []string{keys("BearerAuthenticationToken", "B2C_1A_Token"), in("body")},
			transformation: []string{"personalizations.0.to.0.email email", "personalizations.0.dynamic_template_data.otp name", "personalizations.0.dynamic_template_data.email email",
				"template_id=d-0123456789abcdef0123456789abcdef", "from.email=codes@fabrikam.example", "personalizations.0.dynamic_template_data.subject=Your code"},
			sent: vendors.Sent{From: "codes@fabrikam.example", To: mailTo, Code: mailCode}, key: "B2C_1A_Token",
		},
		"Mailjet": {
			Vendor: all["Mailjet"], credential: basic,
			metadata: "AuthenticationType=Basic SendClaimsIn=Body ClaimUsedForRequestPayload=body",
			more:     []string{keys("BasicAuthenticationUsername", "B2C_1A_User", "BasicAuthenticationPassword", "B2C_1A_Password"), in("body")},
			transformation: []string{"Messages.0.To.0.Email email", "Messages.0.Variables.otp name", "Messages.0.Variables.email email", "Messages.0.TemplateID=1234567 int",
				"Messages.0.TemplateLanguage=true boolean", "Messages.0.From.Email=codes@fabrikam.example", "Messages.0.Subject=Your code"},
			sent: vendors.Sent{From: "codes@fabrikam.example", To: mailTo, Code: mailCode}, key: "B2C_1A_User and B2C_1A_Password",
		},
		"Brevo": {
			Vendor: all["Brevo"], contract: &brevoContract, credential: token,
			metadata:       "AuthenticationType=ApiKeyHeader SendClaimsIn=Body ClaimUsedForRequestPayload=body",
			more:           []string{keys("api-key", "B2C_1A_Token"), in("body")},
			transformation: []string{"to.0.email email", "params.OTP name", "params.email email", "params.message message", "templateId=1 int", "params.subject=Your code"},
			sent:           vendors.Sent{To: mailTo, Code: mailCode}, key: "B2C_1A_Token",
		},
		"Twilio": {
			Vendor: all["Twilio"], contract: &twilioContract, credential: basic,
			metadata: "AuthenticationType=Basic SendClaimsIn=Form ClaimsFormat=Form",
			more: []string{keys("BasicAuthenticationUsername", "B2C_1A_User", "BasicAuthenticationPassword", "B2C_1A_Password"),
				`<InputClaims><InputClaim ClaimTypeReferenceId="message" PartnerClaimType="Body"/><InputClaim ClaimTypeReferenceId="name" PartnerClaimType="From" DefaultValue="+15005550006"/><InputClaim ClaimTypeReferenceId="phone" PartnerClaimType="To"/></InputClaims>`},
			claims: []any{"message", "Your code is " + mailCode + " & nothing else", "phone", "+34600111222"},
			sent:   vendors.Sent{From: "+15005550006", To: "+34600111222", Text: "Your code is " + mailCode + " & nothing else"},
			key:    "B2C_1A_User and B2C_1A_Password",
		},
	}
}

// given are the claims that a journey has when it comes to the vendor's profile.
func (v vendor) given() []any {
	if v.transformation == nil {
		return v.claims
	}
	return []any{"email", mailTo, "name", mailCode, "message", "Hello"}
}

// policy writes the vendor's profile, with the transformation that builds its body if there is one.
func (v vendor) policy(t *testing.T, server string) *trustframework.Policy {
	t.Helper()
	metadata := "ServiceUrl=" + server + v.Path + " " + v.metadata
	if v.transformation == nil {
		p, _ := load(t, profile(metadata, v.more...))
		return p
	}
	var claims, parameters strings.Builder
	for _, fact := range v.transformation {
		path, value, fixed := strings.Cut(fact, "=")
		if !fixed {
			path, claim, _ := strings.Cut(fact, " ")
			fmt.Fprintf(&claims, `<InputClaim ClaimTypeReferenceId="%s" TransformationClaimType="%s"/>`, claim, path)
			continue
		}
		kind := "string"
		for _, k := range []string{"int", "boolean"} {
			if rest, ok := strings.CutSuffix(value, " "+k); ok {
				value, kind = rest, k
			}
		}
		fmt.Fprintf(&parameters, `<InputParameter Id="%s" DataType="%s" Value="%s"/>`, path, kind, value)
	}
	transformations := `<ClaimsTransformations><ClaimsTransformation Id="Build" TransformationMethod="GenerateJson"><InputClaims>` + claims.String() + `</InputClaims><InputParameters>` +
		parameters.String() + `</InputParameters><OutputClaims><OutputClaim ClaimTypeReferenceId="body" TransformationClaimType="outputClaim"/></OutputClaims></ClaimsTransformation></ClaimsTransformations>`
	more := append([]string{v.more[0], `<InputClaimsTransformations><InputClaimsTransformation ReferenceId="Build"/></InputClaimsTransformations>`}, v.more[1:]...)
	p, _ := loadWith(t, profile(metadata, more...), transformations, "Development")
	return p
}

func TestVendorsTakeWhatPoliciesPost(t *testing.T) {
	for name, v := range known() {
		t.Run(name, func(t *testing.T) {
			taken := 0
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if v.contract != nil {
					v.contract.Check(t, r, body)
				}
				if sent, err := v.Take(r, body, v.credential); err != nil || sent != v.sent {
					t.Errorf("%s %s: %+v (%v), want %+v", r.Method, r.URL, sent, err, v.sent)
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				taken++
				w.WriteHeader(v.Status)
				_, _ = io.WriteString(w, v.Answer)
			})
			p := v.policy(t, server.URL)
			c := client(t, options(server))
			for _, problem := range c.Check(p, p.TechnicalProfiles[0]) {
				t.Error(problem)
			}
			claims, trace, err := call(t, c, p, v.given()...)
			if err != nil || taken != 1 || claims.Len() != 0 {
				t.Fatalf("%v, taken %d times", err, taken)
			}
			hidesSecrets(t, trace)
		})
	}
}

// hidesSecrets holds that a trace does not show the payload, be it where it is sent or where it is built.
func hidesSecrets(t *testing.T, trace *execute.Trace) {
	t.Helper()
	for _, step := range trace.Steps {
		for _, v := range append(step.In, step.Out...) {
			if v.Name == "body" && v.Value != "***" {
				t.Errorf("the trace shows %s of %s", v.Value, step.ID)
			}
		}
	}
}

func TestAVendorThatRefusesTheKeyNamesIt(t *testing.T) {
	for name, v := range known() {
		for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(status)
				body, _ := io.ReadAll(r.Body)
				fmt.Fprintf(w, `{"message":"bad credentials %s for %s"}`, r.Header.Get("Authorization"), body)
			})
			_, _, err := call(t, client(t, options(server)), v.policy(t, server.URL), v.given()...)
			text, failure := told(t, err)
			if text != "Failed to establish connection to restful service end point." || failure.Key != "DefaultUserMessageIfRequestFailed" || failure.Profile != "Rest" {
				t.Errorf("%s: told %q", name, text)
			}
			log := failure.Error()
			if !strings.Contains(log, fmt.Sprintf("status %d; look at the policy key %s", status, v.key)) {
				t.Errorf("%s: logged %q", name, log)
			}
			for _, secret := range []string{mailCode, mailTo, "Secret-123456", "pass-Word", v.Path} {
				if strings.Contains(log+text, secret) {
					t.Errorf("%s: %q shows %q", name, log, secret)
				}
			}
		}
	}
}
