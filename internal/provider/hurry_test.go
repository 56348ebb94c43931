package provider_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// mute is a port that takes connections and says nothing on them.
func mute(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	}()
	return l.Addr().String()
}

// Where another provider could take the message, one that cannot be spoken to is given up while the caller waits, and
// what is concluded is that nothing was sent.
func TestAConnectionThatDoesNotComeInTimeIsGivenUp(t *testing.T) {
	address := mute(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]outbox.Sender{
		"https": openWebhook(t, "https://"+address, nil, provider.Environment{}),
		"smtp":  openSMTP(t, inClear(port)),
	} {
		ctx := outbox.WithConnectBy(context.Background(), time.Now().Add(20*time.Millisecond))
		_, err := s.Send(ctx, "dlv_1", sampleMessage())
		var fault *outbox.Fault
		if !errors.As(err, &fault) || fault.Class != outbox.Transient {
			t.Errorf("%s: %v, want transient", name, err)
		}
		if want := "no connection in the time that was left for one"; fault != nil && fault.Detail != want && fault.Detail != "EHLO: "+want &&
			fault.Detail != "greeting: "+want {
			t.Errorf("%s: %q", name, fault.Detail)
		}
	}
}

// inTime has try go as far as the test is about, which it tells: how long that takes is the machine's affair, so that one
// who did not get there is given more time. What the last came to is returned.
func inTime(t *testing.T, try func(left time.Duration, there func()) error) error {
	t.Helper()
	for left := 20 * time.Millisecond; left < time.Minute; left *= 4 {
		var there atomic.Bool
		if err := try(left, func() { there.Store(true) }); there.Load() {
			return err
		}
	}
	t.Fatal("the machine is too slow to get there at all")
	return nil
}

// A message that is written is waited for, however little time was left for the connection.
func TestAnAnswerMayComeAfterTheTimeForTheConnection(t *testing.T) {
	// Each says when it has the message, and answers once passed is closed.
	for name, open := range map[string]func(there func(), passed <-chan struct{}) outbox.Sender{
		"http": func(there func(), passed <-chan struct{}) outbox.Sender {
			hook := serveHTTP(t, func(http.ResponseWriter, *http.Request) { there(); <-passed })
			return openWebhook(t, hook, nil, provider.Environment{})
		},
		"smtp": func(there func(), passed <-chan struct{}) outbox.Sender {
			server := &script{at: on("dot", func(c *scriptConn) bool {
				there()
				<-passed
				return say("250 2.0.0 Ok: queued as 4F3B1C0A")(c)
			})}
			return openSMTP(t, inClear(server.start(t)))
		},
	} {
		err := inTime(t, func(left time.Duration, there func()) error {
			passed := make(chan struct{})
			s := open(there, passed)
			by := time.Now().Add(left)
			time.AfterFunc(left, func() { close(passed) })
			_, err := s.Send(outbox.WithConnectBy(context.Background(), by), "dlv_1", sampleMessage())
			<-passed
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// However close the connection comes to the end of its time, what is called unsent was not sent.
func TestWhatIsGivenUpForItsConnectionWasNotSent(t *testing.T) {
	var mu sync.Mutex
	got := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got[r.Header.Get("Webhook-Id")] = true
	}))
	unsent, sent := []string{}, 0
	for i := range 400 {
		s := openWebhook(t, server.URL, nil, provider.Environment{}) // with no connection yet
		id := "dlv_" + strconv.Itoa(i)
		ctx := outbox.WithConnectBy(context.Background(), time.Now().Add(time.Duration(i)*time.Microsecond))
		_, err := s.Send(ctx, id, sampleMessage())
		var fault *outbox.Fault
		switch {
		case err == nil:
			sent++
		case errors.As(err, &fault) && fault.Class == outbox.Transient:
			unsent = append(unsent, id)
		default:
			t.Errorf("%s: %v, want taken or transient", id, err)
		}
	}
	server.Close()
	for _, id := range unsent {
		if got[id] {
			t.Errorf("%s is called unsent, and was sent", id)
		}
	}
	if len(unsent) == 0 {
		t.Errorf("%d were sent, so nothing is proved", sent)
	}
}
