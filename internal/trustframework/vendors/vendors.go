// Package vendors takes or refuses what policies post to mail and text message services, as the services do, for tests.
package vendors

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
)

// Vendor is a service that delivers codes.
type Vendor struct {
	// Path is where it is posted to.
	Path string
	// Status and Answer are what it answers to a request that it takes.
	Status int
	Answer string
	read   func(r *http.Request, body []byte, k Key) (Sent, error)
}

// Key is a credential. A vendor whose key is a token has no user.
type Key struct{ User, Secret string }

// Sent is what is delivered. Code is what a template has in it, Text a message without one.
type Sent struct{ From, To, Code, Text string }

// Take reads a request with the vendor's key, or says with an error what of it the vendor refuses. Members that its
// contract does not have are refused, and so is a template's code that is not of six digits.
func (v Vendor) Take(r *http.Request, body []byte, k Key) (Sent, error) {
	if r.Method != http.MethodPost || r.URL.Path != v.Path || r.URL.RawQuery != "" {
		return Sent{}, errors.New("there is no " + r.Method + " " + r.URL.RequestURI())
	}
	return v.read(r, body, k)
}

// All are the vendors by name.
func All() map[string]Vendor {
	return map[string]Vendor{
		"SendGrid": {"/v3/mail/send", http.StatusAccepted, "", sendGrid},
		"Mailjet":  {"/v3.1/send", http.StatusOK, `{"Messages":[{"Status":"success"}]}`, mailjet},
		"Brevo":    {"/v3/smtp/email", http.StatusCreated, `{"messageId":"<1@brevo.example.com>"}`, brevo},
		"Twilio":   {"/2010-04-01/Accounts/" + Account + "/Messages.json", http.StatusCreated, `{"sid":"SM1"}`, twilio},
	}
}

// strict reads JSON, and refuses members that the type does not have.
func strict(r *http.Request, body []byte, into any) error {
	if r.Header.Get("Content-Type") != "application/json" {
		return errors.New("content type")
	}
	in := json.NewDecoder(bytes.NewReader(body))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		return err
	}
	if in.More() {
		return errors.New("more than one value")
	}
	return nil
}
