package provider_test

import (
	"errors"
	"net/http"
	"testing"
)

func TestResendCheck(t *testing.T) {
	list := func(more, domains string) answer {
		return answer{body: `{"object":"list","has_more":` + more + `,"data":[{"name":"other.example","status":"verified"},` + domains + `]}`}
	}
	domain := func(name, status, rest string) string {
		return `{"name":"` + name + `","status":"` + status + `"` + rest + `}`
	}
	const untracked = `,"open_tracking":false,"click_tracking":false,"capabilities":{"sending":"enabled","receiving":"disabled"}`
	for name, test := range map[string]struct {
		answer answer
		want   []string
		says   string
	}{
		"verified":         {list("false", domain("ID.example.org", "verified", untracked)), []string{"good credentials", "good sender"}, ""},
		"tracking":         {list("false", domain("id.example.org", "verified", `,"click_tracking":true`)), []string{"good credentials", "good sender", "doubtful tracking"}, ""},
		"pending":          {list("false", domain("id.example.org", "pending", untracked)), []string{"good credentials", "bad sender"}, "pending"},
		"in part":          {list("false", domain("id.example.org", "partially_verified", untracked)), []string{"good credentials", "doubtful sender"}, ""},
		"may not send":     {list("false", domain("id.example.org", "verified", `,"capabilities":{"sending":"disabled"}`)), []string{"good credentials", "bad sender"}, ""},
		"the one above":    {list("false", domain("example.org", "verified", untracked)), []string{"good credentials", "bad sender"}, "send from example.org"},
		"perhaps later":    {list("true", domain("example.net", "verified", untracked)), []string{"good credentials", "doubtful sender"}, ""},
		"may only send":    {resendError(401, "restricted_api_key", ""), []string{"good credentials", "doubtful sender"}, "do nothing else"},
		"bad key":          {resendError(403, "invalid_api_key", ""), []string{"bad credentials"}, "api_key"},
		"bad key in a 400": {resendError(400, "validation_error", ""), []string{"bad credentials"}, "api_key"},
		"down":             {answer{status: 500}, []string{"doubtful credentials"}, ""},
		"not JSON":         {answer{body: "<html>"}, []string{"doubtful credentials"}, ""},
		"another endpoint": {answer{status: 404}, []string{"bad credentials"}, "endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			account{kind: "resend", settings: map[string]string{"api_key": "re_Secret123456", "from": "codes@id.example.org"},
				asks: map[string]answer{"GET /domains?limit=100": test.answer}, want: test.want, says: []string{test.says}, private: []string{"re_Secret123456"},
				allow: func(r *http.Request) error {
					if r.Header.Get("Authorization") != "Bearer re_Secret123456" {
						return errors.New("missing_api_key")
					}
					return nil
				}}.check(t)
		})
	}
}
