package vendors

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
)

// Account is the one that Twilio's path names.
const Account = "AC01234567890123456789012345678901"

var isNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// twilio is POST …/Messages.json.
func twilio(r *http.Request, body []byte, k Key) (Sent, error) {
	form, err := url.ParseQuery(string(body))
	user, password, _ := r.BasicAuth()
	sent := Sent{From: form.Get("From"), To: form.Get("To"), Text: form.Get("Body")}
	switch {
	case err != nil:
		return Sent{}, err
	case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
		return Sent{}, errors.New("content type")
	case user != k.User || password != k.Secret:
		return Sent{}, errors.New("20003")
	case len(form) != 3 || !isNumber.MatchString(sent.To):
		return Sent{}, errors.New("21211")
	case sent.From == "" || sent.Text == "":
		return Sent{}, errors.New("21602")
	}
	return sent, nil
}
