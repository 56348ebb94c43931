package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// smtpSubjects are what a conversation proves, in order, with the steps that each is proved by.
var smtpSubjects = []struct {
	subject string
	steps   []string
}{
	{"token", []string{"token"}},
	{"connection", []string{"connect", "greeting", "EHLO"}},
	{"encryption", []string{"TLS", "STARTTLS"}},
	{"login", []string{"AUTH"}},
	{"sender", []string{"MAIL"}},
}

// Check connects, encrypts, logs in and names the sender, and leaves without a message.
func (s *smtpSender) Check(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	c, err := s.dialer.dial(ctx)
	if err != nil {
		return s.stuck(err)
	}
	defer c.quit()
	stop := c.wire.interruptedBy(ctx)
	err = c.nameSender(cmp.Or(s.composer.envelope, s.composer.from.Address))
	if !stop() {
		c.broken = true
	}
	if err != nil {
		return s.stuck(endedBy(ctx, err))
	}
	return s.passed("")
}

// nameSender begins a transaction and ends it.
func (c *smtpConn) nameSender(from string) error {
	c.open = true
	if err := c.write([]byte("MAIL FROM:<" + from + ">\r\n")); err != nil {
		return c.fail("MAIL", err)
	}
	if err := c.expect("MAIL"); err != nil {
		return err
	}
	if err := c.write([]byte("RSET\r\n")); err != nil {
		return c.fail("RSET", err)
	}
	return c.expect("RSET")
}

// passed are the good findings of what comes before a subject; of all when it is empty.
func (s *smtpSender) passed(until string) (found []Finding) {
	d := s.dialer
	said := map[string]string{
		"connection": d.address + " answers.",
		"encryption": "The server proves who it is, by a certificate that this machine trusts.",
		"login":      "The server accepts it.",
		"sender":     "The server lets this login send from the sender's address.",
	}
	if d.mode == "none" {
		delete(said, "encryption")
	}
	if d.auth == "none" || d.username == "" {
		said["login"] = "None is set, and the server takes a sender without one."
		if until != "" {
			delete(said, "login")
		}
		said["sender"] = "The server takes the sender's address."
	}
	if d.tokens != nil {
		said["token"] = "Microsoft Entra gives a token."
	}
	for _, row := range smtpSubjects {
		if row.subject == until {
			break
		}
		if text := said[row.subject]; text != "" {
			found = append(found, Finding{Subject: row.subject, Verdict: Good, Found: text})
		}
	}
	return found
}

// stuck says where a conversation ended and what to do.
func (s *smtpSender) stuck(err error) []Finding {
	step := ""
	if at := (*stepError)(nil); errors.As(err, &at) {
		step = at.step
	}
	f := s.fault(err, &outbox.Message{})
	detail := strings.TrimPrefix(f.Detail, step+": ")
	if step == "token" {
		finding := entraFinding(f)
		finding.Subject, finding.Do = "token", "Check oauth_tenant, oauth_client_id, oauth_client_secret, oauth_authority and oauth_scope."
		return append(s.passed("token"), finding)
	}
	for _, row := range smtpSubjects {
		for _, one := range row.steps {
			if one == step {
				finding := s.advise(row.subject, step, f, detail)
				return append(s.passed(row.subject), finding)
			}
		}
	}
	return append(s.passed("sender"), Finding{Subject: "conversation", Verdict: Doubtful, Found: "It ended early: " + f.Error() + ".", Do: "Check again later."})
}

func (s *smtpSender) advise(subject, step string, f *outbox.Fault, detail string) Finding {
	host, port, _ := net.SplitHostPort(s.dialer.address)
	if step == "connect" && f.Code == "" {
		finding := unreachable(host, port, detail)
		if strings.Contains(detail, "in time") || strings.Contains(detail, "refused") {
			finding.Do = portAdvice(port)
		}
		return finding
	}
	found := Finding{Subject: subject, Verdict: Bad, Found: fmt.Sprintf("It fails at %s: %s.", step, strings.TrimSuffix(detail, "."))}
	if f.Code != "" {
		found.Found = fmt.Sprintf("The server refuses at %s (%s): %s", step, f.Code, detail)
	}
	if f.Code != "" && f.Code[0] == '4' {
		found.Verdict, found.Do = Doubtful, "The server says that this may pass. Check again in some minutes."
		return found
	}
	found.Do = s.smtpAdvice(step, port, f, detail)
	return found
}

// portAdvice is for a port that does not answer.
func portAdvice(port string) string {
	const other = "Use the server's submission port, 587 with tls=starttls or 465 with tls=implicit."
	switch port {
	case "25":
		return "Port 25 is for servers among themselves, and clouds and providers block it. " + other
	case "587":
		return "Check the host. If it is right, a firewall drops or refuses what goes out to port 587: open it, or try port 465 with tls=implicit, or 2525 where the server has it."
	case "465":
		return "Check the host. If it is right, a firewall drops or refuses what goes out to port 465: open it, or try port 587 with tls=starttls."
	}
	return "Check host and port, and that this machine may connect outward to it. " + other
}

// smtpAdvice is what to do about a step that failed for good.
func (s *smtpSender) smtpAdvice(step, port string, f *outbox.Fault, detail string) string {
	switch {
	case step == "TLS" && strings.Contains(detail, "does not speak TLS"):
		return "This port begins in clear: set tls to starttls."
	case step == "greeting" && s.dialer.mode != "implicit" && f.Code == "" && (port == "465" || strings.Contains(detail, "in time")):
		return "A server that waits for TLS looks like this: set tls to implicit, as port 465 wants it."
	case step == "greeting" || step == "EHLO":
		return "The server does not want this machine: look at its list of addresses that may submit, and at its blocklists."
	case step == "STARTTLS" && strings.Contains(detail, "offers no STARTTLS"):
		return "Use port 587 of a server that offers it, or port 465 with tls=implicit. A device between that takes STARTTLS away also looks like this."
	case strings.Contains(detail, "another host"):
		return "Set host to a name that is in the server's certificate."
	case strings.Contains(detail, "certificate"):
		return "Name the server's own authority in root_ca, or let the server have a certificate of a public one."
	case step == "TLS" || step == "STARTTLS":
		return "Check port and tls: 587 goes with starttls, 465 with implicit. The server may only speak TLS older than 1.2."
	case step == "AUTH" && strings.Contains(detail, "does not offer"):
		return "Set auth to what the server offers; on port 25 many offer no login, so use 587 or 465."
	case step == "AUTH":
		return "Check username and password. Google wants an app password; Microsoft 365 wants SMTP AUTH allowed for the mailbox, or auth=xoauth2."
	case strings.HasPrefix(f.Code, "530") || s.dialer.username == "":
		return "The server wants a login: set username and password."
	}
	return "Send from an address that this login may use: set from, or envelope_sender, or give the login the right in the server."
}
