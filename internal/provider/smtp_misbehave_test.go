package provider_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// bothWays runs a test against a server that takes commands in one write and one that does not.
func bothWays(t *testing.T, f func(t *testing.T, extensions []string)) {
	t.Run("pipelined", func(t *testing.T) { f(t, []string{"8BITMIME", "PIPELINING"}) })
	t.Run("one by one", func(t *testing.T) { f(t, nil) })
}

func inClear(port string) map[string]string {
	return map[string]string{"host": "127.0.0.1", "port": port, "tls": "none"}
}

// messageFor is big where a test wants the connection to break in the middle of it.
func messageFor(step string) outbox.Message {
	if step == "body" {
		return bigMessage()
	}
	return sampleMessage()
}

// bigMessage does not fit in the buffers between two sockets, so that writing it needs a reader.
func bigMessage() outbox.Message {
	m := sampleMessage()
	m.Text = strings.Repeat("all work and no play makes jack a dull boy\n", 280_000)
	m.HTML = ""
	return m
}

func TestSMTPRefusalsAreClassedByTheLastLine(t *testing.T) {
	tests := []struct {
		step, reply string
		class       outbox.Class
		code        string
	}{
		{"greeting", "421 4.3.2 too many connections", outbox.Transient, "421 4.3.2"},
		{"greeting", "554 5.7.1 your address is on a list", outbox.Account, "554 5.7.1"},
		{"MAIL", "421 4.4.2 closing", outbox.Transient, "421 4.4.2"},
		{"MAIL", "451 4.3.0 try later", outbox.Transient, "451 4.3.0"},
		{"MAIL", "530 5.7.0 authentication required", outbox.Account, "530 5.7.0"},
		{"MAIL", "550 5.7.60 no permission to send as this sender", outbox.Account, "550 5.7.60"},
		{"MAIL", "552 5.3.4 message too big", outbox.RejectedContent, "552 5.3.4"},
		{"MAIL", "553 sender not owned", outbox.Account, "553"},
		{"MAIL", "501 5.5.4 syntax", outbox.RejectedContent, "501 5.5.4"},
		{"RCPT", "450 4.2.1 mailbox busy", outbox.Transient, "450 4.2.1"},
		{"RCPT", "450 4.7.1 greylisted, come back", outbox.Transient, "450 4.7.1"},
		{"RCPT", "452 4.5.3 too many recipients", outbox.Transient, "452 4.5.3"},
		{"RCPT", "454 4.7.0 throttling failure: maximum sending rate exceeded", outbox.Throttled, "454 4.7.0"},
		{"RCPT", "454 4.7.0 throttling failure: daily message quota exceeded", outbox.Quota, "454 4.7.0"},
		{"RCPT", "550 5.4.5 daily user sending limit exceeded", outbox.Quota, "550 5.4.5"},
		{"RCPT", "454 4.7.0 temporary failure", outbox.Transient, "454 4.7.0"},
		{"RCPT", "550 5.1.1 no such user", outbox.InvalidRecipient, "550 5.1.1"},
		{"RCPT", "550 no such user", outbox.InvalidRecipient, "550"},
		{"RCPT", "550 5.1.2 no such domain", outbox.InvalidRecipient, "550 5.1.2"},
		{"RCPT", "553 5.1.3 bad syntax", outbox.InvalidRecipient, "553 5.1.3"},
		{"RCPT", "556 5.1.10 takes no mail", outbox.InvalidRecipient, "556 5.1.10"},
		{"RCPT", "552 5.2.2 mailbox full", outbox.Transient, "552 5.2.2"},
		{"RCPT", "550 5.7.1 relaying denied", outbox.RejectedContent, "550 5.7.1"},
		{"RCPT", "535 5.7.8 log in first", outbox.Account, "535 5.7.8"},
		{"RCPT", "503 5.5.1 bad sequence", outbox.RejectedContent, "503 5.5.1"},
		{"RCPT", "504 5.5.4 not implemented", outbox.RejectedContent, "504 5.5.4"},
		{"RCPT", "550-5.7.1 refused because\r\n550-5.7.1 of several reasons\r\n550 5.1.1 the last line decides", outbox.InvalidRecipient, "550 5.1.1"},
		{"RCPT", "550 4.1.1 digits that contradict each other", outbox.InvalidRecipient, "550"},
		{"DATA", "451 4.3.1 no disk", outbox.Transient, "451 4.3.1"},
		{"DATA", "554 5.5.1 no valid recipients", outbox.RejectedContent, "554 5.5.1"},
		{"dot", "250-almost\r\n451 4.7.1 greylisted after all", outbox.Transient, "451 4.7.1"},
		{"dot", "550 5.7.1 looks like spam", outbox.RejectedContent, "550 5.7.1"},
		{"dot", "554 5.7.1 looks like spam", outbox.RejectedContent, "554 5.7.1"},
		{"dot", "554 refused", outbox.RejectedContent, "554"},
		{"dot", "550 5.7.26 sender does not pass authentication", outbox.Account, "550 5.7.26"},
		{"dot", "552 5.2.2 mailbox full", outbox.Transient, "552 5.2.2"},
		{"dot", "552 5.3.4 too big", outbox.RejectedContent, "552 5.3.4"},
		{"dot", "421 4.3.0 closing", outbox.Transient, "421 4.3.0"},
	}
	bothWays(t, func(t *testing.T, extensions []string) {
		for _, test := range tests {
			t.Run(test.step+" "+test.reply, func(t *testing.T) {
				server := &script{extensions: extensions, at: on(test.step, say(test.reply))}
				s := openSMTP(t, inClear(server.start(t)))
				_, err := s.Send(context.Background(), "dlv_1", sampleMessage())
				f := fault(t, err)
				if f.Class != test.class || f.Code != test.code {
					t.Errorf("got %s %q, want %s %q", f.Class, f.Code, test.class, test.code)
				}
			})
		}
	})
}

