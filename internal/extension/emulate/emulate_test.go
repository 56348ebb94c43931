package emulate_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/extension/bubble"
	"github.com/otpost/otpost/internal/extension/emulate"
	"github.com/otpost/otpost/internal/front/entra"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

var newKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// step is what the engine does with one delivery.
type step func(ctx context.Context, r passcode.Relay) outbox.Outcome

// engine joins repeated events like the real one, and does what its step says with each new one.
type engine struct {
	step step

	mu         sync.Mutex
	deliveries map[string]*delivery
	joined     int
}

type delivery struct {
	done    chan struct{}
	outcome outbox.Outcome
}

func (e *engine) Relay(ctx context.Context, r passcode.Relay) (passcode.Relayed, error) {
	key := strings.Join(append(r.Dedup, r.Code), "|")
	e.mu.Lock()
	if e.deliveries == nil {
		e.deliveries = make(map[string]*delivery)
	}
	d, joins := e.deliveries[key]
	if joins {
		e.joined++
	} else {
		d = &delivery{done: make(chan struct{}), outcome: outbox.Outcome{Verdict: outbox.Unknown}}
		e.deliveries[key] = d
	}
	e.mu.Unlock()
	if !joins {
		defer close(d.done)
		d.outcome = e.step(ctx, r)
		return passcode.Relayed{Outcome: d.outcome}, nil
	}
	select {
	case <-d.done:
		return passcode.Relayed{Outcome: d.outcome, Joined: true}, nil
	case <-ctx.Done():
		return passcode.Relayed{}, ctx.Err()
	}
}

// count is how many deliveries there are and how many retries joined them.
func (e *engine) count() (deliveries, joined int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.deliveries), e.joined
}

func always(v outbox.Verdict) step {
	return func(context.Context, passcode.Relay) outbox.Outcome { return outbox.Outcome{Verdict: v} }
}

// slow does not know at the deadline, and says so in time.
func slow(_ context.Context, r passcode.Relay) outbox.Outcome {
	time.Sleep(time.Until(r.AnswerBy))
	return outbox.Outcome{Verdict: outbox.Unknown}
}

func takes(d time.Duration) step {
	return func(context.Context, passcode.Relay) outbox.Outcome {
		time.Sleep(d)
		return outbox.Outcome{Verdict: outbox.Taken}
	}
}

func hang(ctx context.Context, _ passcode.Relay) outbox.Outcome {
	<-ctx.Done()
	return outbox.Outcome{Verdict: outbox.Unknown}
}

// crash leaves a delivery of which nothing is known.
func crash(context.Context, passcode.Relay) outbox.Outcome { panic("the engine broke") }

