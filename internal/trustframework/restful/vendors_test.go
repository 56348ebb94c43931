package restful_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// vendor is a service that policies post codes to. refuses is what its contract says of a request, beside its schema.
type vendor struct {
	path     string
	contract *contract
	metadata string
	more     []string
	// transformation builds the body, as policies do, of "path claim" and of "path=value", the value an int or boolean if it
	// ends so. claims are those of a profile without one.
	transformation []string
	claims         []any
	refuses        func(r *http.Request, body []byte) error
	status         int
	answer         string
	// key is the policy key that a 401 is about.
	key string
}

const (
	mailTo   = "lea@fabrikam.example"
	mailCode = "482913"
)

func vendors() map[string]vendor {
	return map[string]vendor{
		"SendGrid": {
			path: "/v3/mail/send", contract: &sendgridContract, status: http.StatusAccepted,
			metadata: "AuthenticationType=Bearer SendClaimsIn=Body ClaimUsedForRequestPayload=body",
			more:     []string{keys("BearerAuthenticationToken", "B2C_1A_Token"), in("body")},
			transformation: []string{"personalizations.0.to.0.email email", "personalizations.0.dynamic_template_data.otp name", "personalizations.0.dynamic_template_data.email email",
				"template_id=d-0123456789abcdef0123456789abcdef", "from.email=codes@fabrikam.example", "personalizations.0.dynamic_template_data.subject=Your code"},
			refuses: sendgridRefuses, key: "B2C_1A_Token",
		},
		"Mailjet": {
			path: "/v3.1/send", status: http.StatusOK, answer: `{"Messages":[{"Status":"success"}]}`,
			metadata: "AuthenticationType=Basic SendClaimsIn=Body ClaimUsedForRequestPayload=body",
			more:     []string{keys("BasicAuthenticationUsername", "B2C_1A_User", "BasicAuthenticationPassword", "B2C_1A_Password"), in("body")},
			transformation: []string{"Messages.0.To.0.Email email", "Messages.0.Variables.otp name", "Messages.0.Variables.email email", "Messages.0.TemplateID=1234567 int",
				"Messages.0.TemplateLanguage=true boolean", "Messages.0.From.Email=codes@fabrikam.example", "Messages.0.Subject=Your code"},
			refuses: mailjetRefuses, key: "B2C_1A_User and B2C_1A_Password",
		},
		"Brevo": {
			path: "/v3/smtp/email", contract: &brevoContract, status: http.StatusCreated, answer: `{"messageId":"<1@smtp-relay.mailin.fr>"}`,
			metadata:       "AuthenticationType=ApiKeyHeader SendClaimsIn=Body ClaimUsedForRequestPayload=body",
			more:           []string{keys("api-key", "B2C_1A_Token"), in("body")},
			transformation: []string{"to.0.email email", "params.OTP name", "params.email email", "params.message message", "templateId=1 int", "params.subject=Your code"},
			refuses:        brevoRefuses, key: "B2C_1A_Token",
		},
		"Twilio": {
			path: "/2010-04-01/Accounts/AC01234567890123456789012345678901/Messages.json", contract: &twilioContract, status: http.StatusCreated, answer: `{"sid":"SM1"}`,
			metadata: "AuthenticationType=Basic SendClaimsIn=Form ClaimsFormat=Form",
			more: []string{keys("BasicAuthenticationUsername", "B2C_1A_User", "BasicAuthenticationPassword", "B2C_1A_Password"),
				`<InputClaims><InputClaim ClaimTypeReferenceId="message" PartnerClaimType="Body"/><InputClaim ClaimTypeReferenceId="name" PartnerClaimType="From" DefaultValue="+15005550006"/><InputClaim ClaimTypeReferenceId="phone" PartnerClaimType="To"/></InputClaims>`},
			claims:  []any{"message", "Your code is " + mailCode + " & nothing else", "phone", "+34600111222"},
			refuses: twilioRefuses, key: "B2C_1A_User and B2C_1A_Password",
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
	metadata := "ServiceUrl=" + server + v.path + " " + v.metadata
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
	for name, v := range vendors() {
		t.Run(name, func(t *testing.T) {
			taken := 0
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if v.contract != nil {
					v.contract.check(t, r, body)
				}
				if err := v.refuses(r, body); err != nil || r.Method != http.MethodPost || r.URL.Path != v.path || r.URL.RawQuery != "" {
					t.Errorf("refused: %v (%s %s)", err, r.Method, r.URL)
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				taken++
				w.WriteHeader(v.status)
				_, _ = io.WriteString(w, v.answer)
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
	for name, v := range vendors() {
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
			for _, secret := range []string{mailCode, mailTo, "Secret-123456", "pass-Word", v.path} {
				if strings.Contains(log+text, secret) {
					t.Errorf("%s: %q shows %q", name, log, secret)
				}
			}
		}
	}
}

// strict reads JSON and refuses members that the type has not.
func strict(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more than one value")
	}
	return nil
}

func sendgridRefuses(r *http.Request, body []byte) error {
	type address struct{ Email, Name string }
	var mail struct {
		Personalizations []struct {
			To      []address         `json:"to"`
			Subject string            `json:"subject"`
			Data    map[string]string `json:"dynamic_template_data"`
		} `json:"personalizations"`
		Template string  `json:"template_id"`
		From     address `json:"from"`
	}
	if err := strict(body, &mail); err != nil {
		return err
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer SG.Secret-123456":
		return errors.New("the provided authorization grant is invalid")
	case r.Header.Get("Content-Type") != "application/json":
		return errors.New("content type")
	case len(mail.Personalizations) != 1 || len(mail.Personalizations[0].To) != 1 || mail.Personalizations[0].To[0].Email != mailTo:
		return errors.New("personalizations")
	case mail.From.Email == "":
		return errors.New("from.email")
	case !regexp.MustCompile(`^d-[0-9a-f]{32}$`).MatchString(mail.Template):
		return errors.New("template_id must be a valid GUID")
	case mail.Personalizations[0].Data["otp"] != mailCode:
		return errors.New("dynamic_template_data")
	}
	return nil
}

func mailjetRefuses(r *http.Request, body []byte) error {
	type address struct{ Email, Name string }
	var mail struct {
		Messages []struct {
			From             address
			To               []address
			Subject          string
			TemplateID       int
			TemplateLanguage bool
			Variables        map[string]string
		}
	}
	if err := strict(body, &mail); err != nil { // mj-0003
		return err
	}
	if user, password, _ := r.BasicAuth(); user != vault["B2C_1A_User"] || password != vault["B2C_1A_Password"] {
		return errors.New("mj-0015")
	}
	if r.Header.Get("Content-Type") != "application/json" || len(mail.Messages) != 1 {
		return errors.New("mj-0007: Messages")
	}
	m := mail.Messages[0]
	if len(m.To) != 1 || m.To[0].Email != mailTo || m.From.Email == "" || m.Variables["otp"] != mailCode || m.TemplateID == 0 || !m.TemplateLanguage {
		return errors.New("mj-0013")
	}
	return nil
}

func brevoRefuses(r *http.Request, body []byte) error {
	type address struct{ Email, Name string }
	var mail struct {
		To         []address         `json:"to"`
		Params     map[string]string `json:"params"`
		TemplateID int               `json:"templateId"`
	}
	if err := strict(body, &mail); err != nil {
		return err
	}
	switch {
	case len(r.Header["Api-Key"]) != 1 || r.Header.Get("api-key") != "SG.Secret-123456" || r.Header.Get("Authorization") != "":
		return errors.New("unauthorized: Key not found")
	case r.Header.Get("Content-Type") != "application/json":
		return errors.New("content type")
	case len(mail.To) != 1 || mail.To[0].Email != mailTo || mail.TemplateID < 1 || mail.Params["OTP"] != mailCode:
		return errors.New("missing_parameter")
	}
	return nil
}

func twilioRefuses(r *http.Request, body []byte) error {
	form, err := url.ParseQuery(string(body))
	user, password, _ := r.BasicAuth()
	switch {
	case err != nil:
		return err
	case user != vault["B2C_1A_User"] || password != vault["B2C_1A_Password"]:
		return errors.New("20003")
	case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
		return errors.New("content type")
	case len(form) != 3 || form.Get("To") != "+34600111222":
		return errors.New("21211")
	case form.Get("From") != "+15005550006":
		return errors.New("21606")
	case form.Get("Body") != "Your code is "+mailCode+" & nothing else":
		return errors.New("21602")
	}
	return nil
}