func TestSMTPHangingServerIsInterruptedAtEveryStep(t *testing.T) {
	config, pem := testCertificate(t, "127.0.0.1")
	for _, step := range []string{"greeting", "EHLO", "STARTTLS", "TLS", "AUTH", "MAIL", "RCPT", "DATA", "body", "dot"} {
		t.Run(step, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			end := make(chan struct{})
			defer close(end)
			a := hang(cancel)
			if step == "body" {
				a = deaf(cancel, end)
			}
			server := &script{extensions: []string{"STARTTLS", "AUTH PLAIN"}, tls: config, at: on(step, a)}
			s := openSMTP(t, map[string]string{"host": "127.0.0.1", "port": server.start(t), "root_ca": pem,
				"username": sinkUser, "password": sinkPassword})
			_, err := s.Send(ctx, "dlv_1", messageFor(step))
			want := outbox.Transient
			if step == "dot" {
				want = outbox.Ambiguous
			}
			f := fault(t, err)
			if f.Class != want || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v (%v), want %s because of the cancellation", f, f.Err, want)
			}
		})
	}
}

func TestSMTPDeadlineInterrupts(t *testing.T) {
	err := inTime(t, func(left time.Duration, there func()) error {
		server := &script{at: on("RCPT", hang(there))}
		s := openSMTP(t, inClear(server.start(t)))
		ctx, cancel := context.WithTimeout(context.Background(), left)
		defer cancel()
		_, err := s.Send(ctx, "dlv_1", sampleMessage())
		return err
	})
	if f := fault(t, err); f.Class != outbox.Transient || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want transient because of the deadline", f)
	}
}

func TestSMTPOwnTimeoutInterrupts(t *testing.T) {
	err := inTime(t, func(left time.Duration, there func()) error {
		server := &script{at: on("dot", hang(there))}
		settings := inClear(server.start(t))
		settings["timeout"] = left.String()
		_, err := openSMTP(t, settings).Send(context.Background(), "dlv_1", sampleMessage())
		return err
	})
	if f := fault(t, err); f.Class != outbox.Ambiguous {
		t.Errorf("got %v, want ambiguous", f)
	}
}

