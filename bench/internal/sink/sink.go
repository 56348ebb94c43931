// Package sink is a mail server that keeps nothing: it takes every message over plain SMTP (RFC 5321), finds the
// passcode in its subject, and tells who was written to. It is made to cost little beside the server under load.
package sink

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// Sink is a running mail server on loopback.
type Sink struct {
	listener net.Listener
	receive  Receiver
	messages atomic.Int64

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
	done   sync.WaitGroup
}

// Receiver is told of every message: the envelope's recipient and the passcode found in the subject, empty when there
// is none. It is called before the message is acknowledged and from many goroutines; it must not keep the slices.
type Receiver func(to, code []byte)

// Listen starts a sink on a free port of 127.0.0.1.
func Listen(receive Receiver) (*Sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Sink{listener: listener, receive: receive, conns: map[net.Conn]struct{}{}}
	s.done.Go(s.accept)
	return s, nil
}

// Addr is the host and port to send mail to.
func (s *Sink) Addr() string { return s.listener.Addr().String() }

// Messages is how many messages were taken.
func (s *Sink) Messages() int64 { return s.messages.Load() }

// Close stops listening, cuts every connection and waits until no message is being received.
func (s *Sink) Close() error {
	err := s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.done.Wait()
	return err
}

func (s *Sink) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || !s.keep(conn) {
			continue
		}
		s.done.Go(func() {
			defer s.drop(conn)
			newSession(conn, s.take).serve()
		})
	}
}

func (s *Sink) take(to, code []byte) {
	s.messages.Add(1)
	s.receive(to, code)
}

func (s *Sink) keep(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return false
	}
	s.conns[conn] = struct{}{}
	return true
}

func (s *Sink) drop(conn net.Conn) {
	conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}
