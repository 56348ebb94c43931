package rig

import (
	"bytes"
	"io"
	"log"
	"mime"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// Sink is a mail server that remembers each message and answers when the test wants it to. A message counts as
// received once it is there whole: a real server may deliver it whether or not its answer arrives.
type Sink struct {
	addr string

	mu      sync.Mutex
	changed *sync.Cond
	// answers is how many messages may still be answered, any number when negative.
	answers  int
	held     int
	received []Message
	// refuse and reject, when set, say with which error a recipient and a whole message are refused.
	refuse func(to string) error
	reject func(m Message) error
}

// Message is a mail as far as the tests care.
type Message struct {
	To, ID, Code string
	text         []byte
}

// StartSink listens on addr, or on a free port when it is empty, and answers nothing before it is told to.
func StartSink(t testing.TB, addr string) *Sink {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l := Listen(t, addr)
	k := &Sink{addr: l.Addr().String()}
	k.changed = sync.NewCond(&k.mu)
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkSession{sink: k}, nil }))
	server.Domain = "sink.example.test"
	server.ErrorLog = log.New(io.Discard, "", 0) // clients that are killed in mid-sentence are what it is for
	go server.Serve(l)
	t.Cleanup(func() {
		k.Answer(-1)
		server.Close()
	})
	return k
}

// Settings let a server send to the sink.
func (k *Sink) Settings() Settings { return MailTo(k.addr) }

func MailTo(addr string) Settings {
	return Settings{"mail_url": "smtp://" + addr + "?tls=none", "mail_from": "Shop <codes@example.test>"}
}

// Answer lets so many further messages be answered, all when n is negative.
func (k *Sink) Answer(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.answers = max(k.answers, 0) + n; n < 0 {
		k.answers = -1
	}
	k.changed.Broadcast()
}

// Hold answers no further message until told to.
func (k *Sink) Hold() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answers = 0
}

// RefuseWith makes the sink refuse recipients for whom f returns an error.
func (k *Sink) RefuseWith(f func(to string) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refuse = f
}

// RejectWith makes the sink refuse messages for which f returns an error.
func (k *Sink) RejectWith(f func(m Message) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reject = f
}

// deliver takes a message and returns when it may be answered.
func (k *Sink) deliver(m Message) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.reject != nil {
		if err := k.reject(m); err != nil {
			return err
		}
	}
	k.received = append(k.received, m)
	k.held++
	for k.answers == 0 {
		k.changed.Wait()
	}
	k.held--
	if k.answers > 0 {
		k.answers--
	}
	return nil
}

// Waiting is how many messages are received and not answered.
func (k *Sink) Waiting() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.held
}

// Total is how many messages were received.
func (k *Sink) Total() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.received)
}

// ByRecipient are the messages each person got.
func (k *Sink) ByRecipient() map[string][]Message {
	k.mu.Lock()
	defer k.mu.Unlock()
	got := map[string][]Message{}
	for _, m := range k.received {
		got[m.To] = append(got[m.To], m)
	}
	return got
}

// To waits until a person has n messages and returns them.
func (k *Sink) To(t testing.TB, address string, n int) []Message {
	t.Helper()
	Await(t, "mail to "+address, func() bool { return len(k.ByRecipient()[address]) >= n })
	return k.ByRecipient()[address]
}

// sinkSession is one transaction with the sink.
type sinkSession struct {
	sink *Sink
	to   string
}

func (s *sinkSession) Mail(string, *smtp.MailOptions) error { return nil }

func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.sink.mu.Lock()
	refuse := s.sink.refuse
	s.sink.mu.Unlock()
	if refuse != nil {
		if err := refuse(to); err != nil {
			return err
		}
	}
	s.to = to
	return nil
}

func (s *sinkSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := Message{To: s.to, text: text}
	if parsed, err := mail.ReadMessage(bytes.NewReader(text)); err == nil {
		m.ID, m.Code = parsed.Header.Get("Message-Id"), codeIn(parsed.Header.Get("Subject"))
	}
	return s.sink.deliver(m)
}

func (s *sinkSession) Reset()        {}
func (s *sinkSession) Logout() error { return nil }

// codeIn is the code of a subject, which begins with it in the languages the tests use.
func codeIn(subject string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(subject)
	if err != nil {
		return ""
	}
	code, _, _ := strings.Cut(decoded, " ")
	return code
}

// Feed answers one message every so many milliseconds until the test ends: a slow mail server.
func (k *Sink) Feed(t testing.TB, milliseconds int) {
	tick := time.NewTicker(time.Duration(milliseconds) * time.Millisecond)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				k.Answer(1)
			case <-stop:
				return
			}
		}
	}()
}