func TestSMTPLostConnectionIsAmbiguousOnlyAfterTheDot(t *testing.T) {
	bothWays(t, func(t *testing.T, extensions []string) {
		for _, step := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot"} {
			for name, a := range map[string]act{"reset": reset(), "closed": closed()} {
				t.Run(step+" "+name, func(t *testing.T) {
					server := &script{extensions: extensions, at: on(step, a)}
					s := openSMTP(t, inClear(server.start(t)))
					_, err := s.Send(context.Background(), "dlv_1", messageFor(step))
					want := outbox.Transient
					if step == "dot" {
						want = outbox.Ambiguous
					}
					if f := fault(t, err); f.Class != want {
						t.Errorf("got %v, want %s", f, want)
					}
				})
			}
		}
	})
}

func TestSMTPNonsenseIsAmbiguousOnlyAfterTheDot(t *testing.T) {
	for _, step := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot"} {
		for _, reply := range []string{"hello", "99", "250_ok", "199 odd", "399 odd", strings.Repeat("2", 9000)} {
			t.Run(fmt.Sprintf("%s %.8s", step, reply), func(t *testing.T) {
				server := &script{extensions: []string{"PIPELINING"}, at: on(step, sayAndClose(reply))}
				_, err := openSMTP(t, inClear(server.start(t))).Send(context.Background(), "dlv_1", sampleMessage())
				want := outbox.Transient
				if step == "dot" {
					want = outbox.Ambiguous
				}
				if f := fault(t, err); f.Class != want {
					t.Errorf("got %v, want %s", f, want)
				}
			})
		}
	}
}

func TestSMTPEndlessReplyIsCutOff(t *testing.T) {
	for _, step := range []string{"greeting", "EHLO", "MAIL"} {
		server := &script{at: on(step, func(c *scriptConn) bool {
			for {
				if _, err := c.Write([]byte("250-and another thing\r\n")); err != nil {
					return false
				}
			}
		})}
		_, err := openSMTP(t, inClear(server.start(t))).Send(context.Background(), "dlv_1", sampleMessage())
		if f := fault(t, err); f.Class != outbox.Transient {
			t.Errorf("%s: got %v, want transient", step, f)
		}
	}
}

func TestSMTPKeptConnectionThatDiedIsReplacedUnseen(t *testing.T) {
	bothWays(t, func(t *testing.T, extensions []string) {
		for name, a := range map[string]act{
			"reset": reset(), "closed": closed(), "421": sayAndClose("421 4.4.2 idle too long"),
		} {
			for _, step := range []string{"MAIL", "RCPT", "DATA"} {
				t.Run(step+" "+name, func(t *testing.T) {
					seen := 0
					server := &script{extensions: extensions, at: func(s string, n int) act {
						if s == step && n == 1 {
							if seen++; seen == 2 {
								return a
							}
						}
						return nil
					}}
					s := openSMTP(t, inClear(server.start(t)))
					for range 2 {
						if _, err := s.Send(context.Background(), "dlv_1", sampleMessage()); err != nil {
							t.Fatal(err)
						}
					}
					if server.opened() != 2 {
						t.Errorf("got %d connections, want 2", server.opened())
					}
				})
			}
		}
	})
}

func TestSMTPKeptConnectionThatDiesLaterIsNotSentAgain(t *testing.T) {
	for step, want := range map[string]outbox.Class{"body": outbox.Transient, "dot": outbox.Ambiguous} {
		t.Run(step, func(t *testing.T) {
			seen := 0
			server := &script{at: func(s string, _ int) act {
				if s == step {
					if seen++; seen == 2 {
						return reset()
					}
				}
				return nil
			}}
			s := openSMTP(t, inClear(server.start(t)))
			if _, err := s.Send(context.Background(), "dlv_1", sampleMessage()); err != nil {
				t.Fatal(err)
			}
			_, err := s.Send(context.Background(), "dlv_2", messageFor(step))
			if f := fault(t, err); f.Class != want || server.opened() != 1 {
				t.Errorf("got %v over %d connections, want %s over 1", f, server.opened(), want)
			}
		})
	}
}

