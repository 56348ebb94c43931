package b2c_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
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
