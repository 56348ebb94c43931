package provider

import (
	"fmt"
	"net/mail"
)

// openReplyTo reads a kind's reply_to setting for a vendor that wants the address and the name apart; nil when it is
// not set.
func openReplyTo(kind, text string) (*mail.Address, error) {
	if text == "" {
		return nil, nil
	}
	a, err := parseSender(text)
	if err != nil {
		return nil, fmt.Errorf("provider %s: setting reply_to: %w", kind, err)
	}
	a.Name = oneLine(a.Name)
	return a, nil
}
