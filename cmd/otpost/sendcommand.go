package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
)

type sendCommand struct {
	To       string            `required:"" placeholder:"ADDRESS|NUMBER" help:"Email address, or number in international form such as +33123456789."`
	Channel  string            `placeholder:"email|sms" help:"Channel, if it should be an error that --to is of another one."`
	Purpose  string            `placeholder:"PURPOSE" help:"What the code is for: sign_up, sign_in, password_reset, mfa or verify."`
	Locale   string            `placeholder:"TAG" help:"Language of the message, such as fr or pt-BR."`
	Policy   string            `placeholder:"NAME" help:"Policy the code lives under."`
	IP       string            `name:"ip" placeholder:"ADDRESS" help:"Address of the user who asked, for the limits of networks."`
	Metadata map[string]string `placeholder:"KEY=VALUE" help:"Anything of your own that is kept with the passcode; may be repeated."`
	Wait     time.Duration     `placeholder:"DURATION" help:"Wait this long for a provider to take the message, such as 5s."`

	clientFlags
}

// Help is the detail under --help.
func (*sendCommand) Help() string {
	return `Asks a running server for a passcode and prints the id to verify it by.

Exit code 3 means that the server refused, for instance because a limit is reached; 1 that, with --wait, the message was proved not sent.

Example:

	export OTPOST_KEY=$(otpost key create --application shop)
	otpost send --to alice@example.com --wait 5s`
}

// sendRequest is the body of POST /v1/passcodes.
type sendRequest struct {
	To       string            `json:"to"`
	Channel  string            `json:"channel,omitempty"`
	Purpose  string            `json:"purpose,omitempty"`
	Locale   string            `json:"locale,omitempty"`
	Policy   string            `json:"policy,omitempty"`
	IP       string            `json:"ip,omitempty"`
	WaitMS   int64             `json:"wait_ms,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

// sent is the answer, kept as it came for --output json.
type sent struct {
	raw json.RawMessage

	ID           string    `json:"id"`
	Status       string    `json:"status"`
	Channel      string    `json:"channel"`
	To           string    `json:"to"`
	ExpiresAt    time.Time `json:"expires_at"`
	AttemptsLeft int       `json:"attempts_left"`
	Delivery     struct {
		State    string `json:"state"`
		Provider string `json:"provider"`
	} `json:"delivery"`
}

// MarshalJSON is the answer as the server gave it.
func (s *sent) MarshalJSON() ([]byte, error) { return s.raw, nil }

// WriteText writes a table and the next step.
func (s *sent) WriteText(w io.Writer) {
	delivery := s.Delivery.State
	if s.Delivery.Provider != "" {
		delivery += " by " + s.Delivery.Provider
	}
	writeRows(w, []row{
		{"id", s.ID}, {"status", s.Status}, {"to", s.To}, {"channel", s.Channel}, {"delivery", delivery},
		{"expires_at", s.ExpiresAt.Format(time.RFC3339)}, {"attempts_left", strconv.Itoa(s.AttemptsLeft)},
	})
	fmt.Fprintf(w, "\nVerify it with: otpost verify --id %s CODE\n", s.ID)
}

// Run sends a passcode.
func (c *sendCommand) Run(ctx context.Context, p *Program) error {
	server, err := c.client(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Wait+patience)
	defer cancel()
	answer, err := server.post(ctx, "/v1/passcodes", sendRequest{To: c.To, Channel: c.Channel, Purpose: c.Purpose,
		Locale: c.Locale, Policy: c.Policy, IP: c.IP, WaitMS: c.Wait.Milliseconds(), Metadata: c.Metadata})
	if err != nil {
		return err
	}
	var s sent
	if err := decode(answer, &s); err != nil {
		return err
	}
	s.raw = answer
	if err := p.print(&s); err != nil {
		return err
	}
	if s.Delivery.State == "failed" || s.Delivery.State == "stale" {
		return errNotSent
	}
	return nil
}