// options reach a receiver that trusts an issuer of the test's own.
func options(t *testing.T, e *engine) emulate.Options {
	t.Helper()
	o := emulate.Defaults()
	issuer, err := extension.NewIssuer("https://issuer.example", o.Tenant, newKey(), nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := extension.NewVerifier(extension.Trust{Audiences: extension.Audiences(o.Audience), Tenants: []string{o.Tenant},
		Issuers: []extension.TrustedIssuer{issuer.Trusted(extension.V2)}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	(&entra.Handler{Engine: e, Verifier: v}).Mount(mux)
	o.Client = bubble.Serve(t, mux)
	o.Target = "http://receiver/entra/otp-send?code=function-key"
	o.To = "lea@example.org"
	o.Rand = zeros{}
	if o.Token, err = issuer.Mint(extension.Grant{Audience: o.Audience}); err != nil {
		t.Fatal(err)
	}
	return o
}

// zeros makes every code 00000000.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// event is a line of the JSON account.
type event struct {
	Event             int
	To, Code, Outcome string
	Attempts          []struct {
		Number    int
		At        time.Time
		Status    int
		ErrorCode int     `json:"error_code"`
		TookMS    float64 `json:"took_ms"`
	}
}

func play(t *testing.T, o emulate.Options) (exitCode int, events []event, sum map[string]any) {
	t.Helper()
	o.JSON = true
	var out strings.Builder
	exitCode, err := emulate.Run(t.Context(), o, &out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, line := range lines {
		var e event
		into := any(&e)
		if i == len(lines)-1 {
			into = &sum
		}
		if err := json.Unmarshal([]byte(line), into); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if i < len(lines)-1 {
			events = append(events, e)
		}
	}
	return exitCode, events, sum
}

func TestAgainstTheRealDoor(t *testing.T) {
	type attempt struct {
		status int
		code   extension.Code
	}
	both := func(a attempt) []attempt { return []attempt{a, a} }
	for name, test := range map[string]struct {
		step     step
		change   func(*emulate.Options)
		attempts []attempt
		outcome  string
		exit     int
		joined   int
		took     time.Duration
	}{
		"accepted":               {step: always(outbox.Taken), attempts: []attempt{{200, 0}}, outcome: "sent"},
		"not sent":               {step: always(outbox.NotSent), attempts: both(attempt{503, extension.InvalidHTTPStatus}), outcome: "fallback", exit: emulate.ExitFellBack, joined: 1},
		"slow past the budget":   {step: slow, attempts: []attempt{{200, 0}}, outcome: "sent", took: entra.DefaultBudget},
		"crash, the retry joins": {step: crash, attempts: []attempt{{0, extension.ConnectionError}, {200, 0}}, outcome: "sent", joined: 1},
		"hang past the timeout":  {step: hang, attempts: both(attempt{0, extension.TimedOut}), outcome: "fallback", exit: emulate.ExitFellBack, joined: 1, took: 2 * time.Second},
		"late, the retry joins":  {step: takes(1200 * time.Millisecond), attempts: []attempt{{0, extension.TimedOut}, {200, 0}}, outcome: "sent", joined: 1, took: 1200 * time.Millisecond},
		"no fallback": {step: always(outbox.NotSent), change: func(o *emulate.Options) { o.Fallback = false },
			attempts: both(attempt{503, extension.InvalidHTTPStatus}), outcome: "lost", exit: emulate.ExitLost, joined: 1},
		"no retry": {step: always(outbox.NotSent), change: func(o *emulate.Options) { o.Retries = 0 },
			attempts: []attempt{{503, extension.InvalidHTTPStatus}}, outcome: "fallback", exit: emulate.ExitFellBack},
		"a token of another": {step: always(outbox.Taken), change: func(o *emulate.Options) { o.Token = "a.b.c" },
			attempts: []attempt{{401, extension.InvalidHTTPStatus}}, outcome: "fallback", exit: emulate.ExitFellBack},
		"lower case code": {step: always(outbox.Taken), change: func(o *emulate.Options) { o.Casing = extension.LowerCase },
			attempts: []attempt{{200, 0}}, outcome: "sent"},
		"both casings": {step: always(outbox.Taken), change: func(o *emulate.Options) { o.Casing = extension.BothCasings },
			attempts: []attempt{{200, 0}}, outcome: "sent"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &engine{step: test.step}
				o := options(t, e)
				if test.change != nil {
					test.change(&o)
				}
				began := time.Now()
				exit, events, _ := play(t, o)
				if took := time.Since(began); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
				got := events[0]
				if exit != test.exit || got.Outcome != test.outcome || len(got.Attempts) != len(test.attempts) {
					t.Fatalf("exit %d, %+v", exit, got)
				}
				for i, a := range got.Attempts {
					if (attempt{a.Status, extension.Code(a.ErrorCode)}) != test.attempts[i] {
						t.Errorf("attempt %d: got %+v, want %+v", i+1, a, test.attempts[i])
					}
				}
				if deliveries, joined := e.count(); joined != test.joined || deliveries > 1 {
					t.Errorf("%d retries joined %d deliveries, want %d and one", joined, deliveries, test.joined)
				}
			})
		})
	}
}

func TestManyEventsToManyMailboxes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{step: func(_ context.Context, r passcode.Relay) outbox.Outcome {
			if strings.HasPrefix(r.To, "user7@") {
				return outbox.Outcome{Verdict: outbox.NotSent}
			}
			return outbox.Outcome{Verdict: outbox.Taken}
		}}
		o := options(t, e)
		o.Rand, o.To, o.Count, o.Concurrency = nil, "user{n}@example.org", 20, 4
		exit, events, sum := play(t, o)
		deliveries, _ := e.count()
		if exit != emulate.ExitFellBack || len(events) != 20 || sum["sent"] != 19.0 || sum["fallback"] != 1.0 || deliveries != 20 {
			t.Errorf("exit %d, %d events, %v, %d deliveries", exit, len(events), sum, deliveries)
		}
		codes := make(map[string]bool)
		for _, e := range events {
			codes[e.Code] = true
			if n, ok := new(big.Int).SetString(e.Code, 10); !ok || n.Sign() < 0 || len(e.Code) != 8 {
				t.Errorf("code %q is not eight digits", e.Code)
			}
		}
		if len(codes) < 2 {
			t.Error("every event has the same code")
		}
	})
}

func TestAccountForPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, &engine{step: hang})
		var out strings.Builder
		if _, err := emulate.Run(t.Context(), o, &out); err != nil {
			t.Fatal(err)
		}
		const want = `Entra calls http://receiver/entra/otp-send
  token    as given
  listener timeout 1000 ms, 1 retry, fallback to Microsoft's own mail

1  lea@example.org  code 00000000  correlation 00000000-0000-4000-8000-000000000000
   attempt 1  1000 ms  no answer in time, error 1003005 CustomExtensionTimedOut
   attempt 2  1000 ms  no answer in time, error 1003005 CustomExtensionTimedOut
   fallback: Microsoft mails the code itself

1 event, 2 attempts in 2.0 s: 0 sent, 1 by fallback, 0 lost
attempts took: median 1000 ms, p99 1000 ms, p99.9 1000 ms, slowest 1000 ms

Fallback mailbox
   lea@example.org  00000000
`
		if out.String() != want {
			t.Errorf("got\n%s\nwant\n%s", out.String(), want)
		}
	})
}

// TestAtARate lets each call take as many milliseconds as its event's number, and wants the next ones to begin in time
// all the same.
func TestAtARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{step: func(ctx context.Context, r passcode.Relay) outbox.Outcome {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.To, "user"), "@example.org"))
			if err != nil {
				t.Error(err)
			}
			return takes(time.Duration(n)*time.Millisecond)(ctx, r)
		}}
		o := options(t, e)
		o.Rand, o.To, o.Count, o.Concurrency, o.Rate = nil, "user{n}@example.org", 900, 900, 100
		began := time.Now()
		_, events, sum := play(t, o)
		for _, e := range events {
			if due := began.Add(time.Duration(e.Event-1) * 10 * time.Millisecond); !e.Attempts[0].At.Equal(due) {
				t.Fatalf("event %d began %v after the first, want %v", e.Event, e.Attempts[0].At.Sub(began), due.Sub(began))
			}
		}
		const want = "map[max:900 p50:450 p99:891 p999:900]"
		if got := fmt.Sprint(sum["took_ms"]); len(events) != 900 || got != want || sum["elapsed_ms"] != 9890.0 {
			t.Errorf("%d events, %s, %v ms in all, want 900, %s and 9890 ms", len(events), got, sum["elapsed_ms"], want)
		}
	})
}

func TestSummaryAndProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, &engine{step: takes(600 * time.Millisecond)})
		var out, progress strings.Builder
		o.Rand, o.To, o.Count, o.Summary, o.Progress = nil, "user{n}@example.org", 4, true, &progress
		if _, err := emulate.Run(t.Context(), o, &out); err != nil {
			t.Fatal(err)
		}
		const sum = `4 events, 4 attempts in 2.4 s: 4 sent, 0 by fallback, 0 lost
attempts took: median 600 ms, p99 600 ms, p99.9 600 ms, slowest 600 ms
`
		if _, got, _ := strings.Cut(out.String(), "\n\n"); got != sum {
			t.Errorf("got\n%s\nwant\n%s", got, sum)
		}
		const line = "\r2 of 4 events, 2 a second: 2 sent, 0 by fallback, 0 lost " +
			"\r4 of 4 events, 2 a second: 4 sent, 0 by fallback, 0 lost \n"
		if progress.String() != line {
			t.Errorf("got progress %q, want %q", progress.String(), line)
		}
		out.Reset()
		o.JSON, o.Count, o.Retries, o.Fallback = true, 1, 0, false
		if _, err := emulate.Run(t.Context(), o, &out); err != nil {
			t.Fatal(err)
		}
		const want = `{"events":1,"attempts":1,"sent":1,"fallback":0,"lost":0,"took_ms":{"p50":600,"p99":600,"p999":600,"max":600},"elapsed_ms":600}` + "\n"
		if out.String() != want {
			t.Errorf("got %s, want %s", out.String(), want)
		}
	})
}

func TestInterruptedRunSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := options(t, &engine{step: func(context.Context, passcode.Relay) outbox.Outcome { cancel(); return outbox.Outcome{} }})
		o.Count = 100
		var out strings.Builder
		if exit, err := emulate.Run(ctx, o, &out); err == nil || exit != emulate.ExitFailed {
			t.Errorf("exit %d, %v", exit, err)
		}
		if exit, err := emulate.Run(ctx, o, &out); err == nil || exit != emulate.ExitFailed {
			t.Errorf("ended before it began: exit %d, %v", exit, err)
		}
	})
}

