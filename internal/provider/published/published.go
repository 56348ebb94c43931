// Package published holds requests to the contracts that vendors publish, for tests.
package published

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

// Operation is one of a vendor's published OpenAPI document, which every request must fulfil.
type Operation struct {
	File string // in the Folder
	Path string // as the document writes it, such as "/v3/{domain_name}/messages"
	// Prefix is what the request's path has before it, such as "/v3".
	Prefix string
	// Mend changes the document's text where it is known to refuse every real request; it says why.
	Mend func(document []byte) []byte

	once sync.Once
	doc  *openapi3.T
	err  error
}

// Folder is where the vendors' published contracts are: in VENDOR_CONTRACTS, or beside the project. It is empty where there
// are none, which the test is told.
func Folder(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("VENDOR_CONTRACTS")
	for root := "."; folder == "" && len(root) < 32; root = filepath.Join(root, "..") {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			folder = filepath.Join(root, "..", "shared", "openapi")
		}
	}
	if _, err := os.Stat(folder); err != nil {
		t.Log("the vendors' contracts are not beside the project; requests are not held to them")
		return ""
	}
	return folder
}

// Check holds a request to the contract, where there is a Folder.
func (o *Operation) Check(t testing.TB, r *http.Request, body []byte) {
	t.Helper()
	folder := Folder(t)
	if folder == "" {
		return
	}
	o.once.Do(func() { o.doc, o.err = load(filepath.Join(folder, o.File), o.Mend) })
	if o.err != nil {
		t.Errorf("contract %s: %v", o.File, o.err)
		return
	}
	item := o.doc.Paths.Value(o.Path)
	if item == nil || item.GetOperation(r.Method) == nil {
		t.Errorf("contract %s: no %s %s", o.File, r.Method, o.Path)
		return
	}
	params, ok := o.params(r.URL.Path)
	if !ok {
		t.Errorf("contract %s: the path %s is not %s%s", o.File, r.URL.Path, o.Prefix, o.Path)
		return
	}
	asked := r.Clone(r.Context())
	asked.Body = io.NopCloser(bytes.NewReader(body))
	err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: params, QueryParams: r.URL.Query(),
		Route:   &routers.Route{Spec: o.doc, Path: o.Path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
	if err != nil {
		t.Errorf("contract %s: %v\n%s", o.File, err, body)
	}
}

var placeholder = regexp.MustCompile(`\{([^}]+)\}`)

// params reads the path's parameters.
func (o *Operation) params(path string) (map[string]string, bool) {
	names := placeholder.FindAllStringSubmatch(o.Path, -1)
	pattern := regexp.QuoteMeta(o.Prefix + o.Path)
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

func load(file string, mend func([]byte) []byte) (*openapi3.T, error) {
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
