package fake

import (
	"fmt"
	"net/smtp"
	"sync"
)

// mailer sends one message after the other over one connection.
type mailer struct {
	client *smtp.Client
	queue  chan [2]string
	done   sync.WaitGroup
	err    error
}

func newMailer(addr string) (*mailer, error) {
	client, err := smtp.Dial(addr)
	if err != nil {
		return nil, fmt.Errorf("dial mail server: %w", err)
	}
	m := &mailer{client: client, queue: make(chan [2]string, 1<<16)}
	m.done.Go(func() {
		for letter := range m.queue {
			if m.err == nil {
				m.err = m.deliver(letter[0], letter[1])
			}
		}
	})
	return m, nil
}

func (m *mailer) send(to, code string) { m.queue <- [2]string{to, code} }

func (m *mailer) deliver(to, code string) error {
	if err := m.client.Mail("codes@bench.test"); err != nil {
		return err
	}
	if err := m.client.Rcpt(to); err != nil {
		return err
	}
	w, err := m.client.Data()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "From: codes@bench.test\r\nTo: %s\r\nSubject: %s is your code\r\n\r\n%s\r\n", to, code, code)
	return w.Close()
}

// close sends what is queued. Nothing may be sent after it.
func (m *mailer) close() error {
	close(m.queue)
	m.done.Wait()
	if m.err != nil {
		return m.err
	}
	return m.client.Quit()
}