func TestSMTPConnectionOutlivesARefusedRecipient(t *testing.T) {
	bothWays(t, func(t *testing.T, extensions []string) {
		seen := 0
		server := &script{extensions: extensions, at: func(s string, _ int) act {
			switch s {
			case "RCPT":
				if seen++; seen == 1 {
					return say("550 5.1.1 no such user")
				}
			case "DATA":
				if seen == 1 {
					return say("503 5.5.1 no recipients")
				}
			}
			return nil
		}}
		s := openSMTP(t, inClear(server.start(t)))
		if _, err := s.Send(context.Background(), "dlv_1", sampleMessage()); fault(t, err).Class != outbox.InvalidRecipient {
			t.Fatalf("got %v, want invalid_recipient", err)
		}
		if _, err := s.Send(context.Background(), "dlv_2", sampleMessage()); err != nil {
			t.Fatal(err)
		}
		if server.opened() != 1 || !strings.Contains(strings.Join(server.said(), "\n"), "RSET") {
			t.Errorf("got %d connections that heard %q, want one that heard RSET", server.opened(), server.said())
		}
	})
}

func TestSMTPReplyBeforeTheMessageIsNotTakenForItsReply(t *testing.T) {
	server := &script{at: on("DATA", say("354 go ahead", "250 2.0.0 Ok: queued as 4F3B1C0A22"))}
	_, err := openSMTP(t, inClear(server.start(t))).Send(context.Background(), "dlv_1", sampleMessage())
	if f := fault(t, err); f.Class != outbox.Transient || !strings.Contains(f.Detail, "without being asked") {
		t.Errorf("got %v, want transient: replies without being asked", f)
	}
}

func TestSMTPConnectionThatIsOutOfStepIsReplaced(t *testing.T) {
	for name, at := range map[string]func(string, int) act{
		"two replies to a message": on("dot", say("250 2.0.0 ok", "250 2.0.0 ok again")),
		"no RSET": func(step string, n int) act {
			if step == "RSET" || step == "RCPT" && n == 1 {
				return say("550 5.1.1 no")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := &script{at: at}
			s := openSMTP(t, inClear(server.start(t)))
			s.Send(context.Background(), "dlv_1", sampleMessage()) // leaves the connection in its odd state
			if _, err := s.Send(context.Background(), "dlv_2", sampleMessage()); err != nil {
				t.Fatal(err)
			}
			if server.opened() != 2 {
				t.Errorf("got %d connections, want 2", server.opened())
			}
		})
	}
}

func TestSMTPRefusedRecipientNeverGetsAMessage(t *testing.T) {
	// The server refuses the recipient and asks for the message all the same.
	server := &script{extensions: []string{"PIPELINING"}, at: on("RCPT", say("550 5.1.1 no such user"))}
	s := openSMTP(t, inClear(server.start(t)))
	for range 2 {
		_, err := s.Send(context.Background(), "dlv_1", sampleMessage())
		if f := fault(t, err); f.Class != outbox.InvalidRecipient {
			t.Errorf("got %v, want invalid_recipient", f)
		}
	}
	for _, line := range server.said() {
		if line == "." {
			t.Errorf("a message was sent: %q", server.said())
		}
	}
}

func TestSMTPFaultsKeepSecretsToThemselves(t *testing.T) {
	m := sampleMessage()
	reply := "550 5.7.1 <JANE@example.com> jane@EXAMPLE.com: code 482913 from " + sinkUser + " using " + sinkPassword +
		" AG90cA==\tother.person@example.net refused"
	for _, step := range []string{"MAIL", "RCPT", "DATA", "dot"} {
		server := &script{at: on(step, say(reply))}
		settings := inClear(server.start(t))
		settings["username"], settings["password"], settings["insecure"], settings["auth"] = sinkUser, sinkPassword, "true", "none"
		_, err := openSMTP(t, settings).Send(context.Background(), "dlv_1", m)
		text := strings.ToLower(fault(t, err).Error())
		for _, secret := range []string{"jane", "482913", sinkUser, sinkPassword, "other.person", "\t"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %q is in %q", step, secret, text)
			}
		}
		if !strings.Contains(text, "refused") {
			t.Errorf("%s: nothing of the server's words is left in %q", step, text)
		}
	}
}
