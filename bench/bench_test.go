package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/otpost/otpost/bench/internal/fake"
	"github.com/otpost/otpost/bench/internal/host"
	"github.com/otpost/otpost/bench/internal/report"
	"github.com/otpost/otpost/bench/internal/trivial"
)

const fakeKey = "otp_fake"

// The test binary plays otpost, with the fake server, and the bench's own subcommand.
func TestMain(m *testing.M) {
	var err error
	switch strings.Join(os.Args[1:], " ") {
	case "serve":
		err = serveFake()
	case "key create --application bench --output json":
		err = json.NewEncoder(os.Stdout).Encode(map[string]string{"key": fakeKey})
	case trivialCommand:
		err = trivial.Serve(os.Stdin, os.Stdout)
	default:
		os.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector would hold every process for a second
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveFake is `otpost serve` with the settings the bench gives it. FAULT breaks it.
func serveFake() error {
	for _, name := range []string{"OTPOST_DATABASE", "OTPOST_MAIL_FROM", "OTPOST_KEYS", "OTPOST_LIMIT_APPLICATION"} {
		if os.Getenv(name) == "" {
			return fmt.Errorf("%s is not set", name)
		}
	}
	mail, err := url.Parse(os.Getenv("OTPOST_MAIL_URL"))
	if err != nil || mail.Query().Get("tls") != "none" {
		return fmt.Errorf("OTPOST_MAIL_URL %q: %v", mail, err)
	}
	server, err := fake.New(fakeKey, mail.Host, fake.Fault(os.Getenv("FAULT")))
	if err != nil {
		return err
	}
	front, err := net.Listen("tcp", os.Getenv("OTPOST_LISTEN"))
	if err != nil {
		return err
	}
	if os.Getenv("OTPOST_PPROF") == "true" {
		ops, err := net.Listen("tcp", os.Getenv("OTPOST_OPS_LISTEN"))
		if err != nil {
			return err
		}
		mux := http.NewServeMux()
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		go http.Serve(ops, mux)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s := &http.Server{Handler: server}
	answered := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(answered)
		s.Shutdown(context.Background()) // a request under way still uses the server
	})
	s.Serve(front)
	<-answered
	return server.Close()
}

// quick are flags for a run of a moment against the fake.
func quick(more ...string) []string {
	return append([]string{"-otpost", os.Args[0], "-workers", "2", "-duration", "100ms", "-warmup", "10ms", "-repeat", "2",
		"-settle", "0", "-limits", "10ms"}, more...)
}

func TestAGoodServerPasses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	var text, progress strings.Builder
	if status := run(t.Context(), quick("-rate", "50%", "-json", file), &text, &progress); status != exitFine {
		t.Fatalf("exit status %d\n%s\n%s", status, text.String(), progress.String())
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got report.Report
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Rows) != 6 || len(got.Servers) != 3 || len(got.Limits) != 3 {
		t.Fatalf("got %d rows, %d servers, %d limits; want 6, 3, 3", len(got.Rows), len(got.Servers), len(got.Limits))
	}
	for i, want := range []string{"w1 closed", "w1 open", "w2 closed", "w2 open", "w3 closed", "w3 open"} {
		row := got.Rows[i]
		if name := row.Load + " " + row.Loop; name != want {
			t.Errorf("row %d is %s, want %s", i, name, want)
		}
		if row.Database != "sqlite" || row.Workers != 2 || row.Cycles == 0 || row.Rate <= 0 || len(row.Rates) != 2 ||
			row.RSS <= 0 || row.PeakRSS < row.RSS {
			t.Errorf("%s: %+v", want, row)
		}
		if closed := row.Loop == "closed"; closed != (row.Share > 0) || closed != (row.Offered == 0) {
			t.Errorf("%s: share %v, offered %v", want, row.Share, row.Offered)
		}
		if steps := len(row.Steps); steps != 2 && row.Load == "w1" || steps != 4 && row.Load != "w1" {
			t.Errorf("%s: %d steps", want, steps)
		}
		if !strings.Contains(text.String(), row.Loop) {
			t.Errorf("%s is not in the tables", want)
		}
	}
	for _, s := range got.Servers {
		if s.ReadyFirst <= 0 || s.ReadyAgain <= 0 || s.IdleRSS <= 0 {
			t.Errorf("server: %+v", s)
		}
	}
}

func TestSeveralNodesShareTheLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	var text, progress strings.Builder
	status := run(t.Context(), quick("-database", "sqlite,postgres", "-load", "w2", "-nodes", "1,2", "-limits", "0", "-repeat", "1",
		"-json", file), &text, &progress)
	if strings.Contains(progress.String(), host.ErrNoPostgres.Error()) {
		t.Skip(host.ErrNoPostgres)
	}
	if status != exitFine {
		t.Fatalf("exit status %d\n%s\n%s", status, text.String(), progress.String())
	}
	var got report.Report
	if content, err := os.ReadFile(file); err != nil {
		t.Fatal(err)
	} else if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range got.Rows {
		rows = append(rows, fmt.Sprintf("%s %d", row.Database, row.Nodes))
		if row.Cycles == 0 || row.Syncs != -1 {
			t.Errorf("%+v", row)
		}
	}
	if want := []string{"sqlite 1", "postgres 1", "postgres 2"}; !slices.Equal(rows, want) {
		t.Errorf("rows are %q, want %q", rows, want)
	}
	if !strings.Contains(text.String(), "postgres, 2 nodes") {
		t.Errorf("the nodes are not in the tables:\n%s", text.String())
	}
}

func TestABrokenServerFails(t *testing.T) {
	for _, c := range []struct {
		fault fake.Fault
		load  string
		says  string
	}{
		{fake.Loses, "w1", "codes never arrived"},
		{fake.Repeats, "w1", "codes arrived again"},
		{fake.Blurts, "w1", "whose request was not answered 201"},
		{fake.Fails, "w1", "× issue: status 500 internal"},
		{fake.Doubts, "w2", "× verify: the right code was answered"},
		{fake.Trusts, "w3", "× guess 1: a wrong code was answered"},
		{fake.Forgets, "w3", "× after lock: the right code was answered"},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			var text, progress strings.Builder
			args := quick("-load", c.load, "-env", "FAULT="+string(c.fault), "-limits", "0")
			if c.fault == fake.Loses {
				args = append(args, "-patience", "100ms")
			}
			if status := run(t.Context(), args, &text, &progress); status != exitWrong {
				t.Errorf("exit status %d, want %d", status, exitWrong)
			}
			if !strings.Contains(text.String(), c.says) || !strings.Contains(progress.String(), "did not do what it has to") {
				t.Errorf("want %q in\n%s\n%s", c.says, text.String(), progress.String())
			}
		})
	}
}

func TestProfileOfTheServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cpu.prof")
	var progress strings.Builder
	if status := run(t.Context(), quick("-load", "w1", "-limits", "0", "-cpuprofile", file), io.Discard, &progress); status != exitFine {
		t.Fatalf("exit status %d\n%s", status, progress.String())
	}
	name := strings.TrimSuffix(file, ".prof") + "-sqlite-w1-closed-2.prof"
	if facts, err := os.Stat(name); err != nil || facts.Size() == 0 {
		t.Errorf("no profile at %s: %v", name, err)
	}
}

func TestFlagsThatCannotBe(t *testing.T) {
	for _, c := range []struct{ flag, value, says string }{
		{"-database", "mysql", `"mysql" is neither`}, {"-load", "w4", `"w4" is none`}, {"-workers", "0", `"0" is no number`},
		{"-workers", "1,,2", `"" is no number`}, {"-workers", "1000", "1 to 999"}, {"-rate", "fast", `"fast" is neither`},
		{"-rate", "NaN", "neither"}, {"-rate", "-1", "neither"}, {"-nodes", "17", "1 to 16"}, {"-env", "X", "NAME=value"}, {"-repeat", "0", "above 0"},
		{"-duration", "-1s", "above 0"}, {"-nonsense", "1", "nonsense"}, {"more", "arguments", `unknown argument "more"`},
	} {
		var progress strings.Builder
		if status := run(t.Context(), []string{c.flag, c.value}, io.Discard, &progress); status != exitUsage ||
			!strings.Contains(progress.String(), c.says) {
			t.Errorf("%s %s: exit status %d, %q; want %d and %q", c.flag, c.value, status, progress.String(), exitUsage, c.says)
		}
	}
}

func TestAMissingServerIsAnError(t *testing.T) {
	var progress strings.Builder
	args := quick("-otpost", filepath.Join(t.TempDir(), "none"), "-limits", "0")
	if status := run(t.Context(), args, io.Discard, &progress); status != exitWrong ||
		!strings.Contains(progress.String(), "no such file") {
		t.Errorf("exit status %d, %q", status, progress.String())
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}
