package provider_test

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
)

// FuzzSMTPHeaderInjection sends whatever strangers may get into a message, and looks for a header line, a command or a
// message that was not meant.
func FuzzSMTPHeaderInjection(f *testing.F) {
	f.Add("jane@example.com", "482913 is your code", "Contoso", "Your code", "<p>code</p>", "en")
	f.Add("jane@example.com\r\nRCPT TO:<x@y.example>", "a\r\nBcc: x@y.example", "b\nX-Evil: 1", "\r\n.\r\nMAIL FROM:<a@b.example>\r\n", "\n.\n", "en\r\nX-Evil: 1")
	f.Add("a@b.example", "\u2028=?utf-8?q?x?=\x00", "\"<x@y.example>, ", ".\r", "..\r\r\n.", "de-")
	f.Add("a@b.example", strings.Repeat("long ", 300), strings.Repeat("x", 2000), "", "", "")
	server := &script{extensions: []string{"PIPELINING"}}
	s := openSMTP(f, inClear(server.start(f)))
	f.Fuzz(func(t *testing.T, to, subject, name, text, html, language string) {
		sink := startSink(t, sinkOptions{})
		other := openSMTP(t, inClear(sink.port))
		m := outbox.Message{Channel: outbox.Email, To: to, Subject: subject, FromName: name, Text: text, HTML: html, Language: language}
		before := len(server.said())
		_, err := s.Send(context.Background(), "dlv_1", m)
		if err != nil {
			if fault(t, err).Class != outbox.InvalidRecipient {
				t.Fatalf("got %v", err)
			}
			return
		}
		commands := slices.DeleteFunc(server.said()[before:], func(c string) bool { return strings.HasPrefix(c, "EHLO") })
		want := []string{"MAIL FROM:<codes@example.org>", "RCPT TO:<" + to + ">", "DATA", "."}
		if !slices.Equal(commands, want) {
			t.Fatalf("the server heard %q, want %q", commands, want)
		}
		if _, err := other.Send(context.Background(), "dlv_1", m); err != nil {
			t.Fatal(err)
		}
		mails := sink.all()
		if len(mails) != 1 {
			t.Fatalf("got %d mails", len(mails))
		}
		checkHeaders(t, mails[0].text)
	})
}

func checkHeaders(t *testing.T, text string) {
	if strings.ContainsAny(strings.ReplaceAll(text, "\r\n", ""), "\r\n") {
		t.Errorf("a line end stands alone in %q", text)
	}
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	allowed := []string{"Auto-Submitted", "Content-Language", "Content-Transfer-Encoding", "Content-Type", "Date", "From",
		"Message-Id", "Mime-Version", "Subject", "To", "X-Auto-Response-Suppress", "X-Entity-Ref-Id"}
	for name, values := range m.Header {
		if !slices.Contains(allowed, name) || len(values) != 1 {
			t.Errorf("header %s %q is not ours", name, values)
		}
	}
	if from, err := m.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Address != "codes@example.org" {
		t.Errorf("got From %v, %v", from, err)
	}
	if to, err := m.Header.AddressList("To"); err != nil || len(to) != 1 {
		t.Errorf("got To %v, %v", to, err)
	}
}
