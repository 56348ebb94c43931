package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// infobipStatus is where a message is (infobip.com/docs, "Response status and error codes"), both in the answer to a
// request and in a report.
type infobipStatus struct {
	GroupName   string `json:"groupName"`
	ID          int    `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

// code is the status as a person can look it up.
func (s infobipStatus) code() string { return fmt.Sprintf("%d %s", s.ID, s.Name) }

// class is what a status in which a message is not delivered means. It goes by the number, since names have changed.
func (s infobipStatus) class() outbox.Class {
	switch s.ID {
	case 8, 51, 52: // prefix or length unknown, missing, not a mobile number
		return outbox.InvalidRecipient
	case 10, 14: // do not disturb, on a block list
		return outbox.Suppressed
	case 6: // network not covered or not set up
		return outbox.GeoBlocked
	case 11, 13, 18, 19: // sender not registered or blocked, trial, no route for the account
		return outbox.Account
	case 12, 17: // no credit
		return outbox.Quota
	case 20: // flooding filter
		return outbox.Throttled
	case 4, 9, 15, 21, 29, 31, 100: // operator, system, expired
		return outbox.Transient
	case 23: // this message id was used before: by a try whose answer was lost, which may have been taken
		return outbox.Ambiguous
	}
	return outbox.RejectedContent // 24, 25, 87 and what is not known
}

// readInfobip reads delivery reports, which are not signed: they carry receipt_secret.
func readInfobip(s infobipSettings, _ Environment) (Receipts, error) {
	if s.ReceiptSecret == "" {
		return nil, nil
	}
	return infobipReceipts{s.ReceiptSecret}, nil
}

type infobipReceipts struct{ secret string }

// infobipReport is one of the results of a report, which may hold a hundred (infobip.com/docs, "Receive outbound SMS
// message report").
type infobipReport struct {
	MessageID    string        `json:"messageId"`
	CallbackData string        `json:"callbackData"`
	DoneAt       string        `json:"doneAt"`
	Status       infobipStatus `json:"status"`
	Error        struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	} `json:"error"`
}

func (r infobipReceipts) Read(_ context.Context, p Posted) (Told, error) {
	if !p.knows(r.secret) {
		return Told{}, fmt.Errorf("%w: it does not carry receipt_secret", ErrForged)
	}
	var body struct {
		Results []infobipReport `json:"results"`
	}
	if json.Unmarshal(p.Body, &body) != nil || body.Results == nil {
		return Told{}, fmt.Errorf("%w: want an object with results", ErrMalformed)
	}
	var told Told
	for _, result := range body.Results {
		if result.MessageID == "" {
			return Told{}, fmt.Errorf("%w: a result names no message", ErrMalformed)
		}
		if receipt, final := result.receipt(); final {
			told.Receipts = append(told.Receipts, receipt)
		}
	}
	return told, nil
}

// receipt is what a result says; final is false while the message is on its way. A message that reached the operator has
// not reached the phone.
func (i infobipReport) receipt() (receipt outbox.Receipt, final bool) {
	receipt = outbox.Receipt{
		Event: eventOf(i.MessageID, i.DoneAt, strconv.Itoa(i.Status.ID), strconv.Itoa(i.Error.ID)),
		Ref:   i.MessageID, Delivery: i.CallbackData, At: infobipTime(i.DoneAt),
	}
	switch i.Status.GroupName {
	case "DELIVERED":
		receipt.Report = outbox.ReportDelivered
		return receipt, i.Status.ID != 2 // DELIVERED_TO_OPERATOR
	case "UNDELIVERABLE", "EXPIRED", "REJECTED":
		receipt.Report, receipt.Class, receipt.Code = outbox.ReportBounced, i.class(), strconv.Itoa(i.Status.ID)
		if i.Error.ID != 0 {
			receipt.Code += " " + strconv.Itoa(i.Error.ID)
		}
		return receipt, true
	}
	return receipt, false
}

// class goes by the error of the network where it says more than the status (infobip.com/docs, "Error code reference").
func (i infobipReport) class() outbox.Class {
	switch i.Error.Name {
	case "EC_UNKNOWN_SUBSCRIBER", "EC_TELESERVICE_NOT_PROVISIONED", "EC_DEST_ADDRESS_UNABLE_TO_RECEIVE_SMS":
		return outbox.InvalidRecipient
	case "EC_SC_BLOCKED_BY_END_USER", "EC_ILLEGAL_SUBSCRIBER":
		return outbox.Suppressed
	}
	if class := i.Status.class(); class != outbox.Ambiguous { // a report is about a message that was taken
		return class
	}
	return outbox.Transient
}

// infobipTime reads a time in the one form that Infobip writes; zero when it is another.
func infobipTime(text string) time.Time {
	at, err := time.Parse("2006-01-02T15:04:05.999-0700", text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
