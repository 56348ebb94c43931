package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

type infobipSettings struct {
	APIKey        string        `name:"api_key" required:"true" secret:"true" help:"API key with the right to send short messages."`
	From          string        `name:"from" required:"true" help:"Number, short code or name that messages come from."`
	Validity      time.Duration `name:"validity" default:"10m" help:"How long Infobip may try to deliver a message, whole seconds up to 48h."`
	ReceiptURL    string        `name:"receipt_url" help:"Public URL of this provider's receipts; Infobip is told it with every message."`
	ReceiptSecret string        `name:"receipt_secret" secret:"true" help:"Secret that is added to receipt_url as the last part of its path; without it no report is believed, since Infobip signs none."`
	Endpoint      string        `name:"endpoint" required:"true" help:"Base URL of your account, such as https://xxxxx.api.infobip.com."`
	connection
}

func infobip() Kind {
	return Kind{
		Name:     "infobip",
		Channels: []outbox.Channel{outbox.SMS},
		Doc:      "Sends short messages through Infobip.",
		Settings: infobipSettings{},
		Open:     opener(openInfobip),
		Receipts: reader(readInfobip),
	}
}

type infobipSender struct {
	*vendor
	settings infobipSettings
	reports  string // URL for reports with its secret, empty when none are wanted
}

func openInfobip(s infobipSettings, env Environment) (outbox.Sender, error) {
	if s.Validity < time.Second || s.Validity > 48*time.Hour || s.Validity%time.Second != 0 {
		return nil, errors.New("provider infobip: setting validity: want whole seconds from 1s to 48h")
	}
	if s.ReceiptURL != "" && s.ReceiptSecret == "" {
		return nil, errors.New("provider infobip: setting receipt_secret is missing; without it no report to receipt_url is believed")
	}
	if err := checkSMSSender("infobip", s.From); err != nil {
		return nil, err
	}
	reports, err := reportURL("infobip", s.ReceiptURL, s.ReceiptSecret, s.connection)
	if err != nil {
		return nil, err
	}
	v, err := newVendor("infobip", s.Endpoint, s.connection, env, s.APIKey, s.ReceiptSecret)
	if err != nil {
		return nil, err
	}
	return &infobipSender{vendor: v, settings: s, reports: reports}, nil
}

// infobipRequest is the body of POST /sms/3/messages (Infobip API 3.210.0, SmsRequestEnvelope).
type infobipRequest struct {
	Messages []infobipMessage `json:"messages"`
	Options  struct {
		// A code is no link, but a text may hold one beside it, which is not to be rewritten.
		Tracking struct {
			ShortenURL  bool `json:"shortenUrl"`
			TrackClicks bool `json:"trackClicks"`
		} `json:"tracking"`
	} `json:"options"`
}

type infobipMessage struct {
	Sender       string               `json:"sender"`
	Destinations []infobipDestination `json:"destinations"`
	Content      struct {
		Text string `json:"text"`
	} `json:"content"`
	Options struct {
		ValidityPeriod struct {
			Amount   int64  `json:"amount"`
			TimeUnit string `json:"timeUnit"`
		} `json:"validityPeriod"`
	} `json:"options"`
	Webhooks *infobipWebhooks `json:"webhooks,omitempty"`
}

type infobipDestination struct {
	To        string `json:"to"`
	MessageID string `json:"messageId"`
}

type infobipWebhooks struct {
	Delivery struct {
		URL string `json:"url"`
	} `json:"delivery"`
	ContentType  string `json:"contentType"`
	CallbackData string `json:"callbackData"`
}

// Send posts the message. The delivery's id is the message's, which Infobip takes once only.
func (s *infobipSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	r, fault := s.postJSON(ctx, "/sms/3/messages", s.header(), s.request(id, &m))
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	var a struct {
		Messages []struct {
			MessageID string        `json:"messageId"`
			Status    infobipStatus `json:"status"`
		} `json:"messages"`
	}
	if !r.Whole || json.Unmarshal(r.Body, &a) != nil || len(a.Messages) != 1 {
		return "", unread(r)
	}
	switch message := a.Messages[0]; message.Status.GroupName {
	case "ACCEPTED", "PENDING", "DELIVERED":
		return message.MessageID, nil
	case "UNDELIVERABLE", "EXPIRED", "REJECTED":
		fault := s.refused(message.Status.class(), message.Status.code(), message.Status.Description, &m)
		fault.RetryAfter = retryAfter(r.Header, s.now())
		if fault.Detail == "" {
			fault.Detail = "the message was refused"
		}
		return "", fault
	}
	return "", unread(r)
}

func (s *infobipSender) header() http.Header {
	return http.Header{"Authorization": {"App " + s.settings.APIKey}, "Accept": {"application/json"}}
}

func (s *infobipSender) request(id string, m *outbox.Message) infobipRequest {
	message := infobipMessage{
		Sender:       withoutPlus(smsFrom(s.settings.From, m)),
		Destinations: []infobipDestination{{To: withoutPlus(m.To), MessageID: id}},
	}
	message.Content.Text = m.Text
	message.Options.ValidityPeriod.Amount = int64(s.settings.Validity / time.Second)
	message.Options.ValidityPeriod.TimeUnit = "SECONDS"
	if s.reports != "" {
		message.Webhooks = &infobipWebhooks{ContentType: "application/json", CallbackData: id}
		message.Webhooks.Delivery.URL = s.reports
	}
	return infobipRequest{Messages: []infobipMessage{message}}
}

// understand reads the two forms of Infobip's errors: ApiError, and the older requestError.
func (s *infobipSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	var e struct {
		ErrorCode   string `json:"errorCode"`
		Description string `json:"description"`
		Violations  []struct {
			Property  string `json:"property"`
			Violation string `json:"violation"`
		} `json:"violations"`
		RequestError struct {
			ServiceException struct {
				MessageID string `json:"messageId"`
				Text      string `json:"text"`
			} `json:"serviceException"`
		} `json:"requestError"`
	}
	if json.Unmarshal(r.Body, &e) != nil {
		return fault
	}
	code, text := e.ErrorCode, e.Description
	if code == "" {
		code, text = e.RequestError.ServiceException.MessageID, e.RequestError.ServiceException.Text
	}
	if code == "" {
		return fault
	}
	var class outbox.Class
	for _, v := range e.Violations {
		text += "; " + v.Property + ": " + v.Violation
		switch {
		case strings.HasSuffix(v.Property, "destinations[0].to"):
			class = outbox.InvalidRecipient
		case strings.HasSuffix(v.Property, ".sender"):
			class = outbox.Account
		}
	}
	return s.explain(fault, class, fmt.Sprintf("%d %s", r.Status, code), text, m)
}

// Check reads the account's balance (infobip.com/docs, "Account balance", GET /account/1/balance).
func (s *infobipSender) Check(ctx context.Context) []Finding {
	r, fault := s.do(ctx, call{Method: http.MethodGet, Path: "/account/1/balance", Header: s.header()})
	findings := []Finding{accessFinding(fault, "the Infobip portal")}
	var account struct {
		Balance  *float64 `json:"balance"`
		Currency string   `json:"currency"`
	}
	if fault != nil || json.Unmarshal(r.Body, &account) != nil || account.Balance == nil {
		return findings
	}
	return append(findings, balanceFinding(*account.Balance, cut(oneLine(account.Currency), 8), false))
}