// TestWithItsOwnIssuer goes over real sockets: the receiver fetches the emulator's keys when it first sees its token.
func TestWithItsOwnIssuer(t *testing.T) {
	o := emulate.Defaults()
	o.Listen, o.To, o.Target = "127.0.0.1:0", "lea@example.org", "http://to-be-set/"
	o.Timeout = extension.MaxTimeout
	o.KeyFile = filepath.Join(t.TempDir(), "key.pem")
	for _, version := range []extension.Version{extension.V2, extension.V1} {
		e := &engine{step: always(outbox.Taken)}
		handler := &entra.Handler{Engine: e}
		receiver := httptest.NewServer(handler)
		defer receiver.Close()
		o.Target, o.Version = receiver.URL, version
		emulator, err := emulate.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer emulator.Close()
		issuer := emulator.Issuer()
		handler.Verifier, err = extension.NewVerifier(extension.Trust{Audiences: extension.Audiences(o.Audience), Tenants: []string{o.Tenant},
			AllowLoopback: true, Issuers: []extension.TrustedIssuer{{Issuer: issuer.Name(version), Metadata: issuer.Metadata(version), Lazy: true}}})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if exit, err := emulator.Play(t.Context(), &out); exit != 0 || err != nil {
			t.Errorf("exit %d, %v\n%s", exit, err, out.String())
		}
	}
	if info, err := os.Stat(o.KeyFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
}

func TestPrintIssuer(t *testing.T) {
	o := emulate.Defaults()
	o.PrintIssuer, o.KeyFile = true, filepath.Join(t.TempDir(), "key.pem")
	var out strings.Builder
	if exit, err := emulate.Run(t.Context(), o, &out); exit != 0 || err != nil {
		t.Fatal(exit, err)
	}
	const want = `issuer    http://127.0.0.1:8084/00000000-0000-4000-8000-00000000e27a/v2.0
metadata  http://127.0.0.1:8084/00000000-0000-4000-8000-00000000e27a/v2.0/.well-known/openid-configuration
audience  00000000-0000-4000-8000-000000000079
tenant    00000000-0000-4000-8000-00000000e27a
party     99045fe1-7639-4a75-9d4a-577b6ca3810f
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	o.Listen = "127.0.0.1:0"
	if _, err := emulate.Run(t.Context(), o, &out); err == nil {
		t.Error("a port that changes from run to run was printed")
	}
}

func TestKeyFileIsKeptAndGuarded(t *testing.T) {
	o := emulate.Defaults()
	o.Listen, o.To, o.Target = "127.0.0.1:0", "lea@example.org", "http://receiver/"
	o.KeyFile = filepath.Join(t.TempDir(), "key.pem")
	open := func() (string, error) {
		e, err := emulate.Open(o)
		if err != nil {
			return "", err
		}
		defer e.Close()
		keys := e.Issuer().Trusted(extension.V2).Keys
		return keys.Keys[0].KeyID, nil
	}
	first, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := open(); err != nil || second != first {
		t.Errorf("the key changed from %s to %s, %v", first, second, err)
	}
	if err := os.Chmod(o.KeyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that everybody can read: %v", err)
	}
	if err := os.WriteFile(o.KeyFile, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(o.KeyFile, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); err == nil {
		t.Error("a file that holds no key was taken")
	}
}

func TestOptionMistakes(t *testing.T) {
	for name, change := range map[string]func(*emulate.Options){
		"no target":      func(o *emulate.Options) { o.Target = "" },
		"no scheme":      func(o *emulate.Options) { o.Target = "localhost:8080/entra" },
		"no recipient":   func(o *emulate.Options) { o.To = "" },
		"no events":      func(o *emulate.Options) { o.Count = 0 },
		"nobody at work": func(o *emulate.Options) { o.Concurrency = 0 },
		"negative rate":  func(o *emulate.Options) { o.Rate = -1 },
		"short timeout":  func(o *emulate.Options) { o.Timeout = time.Millisecond },
		"many retries":   func(o *emulate.Options) { o.Retries = 2 },
		"bad address":    func(o *emulate.Options) { o.Listen = "nowhere" },
	} {
		o := emulate.Defaults()
		o.Target, o.To, o.Listen = "http://localhost/", "lea@example.org", "127.0.0.1:0"
		change(&o)
		if exit, err := emulate.Run(t.Context(), o, new(strings.Builder)); err == nil || exit != emulate.ExitFailed {
			t.Errorf("%s: exit %d, %v", name, exit, err)
		}
	}
}
