package load_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/bench/internal/fake"
	"github.com/otpost/otpost/bench/internal/load"
	"github.com/otpost/otpost/bench/internal/sink"
)

const key = "otp_test"

// against runs one plan against a fake server, and tallies once all its mail is out.
func against(t *testing.T, fault fake.Fault, plan load.Plan) (*load.Outcome, load.Tally, *load.Post) {
	t.Helper()
	post := &load.Post{}
	mail, err := sink.Listen(post.Receive)
	if err != nil {
		t.Fatal(err)
	}
	defer mail.Close()
	server, err := fake.New(key, mail.Addr(), fault)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server)
	out, err := load.Run(t.Context(), load.Target{Addrs: []string{front.Listener.Addr().String()}, Key: key}, post, plan)
	if err != nil {
		t.Fatal(err)
	}
	front.Close()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	return out, out.Tally(), post
}

func plan(kind load.Kind) load.Plan {
	return load.Plan{Kind: kind, Workers: 4, Duration: 100 * time.Millisecond, Patience: time.Minute}
}

func TestAGoodServerHasNoTrouble(t *testing.T) {
	for _, kind := range []load.Kind{load.W1, load.W2, load.W3} {
		for name, rate := range map[string]float64{"closed": 0, "open": 200} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				p := plan(kind)
				p.Rate = rate
				out, tally, post := against(t, fake.None, p)
				if len(out.Troubles) > 0 || out.Cycles == 0 {
					t.Errorf("got %d cycles and troubles %v, want some and none", out.Cycles, out.Troubles)
				}
				if tally != (load.Tally{Accepted: out.Cycles}) || post.Strays() != 0 {
					t.Errorf("got %+v and %d strays for %d cycles", tally, post.Strays(), out.Cycles)
				}
				if rate > 0 && out.Cycles != 20 {
					t.Errorf("the open loop ran %d cycles, want 20: 200 a second for 100 ms", out.Cycles)
				}
				issues := map[load.Kind]int64{load.W1: 0, load.W2: 1, load.W3: 1}[kind]
				verifies := map[load.Kind]int64{load.W1: 0, load.W2: 1, load.W3: 6}[kind]
				for step, want := range map[load.Step]int64{load.Issue: issues, load.Deliver: 1, load.Verify: verifies, load.Cycle: 1} {
					if got := out.Latencies[step].Count(); got != want*out.Cycles {
						t.Errorf("%v was timed %d times in %d cycles, want %d a cycle", step, got, out.Cycles, want)
					}
				}
			})
		}
	}
}

func TestABrokenServerIsNoticed(t *testing.T) {
	for _, c := range []struct {
		fault   fake.Fault
		kind    load.Kind
		trouble string
		tally   func(load.Tally) int64
	}{
		{fake.Loses, load.W1, "", func(t load.Tally) int64 { return t.Missing }},
		{fake.Loses, load.W2, "deliver: no code in time", func(t load.Tally) int64 { return t.Missing }},
		{fake.Repeats, load.W1, "", func(t load.Tally) int64 { return t.Surplus }},
		{fake.Repeats, load.W2, "", func(t load.Tally) int64 { return t.Surplus }},
		{fake.Blurts, load.W1, "issue: status 500 internal", func(t load.Tally) int64 { return t.Unaccepted }},
		{fake.Fails, load.W1, "issue: status 500 internal", nil},
		{fake.HangsUp, load.W1, "issue: connection: closed by the server", nil},
		{fake.Doubts, load.W2, `verify: the right code was answered verified false, reason "wrong_code", attempts_left 4`, nil},
		{fake.Trusts, load.W3, `guess 1: a wrong code was answered verified true, reason "", attempts_left 5`, nil},
		{fake.Forgets, load.W3, `after lock: the right code was answered verified true, reason "", attempts_left 0`, nil},
	} {
		t.Run(string(c.fault)+" "+string(c.kind), func(t *testing.T) {
			p := plan(c.kind)
			if c.fault == fake.Loses {
				p.Patience = 50 * time.Millisecond
			}
			out, tally, _ := against(t, c.fault, p)
			if c.trouble != "" && out.Troubles[c.trouble] == 0 {
				t.Errorf("troubles are %v, want %q among them", out.Troubles, c.trouble)
			}
			if c.tally != nil && c.tally(tally) == 0 {
				t.Errorf("the tally is %+v, want the %s in it", tally, c.fault)
			}
		})
	}
}

func TestStrayMailIsCounted(t *testing.T) {
	_, _, post := against(t, fake.None, plan(load.W1))
	for _, mail := range [][2]string{
		{"someone@example.com", "123456"}, {"r000w000n00000000@bench.test", ""}, {"r000w000n99999999@bench.test", "123456"},
		{"r000w999n00000000@bench.test", "123456"}, {"r999w000n00000000@bench.test", "123456"},
		{"r000w000n-0000001@bench.test", "123456"},
	} {
		post.Receive([]byte(mail[0]), []byte(mail[1]))
	}
	if post.Strays() != 6 {
		t.Errorf("got %d strays, want 6", post.Strays())
	}
}

func TestRunRefuses(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		plan load.Plan
		want string
	}{
		{t.Context(), load.Plan{Kind: "w9", Workers: 1}, "none of"},
		{t.Context(), load.Plan{Kind: load.W1}, "0 workers"},
		{t.Context(), load.Plan{Kind: load.W1, Workers: 1000}, "1000 workers"},
		{cancelled, load.Plan{Kind: load.W1, Workers: 1}, "canceled"},
	} {
		if _, err := load.Run(c.ctx, load.Target{Addrs: []string{"127.0.0.1:1"}}, &load.Post{}, c.plan); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q in it", c.plan, err, c.want)
		}
	}
}
