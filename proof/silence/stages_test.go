package silence_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// stages are where a conversation with a mail server can fail. At each of them the server repeats all it has heard.
var stages = []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot", "lost", "nonsense"}

// stageServer is a mail server that fails at one stage.
type stageServer struct {
	l net.Listener

	mu    sync.Mutex
	stage string
}

func startStageServer(t testing.TB) *stageServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &stageServer{l: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

// failAt sets the stage.
func (s *stageServer) failAt(stage string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stage = stage
}

func (s *stageServer) failsAt(stage string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stage == stage
}

// serve has one conversation. Every failure ends it, so that the next message is a new one.
func (s *stageServer) serve(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(rig.Patience))
	in, heard := bufio.NewScanner(conn), ""
	failed := func(stage string) bool {
		if !s.failsAt(stage) {
			return false
		}
		fmt.Fprintf(conn, "554 5.7.1 at %s, after%s\r\n", stage, heard)
		return true
	}
	if failed("greeting") {
		return
	}
	fmt.Fprint(conn, "220 stage.example.test\r\n")
	for in.Scan() {
		heard += " " + in.Text()
		command, _, _ := strings.Cut(strings.ToUpper(in.Text()), " ")
		if failed(command) {
			return
		}
		switch command {
		case "DATA":
			fmt.Fprint(conn, "354 go on\r\n")
			subject := ""
			for in.Scan() && in.Text() != "." {
				if text, ok := strings.CutPrefix(in.Text(), "Subject: "); ok {
					subject = text
				}
			}
			s.end(conn, subject)
			return
		case "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			return
		default:
			fmt.Fprint(conn, "250 go on\r\n")
		}
	}
}

// end answers a whole message with its subject, which begins with the code.
func (s *stageServer) end(conn net.Conn, subject string) {
	switch {
	case s.failsAt("lost"):
		conn.(*net.TCPConn).SetLinger(0)
	case s.failsAt("nonsense"):
		fmt.Fprintf(conn, "%s\r\n", subject)
	case s.failsAt("dot"):
		fmt.Fprintf(conn, "554-5.7.1 %s\r\n554 5.7.1 %s\r\n", subject, subject)
	default:
		fmt.Fprintf(conn, "250 2.0.0 OK %s\r\n", subject)
	}
}

// staged relays codes, which are known though they never leave, to a mail server that fails at each stage.
func (l *leak) staged() {
	l.t.Helper()
	server := startStageServer(l.t)
	l.start(rig.Settings{"log_format": "json"}.With(rig.MailTo(server.l.Addr().String())))
	for _, stage := range append(stages, "none") {
		server.failAt(stage)
		for n := range rig.Size(1, 4) {
			to := fmt.Sprintf("staged.%s%d@example.test", strings.ToLower(stage), n)
			got, err := l.p.Post(rig.Event(to, l.drawn(), "en-us"), l.token())
			if err != nil || (stage == "none") != (got.Status == 200) && stage != "lost" && stage != "nonsense" && !rig.Slow(l.t, l.db, to) {
				l.t.Errorf("%s: %v %v", stage, got, err)
			}
			l.answer("answers to Entra", got)
		}
	}
	l.p.Stop()
	l.ended()
}
