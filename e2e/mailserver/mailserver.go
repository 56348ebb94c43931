//go:build unix

// Package mailserver runs a real mail server, Debian's exim4, for the length of one test: submission with STARTTLS
// and a login, delivery to a Maildir on disk.
//
// Each connection gets an exim of its own, as under inetd, so that no port has to be guessed and nothing outlives the
// test.
package mailserver

import (
	"bytes"
	"errors"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// UnknownUser is the local part that no domain of the server has: it is refused with 550 5.1.1.
const UnknownUser = "nobody-here"

// Domains are the domains the server delivers, for any local part but UnknownUser.
func Domains() []string { return []string{"example.test", "example.org"} }

// Server is a running mail server.
type Server struct {
	// Host and Port are where it listens; Addr is both. The certificate is for Host.
	Addr, Host, Port string
	// CA is the PEM text of the certificate to trust.
	CA string
	// User and Password log in, by PLAIN or LOGIN, once TLS is on.
	User, Password string

	folder   string
	exim     string
	as       account
	listener net.Listener
	sessions sync.WaitGroup

	mu      sync.Mutex
	running map[*exec.Cmd]bool
	ended   bool

	box maildir
}

// Start runs a mail server until the test ends. It fails the test, and never skips it, where exim4 is missing.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{Host: "127.0.0.1", User: "otpost", Password: "correct-horse-9", exim: findExim(t), as: workAs(t),
		running: map[*exec.Cmd]bool{}}
	// Not t.TempDir: its parents are closed to the account that a root's mail server works as.
	folder, err := os.MkdirTemp("", "otpost-mail-")
	if err != nil {
		t.Fatal(err)
	}
	s.folder = folder
	s.box.folder = filepath.Join(folder, "mail", "new")
	t.Cleanup(func() { os.RemoveAll(folder) })
	certificate, key := newCertificate(t, s.Host)
	s.CA = string(certificate)
	s.writeFolder(t, certificate, key)
	if out, err := s.command("-bV").CombinedOutput(); err != nil {
		t.Fatalf("exim4 refuses its configuration: %v\n%s", err, out)
	}
	s.listener, err = net.Listen("tcp", s.Host+":0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = s.listener.Addr().String()
	_, s.Port, _ = net.SplitHostPort(s.Addr)
	go s.accept(t)
	t.Cleanup(func() { s.stop(t) })
	return s
}

func (s *Server) command(args ...string) *exec.Cmd {
	c := exec.Command(s.exim, append([]string{"-C", filepath.Join(s.folder, "exim.conf")}, args...)...)
	c.Env = []string{"PATH=/usr/bin:/bin", "TZ=UTC"}
	c.Dir = s.folder
	return c
}

func (s *Server) accept(t testing.TB) {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		if err := s.serve(c.(*net.TCPConn)); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("start exim4: %v", err)
		}
	}
}

// serve hands a connection to a new exim. It delivers in the foreground (-odf), after its answer and before the next
// command, so that no delivery outlives it; the process group takes the delivery with it if the test ends first.
func (s *Server) serve(c *net.TCPConn) error {
	defer c.Close()
	f, err := c.File()
	if err != nil {
		return err
	}
	defer f.Close()
	cmd := s.command("-bs", "-odf")
	cmd.Stdin, cmd.Stdout = f, f
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return net.ErrClosed
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.running[cmd] = true
	s.sessions.Go(func() {
		cmd.Wait() // a client that hangs up makes exim fail, which is its own affair
		s.mu.Lock()
		delete(s.running, cmd)
		s.mu.Unlock()
	})
	return nil
}

func (s *Server) stop(t testing.TB) {
	s.listener.Close()
	s.mu.Lock()
	s.ended = true
	for cmd := range s.running {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	s.mu.Unlock()
	s.sessions.Wait()
	if t.Failed() {
		t.Logf("exim4 says:\n%s", s.Log())
	}
}

// Log is what the server logged so far.
func (s *Server) Log() string {
	var b strings.Builder
	for _, name := range []string{"main", "reject", "panic"} {
		text, _ := os.ReadFile(filepath.Join(s.folder, "log", name)) // a log without entries has no file
		b.Write(text)
	}
	return b.String()
}

// Texts are the mails that were delivered to an address, as they lie on disk.
func (s *Server) Texts(t testing.TB, address string) [][]byte {
	t.Helper()
	texts, err := s.box.texts(address)
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// Messages are the mails that were delivered to an address.
func (s *Server) Messages(t testing.TB, address string) []*mail.Message {
	t.Helper()
	var out []*mail.Message
	for _, text := range s.Texts(t, address) {
		m, err := mail.ReadMessage(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("read mail: %v in %q", err, text)
		}
		out = append(out, m)
	}
	return out
}

// Wait returns the mails in an address's mailbox once there are n of them. It fails the test after a minute: exim
// delivers after it has answered.
func (s *Server) Wait(t testing.TB, address string, n int) []*mail.Message {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for {
		if len(s.Texts(t, address)) >= n {
			return s.Messages(t, address)
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("the mailbox has %d mails, want %d; exim4 says:\n%s", len(s.Texts(t, address)), n, s.Log())
		}
	}
}
