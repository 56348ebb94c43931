package restful_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// contract is an operation of a vendor's published OpenAPI document, which requests are held to.
type contract struct {
	file, path, prefix string

	once sync.Once
	doc  *openapi3.T
	err  error
}

var (
	sendgridContract = contract{file: "sendgrid_tsg_mail_v3.json", path: "/v3/mail/send"}
	brevoContract    = contract{file: "brevo_smtp_email_trim.json", path: "/smtp/email", prefix: "/v3"}
	twilioContract   = contract{file: "twilio_messages_trim.json", path: "/2010-04-01/Accounts/{AccountSid}/Messages.json"}
)

// check holds a request to the contract, if the contracts are beside the project.
func (c *contract) check(t testing.TB, r *http.Request, body []byte) {
	folder := os.Getenv("VENDOR_CONTRACTS")
	if folder == "" {
		folder = "../../../../shared/openapi"
	}
	if _, err := os.Stat(folder); err != nil {
		t.Log("the vendors' contracts are not beside the project; requests are not held to them")
		return
	}
	c.once.Do(func() { c.doc, c.err = readContract(filepath.Join(folder, c.file)) })
	if c.err != nil {
		t.Error(c.err)
		return
	}
	item := c.doc.Paths.Value(c.path)
	if item == nil || item.GetOperation(r.Method) == nil {
		t.Errorf("contract %s: no %s %s", c.file, r.Method, c.path)
		return
	}
	placeholder := regexp.MustCompile(`\{([^}]+)\}`)
	params := map[string]string{}
	if name := placeholder.FindStringSubmatch(c.path); name != nil {
		before, after, _ := strings.Cut(c.prefix+c.path, name[0])
		params[name[1]] = strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, before), after)
	}
	asked := r.Clone(r.Context())
	asked.Body = io.NopCloser(bytes.NewReader(body))
	err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: params, QueryParams: r.URL.Query(),
		Route:   &routers.Route{Spec: c.doc, Path: c.path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
	if err != nil {
		t.Errorf("contract %s: %v\n%s", c.file, err, body)
	}
}

func readContract(file string) (*openapi3.T, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var old openapi2.T
	if json.Unmarshal(data, &old) == nil && old.Swagger != "" {
		return openapi2conv.ToV3(&old)
	}
	return openapi3.NewLoader().LoadFromData(data)
}
