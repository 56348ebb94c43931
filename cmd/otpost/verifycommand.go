package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

type verifyCommand struct {
	ID      string `name:"id" required:"" xor:"which" placeholder:"ID" help:"Id of the passcode, as send printed it."`
	To      string `name:"to" required:"" xor:"which" placeholder:"ADDRESS|NUMBER" help:"Whom the passcode was sent to, instead of its id."`
	Purpose string `placeholder:"PURPOSE" help:"Purpose the passcode was sent for, with --to."`
	Code    string `arg:"" optional:"" help:"The code. Without it, it is read from the first line of the input."`

	clientFlags
}

// Help is the detail under --help.
func (*verifyCommand) Help() string {
	return `A code works once. Exit code 0 means that it was right; 3 that it was wrong, expired, locked or already used.

Example:

	otpost verify --id pc_01jd5k2m3n4p5q6r7s8t9v0w1x 492817
	otpost verify --to alice@example.com < code.txt`
}

// verifyRequest is the body of both verify calls.
type verifyRequest struct {
	To      string `json:"to,omitempty"`
	Purpose string `json:"purpose,omitempty"`
	Code    string `json:"code"`
}

// verdict is the answer, kept as it came for --output json.
type verdict struct {
	raw json.RawMessage

	Verified     bool   `json:"verified"`
	Status       string `json:"status"`
	Reason       string `json:"reason"`
	AttemptsLeft int    `json:"attempts_left"`
}

// MarshalJSON is the answer as the server gave it.
func (v *verdict) MarshalJSON() ([]byte, error) { return v.raw, nil }

// WriteText writes one line.
func (v *verdict) WriteText(w io.Writer) {
	switch {
	case v.Verified:
		fmt.Fprintln(w, "verified")
	case v.Reason == "wrong_code":
		fmt.Fprintf(w, "not verified: %s, %d attempts left\n", v.Reason, v.AttemptsLeft)
	default:
		fmt.Fprintf(w, "not verified: %s\n", v.Reason)
	}
}

// Run tries a code.
func (c *verifyCommand) Run(ctx context.Context, p *Program) error {
	server, err := c.client(p)
	if err != nil {
		return err
	}
	code, err := c.code(p.Stdin)
	if err != nil {
		return err
	}
	path := "/v1/passcodes/verify"
	if c.ID != "" {
		path = "/v1/passcodes/" + url.PathEscape(c.ID) + "/verify"
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := server.post(ctx, path, verifyRequest{To: c.To, Purpose: c.Purpose, Code: code})
	if err != nil {
		return err
	}
	var v verdict
	if err := decode(answer, &v); err != nil {
		return err
	}
	v.raw = answer
	if err := p.print(&v); err != nil {
		return err
	}
	if !v.Verified {
		return &exitError{exitRefused, errors.New("the code does not prove anything: " + v.Reason)}
	}
	return nil
}

// code is the argument, else the first line of in.
func (c *verifyCommand) code(in io.Reader) (string, error) {
	if c.Code != "" {
		return c.Code, nil
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read code: %w", err)
	}
	if line = strings.TrimSpace(line); line == "" {
		return "", usageErrorf("no code: write it as the last argument or on the input")
	}
	return line, nil
}
