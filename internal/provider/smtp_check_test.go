package provider_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

func check(t testing.TB, s outbox.Sender) []provider.Finding {
	t.Helper()
	c, ok := s.(provider.Checker)
	if !ok {
		t.Fatalf("%T looks at nothing", s)
	}
	return c.Check(context.Background())
}

// summary is a list of findings in one line: subject and verdict of each.
func summary(found []provider.Finding) string {
	var words []string
	for _, f := range found {
		words = append(words, f.Subject+" "+string(f.Verdict))
	}
	return strings.Join(words, ", ")
}

func TestSMTPCheckNamesTheStepThatFails(t *testing.T) {
	config, pem := testCertificate(t, "127.0.0.1")
	other, _ := testCertificate(t, "127.0.0.1")
	foreign, foreignPEM := testCertificate(t, "mail.example.net")
	secure := []string{"STARTTLS", "AUTH PLAIN"}
	tests := []struct {
		name     string
		server   *script
		settings map[string]string
		want     string // summary
		do       string
	}{
		{"all is well", &script{extensions: secure, tls: config}, nil, "connection good, encryption good, login good, sender good", ""},
		{"no login wanted", &script{extensions: []string{"STARTTLS"}, tls: config}, map[string]string{"username": "", "password": ""},
			"connection good, encryption good, login good, sender good", ""},
		{"greeting refuses", &script{at: on("greeting", sayAndClose("554 5.7.1 blocked"))}, nil, "connection bad", "blocklists"},
		{"busy", &script{at: on("greeting", sayAndClose("421 4.7.0 later"))}, nil, "connection doubtful", "may pass"},
		{"no STARTTLS", &script{extensions: []string{"AUTH PLAIN"}}, nil, "connection good, encryption bad", "tls=implicit"},
		{"in clear on an implicit port", &script{}, map[string]string{"tls": "implicit"}, "connection good, encryption bad", "set tls to starttls"},
		{"another authority", &script{extensions: secure, tls: other}, nil, "connection good, encryption bad", "root_ca"},
		{"another host", &script{extensions: secure, tls: foreign}, map[string]string{"root_ca": foreignPEM}, "connection good, encryption bad", "Set host"},
		{"no AUTH", &script{extensions: []string{"STARTTLS"}, tls: config}, nil, "connection good, encryption good, login bad", "Set auth"},
		{"wrong password", &script{extensions: secure, tls: config, at: on("AUTH", say("535 5.7.8 no "+sinkPassword))}, nil,
			"connection good, encryption good, login bad", "password"},
		{"login busy", &script{extensions: secure, tls: config, at: on("AUTH", say("454 4.7.0 later"))}, nil, "connection good, encryption good, login doubtful", "may pass"},
		{"foreign sender", &script{extensions: secure, tls: config, at: on("MAIL", say("553 5.7.1 codes@example.org is not yours"))}, nil,
			"connection good, encryption good, login good, sender bad", "Send from"},
		{"login wanted", &script{extensions: []string{"STARTTLS"}, tls: config, at: on("MAIL", say("530 5.7.0 login first"))},
			map[string]string{"username": "", "password": ""}, "connection good, encryption good, sender bad", "set username"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			settings := map[string]string{"host": "127.0.0.1", "port": test.server.start(t), "root_ca": pem, "username": sinkUser, "password": sinkPassword}
			for k, v := range test.settings {
				settings[k] = v
			}
			found := check(t, openSMTP(t, settings))
			if got := summary(found); got != test.want {
				t.Fatalf("found %q, want %q", got, test.want)
			}
			if last := found[len(found)-1]; !strings.Contains(last.Do, test.do) || (last.Do == "") != (test.do == "") {
				t.Errorf("advice %q, want %q", last.Do, test.do)
			}
			if text := fmt.Sprint(found); strings.Contains(text, sinkPassword) || strings.Contains(text, sinkUser) || strings.Contains(text, "codes@") {
				t.Errorf("a secret or an address in %s", text)
			}
			if said := test.server.said(); slices.ContainsFunc(said, func(line string) bool { return strings.HasPrefix(line, "RCPT") || line == "DATA" }) {
				t.Errorf("a message was begun: %q", said)
			}
		})
	}
}

func TestSMTPCheckOfAPortWhereNobodyListens(t *testing.T) {
	l := listen(t)
	l.Close()
	found := check(t, openSMTP(t, map[string]string{"host": "127.0.0.1", "port": portOf(l)}))
	if summary(found) != "connection bad" || !strings.Contains(found[0].Found, "refused") || !strings.Contains(found[0].Do, "587") {
		t.Errorf("found %+v", found)
	}
}

func TestPortsHaveAdviceOfTheirOwn(t *testing.T) {
	for port, want := range map[string]string{"25": "Port 25 is for servers", "587": "465 with tls=implicit", "465": "587 with tls=starttls", "2500": "host and port"} {
		if got := provider.PortAdvice(port); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", port, got, want)
		}
	}
}

// silent accepts connections and says nothing.
func silent(t testing.TB) net.Listener {
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	}()
	return l
}

func TestSMTPCheckOfAServerThatWaitsForTLS(t *testing.T) {
	found := check(t, openSMTP(t, map[string]string{"host": "127.0.0.1", "port": portOf(silent(t)), "connect_timeout": "50ms"}))
	if summary(found) != "connection bad" || !strings.Contains(found[0].Do, "set tls to implicit") {
		t.Errorf("found %+v", found)
	}
	config, _ := testCertificate(t, "127.0.0.1")
	inside := tls.NewListener(silent(t), config)
	found = check(t, openSMTP(t, map[string]string{"host": "127.0.0.1", "port": portOf(inside), "connect_timeout": "50ms"}))
	if summary(found) != "connection bad" {
		t.Errorf("found %+v", found)
	}
}
