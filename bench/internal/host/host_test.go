package host_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/otpost/otpost/bench/internal/host"
	"github.com/otpost/otpost/bench/internal/trivial"
)

// The test binary plays the programs that the package starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "trivial":
			if err := trivial.Serve(os.Stdin, os.Stdout); err != nil {
				panic(err)
			}
			return
		case "serve":
			os.Stderr.WriteString("otpost: no database of this kind\n")
			os.Exit(3)
		}
	}
	os.Exit(m.Run())
}

func TestTrivialHandlerInAProcessOfItsOwn(t *testing.T) {
	handler, err := host.StartTrivial(exec.Command(os.Args[0], "trivial"), t.TempDir()+"/log")
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post("http://"+handler.Addr+"/v1/passcodes", "application/json", strings.NewReader(`{"to":"a@b"}`))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 201 || !strings.Contains(string(body), `"to":"a@b"`) {
		t.Errorf("got %d %s", response.StatusCode, body)
	}
	if err := handler.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestAServerThatEndsEarlyIsQuoted(t *testing.T) {
	_, err := host.StartOtpost(host.Settings{Binary: os.Args[0], Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "no database of this kind") ||
		!strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v, want the exit status and the log's words", err)
	}
}

func TestPostgresKeepsItsDefaultDurability(t *testing.T) {
	server, err := host.StartPostgres(t.Context(), "")
	if errors.Is(err, host.ErrNoPostgres) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	}()
	url, err := server.Create(t.Context(), "bench")
	if err != nil {
		t.Fatal(err)
	}
	before, err := server.Usage()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			t.Fatal(err)
		}
		if value != "on" {
			t.Errorf("%s is %s, want on", setting, value)
		}
	}
	_, err = conn.Exec(t.Context(), "CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 1000)")
	if err != nil {
		t.Fatal(err)
	}
	after, err := server.Usage()
	if err != nil {
		t.Fatal(err)
	}
	used := after.Since(before)
	if used.Written >= 0 && used.Written < 1<<20 || used.CPU < 0 {
		t.Errorf("a megabyte was written and the usage is %+v", used)
	}
	if used.Written > 1<<30 || used.CPU > time.Hour {
		t.Errorf("the usage %+v is out of all proportion", used)
	}
}
