package vendors

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
)

var (
	isCode     = regexp.MustCompile(`^[0-9]{6}$`)
	isTemplate = regexp.MustCompile(`^d-[0-9a-f]{32}$`)
)

// address is one as two vendors write it; the letters' case does not matter.
type address struct{ Email, Name string }

// one is the only one of a list, if it is an address.
func one(list []address) (string, bool) {
	if len(list) != 1 || !strings.Contains(list[0].Email, "@") {
		return "", false
	}
	return list[0].Email, true
}

// sendGrid is POST /v3/mail/send with a dynamic template.
func sendGrid(r *http.Request, body []byte, k Key) (Sent, error) {
	var mail struct {
		Personalizations []struct {
			To      []address         `json:"to"`
			Subject string            `json:"subject"`
			Data    map[string]string `json:"dynamic_template_data"`
		} `json:"personalizations"`
		Template string  `json:"template_id"`
		From     address `json:"from"`
	}
	if err := strict(r, body, &mail); err != nil {
		return Sent{}, err
	}
	if r.Header.Get("Authorization") != "Bearer "+k.Secret {
		return Sent{}, errors.New("the provided authorization grant is invalid")
	}
	if len(mail.Personalizations) != 1 {
		return Sent{}, errors.New("personalizations")
	}
	p := mail.Personalizations[0]
	to, ok := one(p.To)
	if !ok || mail.From.Email == "" || !isTemplate.MatchString(mail.Template) || !isCode.MatchString(p.Data["otp"]) {
		return Sent{}, errors.New("to, from, template_id or otp")
	}
	return Sent{From: mail.From.Email, To: to, Code: p.Data["otp"]}, nil
}

// mailjet is POST /v3.1/send with a template.
func mailjet(r *http.Request, body []byte, k Key) (Sent, error) {
	var mail struct {
		Messages []struct {
			From             address
			To               []address
			Subject          string
			TemplateID       int
			TemplateLanguage bool
			Variables        map[string]string
		}
	}
	if err := strict(r, body, &mail); err != nil {
		return Sent{}, err
	}
	if user, password, _ := r.BasicAuth(); user != k.User || password != k.Secret {
		return Sent{}, errors.New("mj-0015")
	}
	if len(mail.Messages) != 1 {
		return Sent{}, errors.New("mj-0007")
	}
	m := mail.Messages[0]
	to, ok := one(m.To)
	if !ok || m.From.Email == "" || m.TemplateID == 0 || !m.TemplateLanguage || !isCode.MatchString(m.Variables["otp"]) {
		return Sent{}, errors.New("mj-0013")
	}
	return Sent{From: m.From.Email, To: to, Code: m.Variables["otp"]}, nil
}

// brevo is POST /v3/smtp/email with a template, which has its own sender.
func brevo(r *http.Request, body []byte, k Key) (Sent, error) {
	var mail struct {
		To         []address         `json:"to"`
		Params     map[string]string `json:"params"`
		TemplateID int               `json:"templateId"`
	}
	if err := strict(r, body, &mail); err != nil {
		return Sent{}, err
	}
	if len(r.Header["Api-Key"]) != 1 || r.Header.Get("Api-Key") != k.Secret || r.Header.Get("Authorization") != "" {
		return Sent{}, errors.New("unauthorized")
	}
	to, ok := one(mail.To)
	if !ok || mail.TemplateID < 1 || !isCode.MatchString(mail.Params["OTP"]) {
		return Sent{}, errors.New("missing_parameter")
	}
	return Sent{To: to, Code: mail.Params["OTP"]}, nil
}
