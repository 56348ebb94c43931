package silence_test

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// policies runs what a B2C policy has of codes and secrets.
func (l *leak) policies(run string) {
	l.t.Helper()
	n := rig.Size(2, 12)
	rig.Together(n, n, func(i int) {
		name := fmt.Sprintf("%s%d", run, i)
		l.handed(name)
		l.enrolled(name)
		for _, behaviour := range []string{"policy", "named", "spam", "thanks"} {
			l.mailedByPolicy(behaviour + ".policy." + name + "@example.test")
		}
		for _, status := range []int{200, 201, 202, 400} {
			l.textedByPolicy(fmt.Sprintf("+4930%s9%02d%03d", map[string]string{"json": "1", "text": "2"}[run], i, status))
		}
	})
}

// policy calls the policy and keeps the session that is answered.
func (l *leak) policy(target string, claims map[string]string) rig.PolicyAnswer {
	got, err := l.policyClient.Policy(target, claims)
	if err != nil {
		l.t.Errorf("%s: %v", target, err)
		return got
	}
	sealed, err := base64.RawURLEncoding.DecodeString(got.Session)
	if err != nil || (got.Status == 200 || got.Status == 409) != (len(sealed) > 0) {
		l.t.Errorf("%s: the session %q: %v", target, got.Session, err)
	}
	if len(sealed) > 0 {
		l.keep("sessions that the caller keeps, as bytes", sealed)
		l.session(got.Session)
	}
	return got
}

// handed are codes that the policy hands over: tried, made again, used up, and two that live on.
func (l *leak) handed(name string) {
	for _, profile := range []string{"Generate", "GenerateSame"} {
		to := map[string]string{"email": profile + "." + name + "@example.test"}
		call := func(profile, typed string, status int) string {
			if delete(to, "typed"); typed != "" {
				to["typed"] = typed
			}
			got := l.policy("technicalprofiles/"+profile, to)
			if to["otpost_session"] = got.Session; got.Status != status {
				l.t.Errorf("%s of %s: %d %s, want %d", profile, name, got.Status, got.Made, status)
			}
			if status == 200 && typed == "" {
				return l.code(got.Made)
			}
			return ""
		}
		call(profile, "", 200)
		call("Verify", l.wrong(), 409)
		code := call(profile, "", 200)
		call("Verify", code, 200)
		call("Verify", code, 409)
		call(profile, "", 200)
		for range rig.Tries {
			call("Verify", l.wrong(), 409)
		}
		delete(to, "otpost_session")
		call(profile, "", 200) // this one lives
		l.misplaced(to, call(profile, "", 200))
	}
}

// misplaced puts a live code where none belongs. An answer may repeat it to who wrote it; nothing else may.
func (l *leak) misplaced(to map[string]string, code string) {
	for path, body := range map[string]string{
		"Verify":                fmt.Sprintf(`{"email":%q,%q:"x"}`, to["email"], code),
		"Verify?host=" + code:   `{}`,
		"Verify?" + code + "=x": `{"otpost_session":"` + code + `","otpost_ip":"` + code + `"}`,
		"Generate":              fmt.Sprintf(`{"email":%q,"otpost_correlation_id":%q,"otpost_locale":%q}`, to["email"]+".", code, code),
		code:                    fmt.Sprintf(`{"email":%q}`, code),
		"BeginApp":              fmt.Sprintf(`{"user":"lea@fabrikam.example","secret":"not base32: %s"}`, code),
		"SendText":              fmt.Sprintf(`{"phone":%q}`, code),
		"SendMail":              fmt.Sprintf(`{"email":"%s@example"}`, code),
	} {
		got, err := l.unheard.Send("POST", "/b2c/B2C_1A_Proof/technicalprofiles/"+path, body)
		if err != nil || path != "Generate" && got.Status < 400 {
			l.t.Errorf("%s: %v %v", path, got, err)
		}
	}
}

// enrolled is an authenticator app whose secret comes in a claim, and a wrong code of it.
func (l *leak) enrolled(name string) {
	secret := l.drawn() // the alphabet of rand.Text is that of base32
	raw, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		l.t.Error(err)
		return
	}
	l.bytes(raw)
	claims := map[string]string{"user": name + "@fabrikam.example", "secret": secret}
	got := l.policy("technicalprofiles/BeginApp", claims)
	if got.Status != 200 {
		l.t.Errorf("begin with an app: %+v", got)
	}
	got = l.policy("technicalprofiles/VerifyApp", map[string]string{"typed": "000000", "otpost_session": got.Session})
	if got.Status != 409 {
		l.t.Errorf("a wrong code of an app: %+v", got)
	}
	l.policy("technicalprofiles/BeginApp", map[string]string{"user": name + "@fabrikam.example", "secret": secret + "1"})
}

// mailedByPolicy has a code mailed by a display control, and tried.
func (l *leak) mailedByPolicy(to string) {
	l.brieflyTried(to, "displaycontrols/mailControl/SendCode", "displaycontrols/mailControl/VerifyCode", "email")
}

func (l *leak) textedByPolicy(to string) {
	l.brieflyTried(to, "technicalprofiles/SendText", "technicalprofiles/VerifyText", "phone")
}

// brieflyTried sends a code of six digits and tries it if it comes. Those to be refused are sent all the same.
func (l *leak) brieflyTried(to, send, verify, claim string) {
	sent := l.policy(send, map[string]string{claim: to})
	code := l.briefOf(to)
	if code == "" {
		l.t.Errorf("%s never had a code: %+v", to, sent)
		return
	}
	if sent.Status != 200 {
		return // it is told that the message could not be sent; the code lives
	}
	if strings.HasSuffix(to, "202") {
		return
	}
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
	got := l.policy(verify, map[string]string{claim: to, "typed": l.brief(to+" wrong", wrong), "otpost_session": sent.Session})
	if got.Status != 409 {
		l.t.Errorf("a wrong code for %s: %+v", to, got)
	}
	if got = l.policy(verify, map[string]string{claim: to, "typed": code, "otpost_session": got.Session}); got.Status != 200 {
		l.t.Errorf("the right code for %s: %+v", to, got)
	}
}

// withoutCode is an answer without the one code that it hands over by design.
func withoutCode(request *http.Request, body []byte) []byte {
	before, rest, found := bytes.Cut(body, []byte(`"code":"`))
	if !found || len(rest) < 12 || !strings.Contains(request.URL.Path, "/technicalprofiles/Generate") {
		return body
	}
	return slices.Concat(before, rest[12:])
}

// loneSixes are the numbers of six digits in a text that have neither digits nor letters beside them and do not stand behind
// the point of a fraction: six digits are part of many longer numbers.
func loneSixes(text []byte) (found []string) {
	word := func(c byte) bool {
		return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
	}
	for i := 0; i < len(text); i++ {
		start, digits := i, 0
		for ; i < len(text) && word(text[i]); i++ {
			if text[i] <= '9' {
				digits++
			}
		}
		if i-start == 6 && digits == 6 && (start == 0 || text[start-1] != '.') {
			found = append(found, string(text[start:i]))
		}
	}
	return found
}

func TestDigitsThatStandAloneAreFound(t *testing.T) {
	for text, want := range map[string]string{"123456": "123456", "code=123456 ": "123456", `"123456"`: "123456", "is 123456.": "123456",
		"0123456": "", "1234567": "", "0.123456": "", "x123456": "", "12345a": "", "1234567 123456": "123456", "123456,654321": "123456 654321", "": ""} {
		if got := strings.Join(loneSixes([]byte(text)), " "); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
