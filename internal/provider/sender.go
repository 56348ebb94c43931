package provider

import (
	"fmt"
	"net/mail"

	"github.com/otpost/otpost/internal/outbox"
)

// sender is the address that a provider's mail is sent from, unless a message brings its own.
type sender mail.Address

// openSender reads a kind's from setting.
func openSender(kind, from string) (sender, error) {
	a, err := parseSender(from)
	if err != nil {
		return sender{}, fmt.Errorf("provider %s: setting from: %w", kind, err)
	}
	return sender(*a), nil
}

// of is the sender of one message, which may bring its own.
func (s sender) of(m *outbox.Message) mail.Address {
	from := mail.Address(s)
	if m.From != "" {
		from.Address, from.Name = m.From, ""
	}
	if m.FromName != "" {
		from.Name = m.FromName
	}
	from.Name = oneLine(from.Name)
	return from
}

// header is the sender of one message as it stands in a From field, in ASCII.
func (s sender) header(m *outbox.Message) string {
	from := s.of(m)
	return from.String()
}

// automaticHeaders keep vacation responders quiet (RFC 3834 §5, [MS-OXCMAIL] §2.1.3.2.14) and a mail program from
// folding two codes into one thread.
func automaticHeaders(id string) map[string]string {
	return map[string]string{"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "X-Entity-Ref-ID": id}
}
