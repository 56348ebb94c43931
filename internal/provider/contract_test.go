package provider_test

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

// contract is an operation of a vendor's published OpenAPI document, which every request must fulfil.
type contract struct {
	file string // in the folder of contracts
	path string // as the document writes it, such as "/v3/{domain_name}/messages"
	// prefix is what the request's path has before it, such as "/v3".
	prefix string
	// mend changes the document's text where it is known to refuse every real request; it says why.
	mend func(document []byte) []byte

	once sync.Once
	doc  *openapi3.T
	err  error
}

func (c *contract) check(t testing.TB, r *http.Request, body []byte) {
	folder := contractFolder(t)
	if folder == "" {
		return
	}
	c.once.Do(func() { c.doc, c.err = loadContract(filepath.Join(folder, c.file), c.mend) })
	if c.err != nil {
		t.Errorf("contract %s: %v", c.file, c.err)
		return
	}
	item := c.doc.Paths.Value(c.path)
	if item == nil || item.GetOperation(r.Method) == nil {
		t.Errorf("contract %s: no %s %s", c.file, r.Method, c.path)
		return
	}
	params, ok := c.params(r.URL.Path)
	if !ok {
		t.Errorf("contract %s: the path %s is not %s%s", c.file, r.URL.Path, c.prefix, c.path)
		return
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

var placeholder = regexp.MustCompile(`\{([^}]+)\}`)

// params reads the path's parameters.
func (c *contract) params(path string) (map[string]string, bool) {
	names := placeholder.FindAllStringSubmatch(c.path, -1)
	pattern := regexp.QuoteMeta(c.prefix + c.path)
	for _, n := range names {
		pattern = strings.Replace(pattern, regexp.QuoteMeta(n[0]), "([^/]+)", 1)
	}
	found := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(path)
	if found == nil {
		return nil, false
	}
	params := map[string]string{}
	for i, n := range names {
		params[n[1]] = found[i+1]
	}
	return params, true
}

func loadContract(file string, mend func([]byte) []byte) (*openapi3.T, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if mend != nil {
		data = mend(data)
	}
	var head struct {
		Swagger string `json:"swagger"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	if head.Swagger == "" {
		return openapi3.NewLoader().LoadFromData(data)
	}
	var old openapi2.T
	if err := json.Unmarshal(data, &old); err != nil {
		return nil, err
	}
	return openapi2conv.ToV3(&old)
}
