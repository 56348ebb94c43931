//go:build unix

package provider_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/e2e/mailserver"
	"github.com/otpost/otpost/internal/outbox"
)

func TestSMTPThroughARealMailServer(t *testing.T) {
	server := mailserver.Start(t)
	for _, auth := range []string{"plain", "login", "auto"} {
		t.Run(auth, func(t *testing.T) {
			s := openSMTP(t, map[string]string{"host": server.Host, "port": server.Port, "tls": "starttls",
				"root_ca": server.CA, "auth": auth, "username": server.User, "password": server.Password})
			m := sampleMessage()
			m.To = auth + "@example.test"
			m.Subject = "482913 — код для Contoso"
			m.Text = ".\nКод: 482913\n\n.\n..leading dots\n"
			ref, err := s.Send(context.Background(), "dlv_"+auth, m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Send(context.Background(), "dlv_"+auth+"2", m); err != nil {
				t.Fatal(err)
			}
			got := server.Wait(t, m.To, 2)
			if !strings.Contains(server.Log(), ref) {
				t.Errorf("the reference %q is not in the server's log:\n%s", ref, server.Log())
			}
			for _, mail := range got {
				if h := mail.Header; h.Get("Auto-Submitted") != "auto-generated" || h.Get("Return-Path") != "<codes@example.org>" ||
					!strings.Contains(h.Get("Received"), "esmtpsa") || h.Get("Envelope-To") != m.To {
					t.Errorf("got headers %v, want a mail over TLS after a login", h)
				}
			}
			ids := []string{got[0].Header.Get("Message-Id"), got[1].Header.Get("Message-Id")}
			slices.Sort(ids)
			if !slices.Equal(ids, []string{"<dlv_" + auth + "2@example.org>", "<dlv_" + auth + "@example.org>"}) {
				t.Errorf("got Message-IDs %q", ids)
			}
			_, parts := readMail(t, string(server.Texts(t, m.To)[0]))
			if want := []string{"text/plain; charset=UTF-8", m.Text, "text/html; charset=UTF-8", m.HTML}; !slices.Equal(parts, want) {
				t.Errorf("got parts %q, want %q", parts, want)
			}
		})
	}
}

func TestSMTPRefusalsOfARealMailServer(t *testing.T) {
	server := mailserver.Start(t)
	settings := map[string]string{"host": server.Host, "port": server.Port, "root_ca": server.CA,
		"username": server.User, "password": server.Password}
	tests := []struct {
		name   string
		change func(settings map[string]string, m *outbox.Message)
		class  outbox.Class
		code   string
	}{
		{"unknown user", func(_ map[string]string, m *outbox.Message) { m.To = mailserver.UnknownUser + "@example.test" },
			outbox.InvalidRecipient, "550 5.1.1"},
		{"foreign domain", func(_ map[string]string, m *outbox.Message) { m.To = "jane@example.net" },
			outbox.RejectedContent, "550 5.7.1"},
		{"no login", func(s map[string]string, _ *outbox.Message) { s["auth"] = "none" }, outbox.Account, "550 5.7.0"},
		{"wrong password", func(s map[string]string, _ *outbox.Message) { s["password"] = "wrong" }, outbox.Account, "535"},
		{"wrong authority", func(s map[string]string, _ *outbox.Message) { _, s["root_ca"] = testCertificate(t, "127.0.0.1") },
			outbox.Account, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			own, m := map[string]string{}, sampleMessage()
			for k, v := range settings {
				own[k] = v
			}
			m.To = "jane@example.test"
			test.change(own, &m)
			_, err := openSMTP(t, own).Send(context.Background(), "dlv_1", m)
			if f := fault(t, err); f.Class != test.class || f.Code != test.code {
				t.Errorf("got %v, want %s %s", f, test.class, test.code)
			}
		})
	}
}

func TestSMTPCheckOfARealMailServer(t *testing.T) {
	server := mailserver.Start(t)
	settings := map[string]string{"host": server.Host, "port": server.Port, "root_ca": server.CA, "username": server.User, "password": server.Password}
	if got := summary(check(t, openSMTP(t, settings))); got != "connection good, encryption good, login good, sender good" {
		t.Errorf("found %q", got)
	}
	if log := server.Log(); strings.Contains(log, "<=") { // exim's mark of a message
		t.Errorf("a message was begun:\n%s", log)
	}
	settings["password"] = "wrong"
	if got := summary(check(t, openSMTP(t, settings))); got != "connection good, encryption good, login bad" {
		t.Errorf("with a wrong password: found %q", got)
	}
	settings["auth"] = "none"
	if got := summary(check(t, openSMTP(t, settings))); got != "connection good, encryption good, sender bad" {
		t.Errorf("without a login: found %q", got)
	}
}
