package rest_test

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/otpost/otpost/internal/front/rest"
)

func TestJoinAddsWhatOtherDoorsHave(t *testing.T) {
	other := `{"openapi":"3.1.0","info":{"title":"other","version":"1"},"tags":[{"name":"Other"}],"paths":{"/v1/z":{"get":
		{"operationId":"z","responses":{"200":{"$ref":"#/components/responses/Z"}}}},"/v1/a":{}},
		"components":{"responses":{"Z":{"description":"zzz"},"Internal":{"description":"another"}},"parameters":{}}}`
	joined, err := rest.Join([]byte(other))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(joined)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if doc.Info.Title != "otpost" || doc.Paths.Find("/v1/z") == nil || doc.Paths.Find("/v1/passcodes") == nil ||
		doc.Components.Responses["Z"] == nil || *doc.Components.Responses["Internal"].Value.Description == "another" {
		t.Errorf("joined they are\n%s", joined)
	}
	if strings.Index(string(joined), `"/v1/z"`) > strings.Index(string(joined), `"/v1/a"`) {
		t.Error("the order of paths was lost")
	}
	for _, broken := range []string{"", "[]", `{"paths":[]}`} {
		if _, err := rest.Join([]byte(broken)); err == nil {
			t.Errorf("%q was joined", broken)
		}
	}
}
