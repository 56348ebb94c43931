package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// readSES reads the events of a configuration set, and the notices of an identity, that come through Amazon SNS.
func readSES(s sesSettings, env Environment) (Receipts, error) {
	return newSESReceipts(s, env.clock(), newSNSGet(env, s.AllowPrivate))
}

func newSESReceipts(s sesSettings, now func() time.Time, get snsGet) (Receipts, error) {
	if len(s.ReceiptTopic) == 0 {
		return nil, nil
	}
	for _, topic := range s.ReceiptTopic {
		if !snsTopic.MatchString(topic) {
			return nil, errors.New("provider ses: setting receipt_topic: want ARNs such as arn:aws:sns:eu-west-1:123456789012:otpost")
		}
	}
	return &sesReceipts{snsReader{topics: s.ReceiptTopic, keys: newSNSKeys(get, now), now: now}, get}, nil
}

type sesReceipts struct {
	notices snsReader
	get     snsGet
}

func (r *sesReceipts) Read(ctx context.Context, p Posted) (Told, error) {
	n, err := r.notices.read(ctx, p.Body)
	if err != nil {
		return Told{}, err
	}
	switch n.Type {
	case snsSubscribe:
		return Told{}, r.confirm(ctx, n)
	case snsUnsubscribe:
		return Told{}, nil
	}
	return readSESEvent(n)
}

// confirm says to SNS that the subscription is wanted (SNS API, ConfirmSubscription). The address is signed, and is held
// to the host and the topic all the same.
func (r *sesReceipts) confirm(ctx context.Context, n snsNotice) error {
	u := snsURL(n.SubscribeURL)
	if u == nil || u.EscapedPath() != "/" || u.Query().Get("Action") != "ConfirmSubscription" || u.Query().Get("TopicArn") != n.TopicArn {
		return fmt.Errorf("%w: its SubscribeURL is not one of Amazon SNS for the topic", ErrMalformed)
	}
	if _, fault := r.get(ctx, u.String()); fault != nil {
		return fmt.Errorf("%w: the subscription could not be confirmed: %s", ErrUnchecked, fault.Detail)
	}
	return nil
}

// sesEvent is one event (SES Developer Guide, "Examples of event data that Amazon SES publishes to Amazon SNS" and
// "Amazon SNS notification contents for Amazon SES").
type sesEvent struct {
	EventType        string `json:"eventType"`
	NotificationType string `json:"notificationType"`
	Mail             struct {
		MessageID string              `json:"messageId"`
		Timestamp time.Time           `json:"timestamp"`
		Tags      map[string][]string `json:"tags"`
	} `json:"mail"`
	Bounce struct {
		Type    string    `json:"bounceType"`
		SubType string    `json:"bounceSubType"`
		At      time.Time `json:"timestamp"`
	} `json:"bounce"`
	Complaint struct {
		SubType string    `json:"complaintSubType"`
		At      time.Time `json:"timestamp"`
	} `json:"complaint"`
	Delivery struct {
		At time.Time `json:"timestamp"`
	} `json:"delivery"`
	Delay struct {
		Type string    `json:"delayType"`
		At   time.Time `json:"timestamp"`
	} `json:"deliveryDelay"`
}

func readSESEvent(n snsNotice) (Told, error) {
	var e sesEvent
	if err := json.Unmarshal([]byte(n.Message), &e); err != nil {
		// "Successfully validated SNS topic for Amazon SES event publishing." and other greetings are plain text.
		if !strings.HasPrefix(strings.TrimSpace(n.Message), "{") {
			return Told{}, nil
		}
		return Told{}, fmt.Errorf("%w: want an event of Amazon SES", ErrMalformed)
	}
	receipt := outbox.Receipt{Event: n.MessageID, Ref: e.Mail.MessageID, At: e.Mail.Timestamp}
	if tags := e.Mail.Tags[sesDelivery]; len(tags) > 0 {
		receipt.Delivery = tags[0]
	}
	kind := e.EventType
	if kind == "" {
		kind = e.NotificationType
	}
	switch kind {
	case "Delivery":
		receipt.Report, receipt.At = outbox.ReportDelivered, e.Delivery.At
	case "DeliveryDelay":
		receipt.Report, receipt.Code, receipt.At = outbox.ReportDelayed, e.Delay.Type, e.Delay.At
	case "Bounce":
		receipt.Report, receipt.Class, receipt.At = outbox.ReportBounced, sesBounce(e.Bounce.Type, e.Bounce.SubType), e.Bounce.At
		receipt.Code = strings.TrimSpace(e.Bounce.Type + " " + e.Bounce.SubType)
	case "Complaint":
		receipt.Report, receipt.Code, receipt.At = outbox.ReportComplained, e.Complaint.SubType, e.Complaint.At
		if e.Complaint.SubType == "OnAccountSuppressionList" { // nobody complained: SES did not send it because of an earlier complaint
			receipt.Report, receipt.Class = outbox.ReportBounced, outbox.Suppressed
		}
	case "Reject", "Rendering Failure":
		receipt.Report, receipt.Class, receipt.Code = outbox.ReportBounced, outbox.RejectedContent, kind
	default: // Send, Open, Click, Subscription and the validation of a topic
		return Told{}, nil
	}
	if receipt.Ref == "" && receipt.Delivery == "" {
		return Told{}, fmt.Errorf("%w: it names no message", ErrMalformed)
	}
	receipt.Code = wordOf(receipt.Code)
	return Told{Receipts: []outbox.Receipt{receipt}}, nil
}

// sesBounce is the class of a bounce (SES Developer Guide, "Bounce types").
func sesBounce(kind, sub string) outbox.Class {
	switch sub {
	case "Suppressed", "OnAccountSuppressionList":
		return outbox.Suppressed
	case "ContentRejected", "MessageTooLarge", "AttachmentRejected":
		return outbox.RejectedContent
	}
	if kind == "Permanent" {
		return outbox.InvalidRecipient
	}
	return outbox.Transient
}
