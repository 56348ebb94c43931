package provider

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net/textproto"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
)

// smtpConn is one connection that mail can be submitted on. One goroutine at a time uses it.
type smtpConn struct {
	wire       *wire
	text       *textproto.Conn
	pipelining bool
	// kept is set once it has lain in the pool: only then can a failure mean that it grew old there.
	kept bool
	// open is set while the server may hold a half-made transaction, which RSET ends.
	open bool
	// broken is set when nothing more may be sent on it.
	broken bool
	// started is set once the server has accepted DATA in the current transaction.
	started   bool
	idleSince time.Time
	commands  []byte
}

// replyError is a reply that refuses.
type replyError struct {
	code int
	// text is the last line, without the code.
	text string
}

func (e *replyError) Error() string { return "the server refuses" }

var (
	errBadReply = errors.New("the server's reply is not SMTP")
	errUnasked  = errors.New("the server replies without being asked")
)

// lostError is the loss of a connection after the message was written whole.
type lostError struct{ err error }

func (e *lostError) Error() string { return "no reply to the message: " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// transact submits one mail and returns the text of the server's last reply.
func (c *smtpConn) transact(ctx context.Context, t *transaction) (string, error) {
	c.started = false
	c.wire.budget = replyBudget
	stop := c.wire.interruptedBy(ctx)
	text, err := c.submit(t)
	if !stop() {
		c.broken = true
	}
	return text, endedBy(ctx, err)
}

// endedBy keeps where a conversation failed and says that it was ctx that ended it: the connection only reports that
// its time is over.
func endedBy(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.As(err, new(*replyError)) || errors.As(err, new(*textproto.Error)) {
		return err
	}
	cause := context.Cause(ctx)
	if errors.As(err, new(*lostError)) {
		return &lostError{cause}
	}
	if s := (*stepError)(nil); errors.As(err, &s) {
		return &stepError{s.step, cause}
	}
	return cause
}

func (c *smtpConn) submit(t *transaction) (string, error) {
	if c.text.R.Buffered() > 0 {
		return "", c.fail("MAIL", errUnasked)
	}
	if err := c.envelope(t); err != nil {
		return "", err
	}
	if c.text.R.Buffered() > 0 { // or it would be taken for the reply to the message
		return "", c.fail("DATA", errUnasked)
	}
	c.started = true
	if _, err := c.text.W.Write(t.text); err != nil {
		return "", c.fail("message", err)
	}
	if err := c.text.W.Flush(); err != nil {
		// The kernel did not take the last byte, so the server has no whole final dot.
		return "", c.fail("message", err)
	}
	faultpoint.Here("send.after_data")
	code, text, err := c.reply()
	switch {
	case err != nil:
		c.broken = true
		return "", &lostError{err}
	case code/100 == 2:
		c.open = false
		return string(text), nil
	case code/100 == 4, code/100 == 5:
		c.open = false
		return "", c.refused("message", code, text)
	}
	c.broken = true
	return "", &lostError{errBadReply}
}

// envelope gives sender and recipient and asks to send the message. With PIPELINING the commands go in one write and
// the replies are read in order (RFC 2920 §3.1).
func (c *smtpConn) envelope(t *transaction) error {
	var steps [4]string
	list := steps[:0]
	c.commands = c.commands[:0]
	if c.open {
		list = append(list, "RSET")
		c.commands = append(c.commands, "RSET\r\n"...)
	}
	list = append(list, "MAIL", "RCPT", "DATA")
	c.commands = append(c.commands, "MAIL FROM:<"...)
	c.commands = append(c.commands, t.from...)
	c.commands = append(c.commands, ">\r\nRCPT TO:<"...)
	c.commands = append(c.commands, t.to...)
	c.commands = append(c.commands, ">\r\nDATA\r\n"...)
	c.open = true
	if c.pipelining {
		return c.together(list)
	}
	return c.oneByOne(list)
}

func (c *smtpConn) together(steps []string) error {
	if err := c.write(c.commands); err != nil {
		return c.fail(steps[0], err)
	}
	var first error
	for _, step := range steps {
		err := c.expect(step)
		if c.broken {
			if first == nil {
				first = err
			}
			return first
		}
		if first == nil {
			first = err
		}
		if step == "DATA" && err == nil && first != nil {
			// It waits for a message that has no recipient. Closing is the only way to say that there is none.
			c.broken = true
		}
	}
	return first
}

func (c *smtpConn) oneByOne(steps []string) error {
	rest := c.commands
	for _, step := range steps {
		end := bytes.IndexByte(rest, '\n') + 1
		if err := c.write(rest[:end]); err != nil {
			return c.fail(step, err)
		}
		if err := c.expect(step); err != nil {
			return err
		}
		rest = rest[end:]
	}
	return nil
}

func (c *smtpConn) write(p []byte) error {
	if _, err := c.text.W.Write(p); err != nil {
		return err
	}
	return c.text.W.Flush()
}

// expect reads the reply to one command: 354 to DATA, 2xx to anything else.
func (c *smtpConn) expect(step string) error {
	code, text, err := c.reply()
	switch {
	case err != nil:
		return c.fail(step, err)
	case step == "DATA" && code == 354, step != "DATA" && code/100 == 2:
		return nil
	case step != "RSET" && (code/100 == 4 || code/100 == 5):
		return c.refused(step, code, text)
	}
	return c.fail(step, errBadReply)
}

func (c *smtpConn) fail(step string, err error) error {
	c.broken = true
	return &stepError{step, err}
}

func (c *smtpConn) refused(step string, code int, text []byte) error {
	if code == 421 {
		c.broken = true // RFC 5321 §3.8: the server closes
	}
	return &stepError{step, &replyError{code, string(text)}}
}

// reply reads one reply to its last line, which decides. text is valid until the next read.
func (c *smtpConn) reply() (code int, text []byte, err error) {
	for {
		line, err := c.text.R.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			return 0, nil, errBadReply
		}
		if err != nil {
			return 0, nil, err
		}
		code, text, more, ok := parseReplyLine(line)
		if !ok {
			return 0, nil, errBadReply
		}
		if !more {
			return code, text, nil
		}
	}
}

// died reports whether err shows that the connection was gone before the server accepted any of the message.
func (c *smtpConn) died(err error) bool {
	if c.started || !c.broken {
		return false
	}
	var r *replyError
	return !errors.As(err, &r) || r.code == 421
}

// probe asks whether the server still listens.
func (c *smtpConn) probe(ctx context.Context, wait time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	c.wire.budget = replyBudget
	stop := c.wire.interruptedBy(ctx)
	err := c.write([]byte("NOOP\r\n"))
	if err == nil {
		err = c.expect("NOOP")
	}
	return stop() && err == nil
}

// quit says goodbye without waiting for an answer.
func (c *smtpConn) quit() {
	if !c.broken {
		c.wire.SetDeadline(time.Now().Add(100 * time.Millisecond))
		c.write([]byte("QUIT\r\n"))
	}
	c.wire.Close()
}
