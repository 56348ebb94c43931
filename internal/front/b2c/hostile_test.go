package b2c_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/execute"
)

// TestWhatACallerMakesUpIsNotLogged names things that there are not. The names are told to who wrote them, and stay out of
// the log: a code can be among them, or what looks like a line of the log.
func TestWhatACallerMakesUpIsNotLogged(t *testing.T) {
	d, h := page(t, "en", controlAlone)
	made := url.QueryEscape("667447\nlevel=ERROR msg=forged")
	for _, path := range []string{
		"/b2c/Otp/technicalprofiles/GenerateOtp?host=" + made,
		"/b2c/Otp/technicalprofiles/" + url.PathEscape("667447\n"),
		"/b2c/" + url.PathEscape("667447\n") + "/technicalprofiles/GenerateOtp",
		"/b2c/Otp/displaycontrols/667447/SendCode",
		"/b2c/Otp/displaycontrols/emailControl/667447",
		"/b2c/Otp/technicalprofiles/GenerateOtp?667447=667447&667447=667447",
		"/b2c/Otp/technicalprofiles/GenerateOtp?ip=667447",
		"/b2c/Otp/technicalprofiles/GenerateOtp?wait_ms=6674470",
	} {
		for _, body := range []string{`{}`, `{"667447":"667447"}`, `{"otpost_session":"667447"}`, `{"tries":"667447x"}`} {
			r := httptest.NewRequest("POST", path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer shop-key")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code < 400 || w.Code >= 500 {
				t.Errorf("%s %s: %d %s", path, body, w.Code, w.Body)
			}
		}
		if w := get(h, path); w.Code == http.StatusOK {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
	if w := get(h, controlPage+"?host="+made); w.Code != http.StatusBadRequest {
		t.Errorf("a page with a host that is none: %d", w.Code)
	}
	if len(d.runner.asked) != 0 {
		t.Errorf("the runner was asked %d times", len(d.runner.asked))
	}
	if text := d.log.String(); strings.Contains(text, "667447") || strings.Contains(text, "forged") {
		t.Errorf("the log is\n%s", text)
	}
}

// TestFormsOfOtherSitesCallNothing sends a form to the paths of calls as another site would make a browser send it that
// remembers a key as Basic credentials.
func TestFormsOfOtherSitesCallNothing(t *testing.T) {
	d := newDoor(t)
	d.runner.run = func(execute.Request) (execute.Result, error) { return execute.Result{}, nil }
	h := d.mounted(t)
	for site, status := range map[string]int{"cross-site": http.StatusForbidden, "same-site": http.StatusForbidden, "": http.StatusOK} {
		r := httptest.NewRequest("POST", "/b2c/Otp/displaycontrols/emailControl/SendCode", strings.NewReader("email=lea@example.org"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("shop", "shop-key")
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
			r.Header.Set("Origin", "https://evil.example")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%q: %d %s", site, w.Code, w.Body)
		}
	}
	if n := len(d.runner.asked); n != 1 {
		t.Errorf("the runner was asked %d times, want once", n)
	}
}

// mailcow CVE-2025-25198, couch-auth CVE-2025-70948: the Host that a stranger wrote was in the link of a mail to somebody
// else. A policy may write {Context:HostName} into one.
func TestAdvisory_CVE_2025_25198_ThePublicHostCountsBeforeThatOfTheRequest(t *testing.T) {
	d, h := page(t, "en", controlAlone)
	d.Host = "otp.example.org"
	d.runner.run = func(execute.Request) (execute.Result, error) { return execute.Result{}, nil }
	for path, body := range map[string]string{controlPage: "do=send:emailControl&claim.email=lea@example.org",
		"/b2c/Otp/technicalprofiles/GenerateOtp": "email=lea@example.org"} {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Host = "evil.example"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer shop-key")
		r.Header.Set("X-Forwarded-Host", "evil.example")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if len(d.runner.asked) != 2 {
		t.Fatalf("the runner was asked %d times", len(d.runner.asked))
	}
	for _, q := range d.runner.asked {
		if q.Scene.Host != "otp.example.org" {
			t.Errorf("the host of %s%s is %s", q.Profile, q.Control, q.Scene.Host)
		}
	}
}
