package entra_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/extension/emulate"
	"github.com/otpost/otpost/proof/rig"
)

// concurrency is how many events are under way at most: enough for all that wait for a slow provider.
const concurrency = 500

// play is one run of otpost emulate entra.
type play struct {
	to          string
	count, rate int
}

// account is what the emulator says of one event.
type account struct {
	Event             int
	To, Code, Outcome string
	Attempts          []call
}

// call is one call of an event.
type call struct {
	At     time.Time
	Status int
	Code   extension.Code `json:"error_code"`
	TookMS float64        `json:"took_ms"`
}

// late reports whether Entra's patience ended before the last call was answered.
func (a *account) late() bool { return a.Attempts[len(a.Attempts)-1].Code == extension.TimedOut }

func (c *call) took() time.Duration { return time.Duration(c.TookMS * float64(time.Millisecond)) }

// over is when the call was over. The emulator says how long it took in whole microseconds.
func (c *call) over() time.Time { return c.At.Add(c.took() + time.Microsecond) }

// sum is what the emulator says of a run.
type sum struct {
	Events, Sent, Fallback, Lost int
	Took                         struct {
		Median  float64 `json:"p50"`
		P99     float64
		P999    float64
		Slowest float64 `json:"max"`
	} `json:"took_ms"`
	Elapsed float64 `json:"elapsed_ms"`
}

// played is what the emulator says of a run's events, and of the run.
type played struct {
	accounts []account
	sum      sum
}

// scene is something that happens once so many events have been played.
type scene struct {
	after int
	do    func()
}

// run plays events, and the scenes as their time comes, and returns what the emulator says of them.
func (p play) run(t *testing.T, target, token string, scenes ...scene) played {
	t.Helper()
	cmd := rig.Command(t, rig.Settings{"OTPOST_ENTRA_TOKEN": token}, "emulate", "entra", "--output", "json",
		"--target", "http://"+target+"/entra/otp-send", "--to", p.to, "--timeout", patience.String(),
		"--count", strconv.Itoa(p.count), "--rate", strconv.Itoa(p.rate), "--concurrency", strconv.Itoa(concurrency))
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint writer
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	r := &reader{due: make([]chan struct{}, len(scenes)), scenes: scenes, done: make(chan struct{})}
	for i := range scenes {
		r.due[i] = make(chan struct{})
	}
	go r.read(stdout)
	for i, s := range scenes {
		<-r.due[i]
		s.do()
	}
	<-r.done
	err = cmd.Wait()
	var exit *exec.ExitError
	if r.err != nil || err != nil && (!errors.As(err, &exit) || exit.ExitCode() != emulate.ExitFellBack) {
		t.Fatalf("the emulator: %v, %v\n%s", err, r.err, complaint)
	}
	return r.played
}

// reader reads the emulator's lines and says when the time of a scene has come.
type reader struct {
	scenes []scene
	due    []chan struct{}
	done   chan struct{}
	played
	err error
}

func (r *reader) read(lines io.Reader) {
	defer close(r.done)
	next := 0
	defer func() {
		for ; next < len(r.due); next++ {
			close(r.due[next])
		}
	}()
	for decoder := json.NewDecoder(lines); ; {
		var line json.RawMessage
		err := decoder.Decode(&line)
		if err == nil && bytes.HasPrefix(line, []byte(`{"event":`)) {
			var a account
			err = json.Unmarshal(line, &a)
			r.accounts = append(r.accounts, a)
		} else if err == nil {
			err = json.Unmarshal(line, &r.sum)
		}
		if err != nil {
			if err != io.EOF || r.sum.Events != len(r.accounts) {
				r.err = fmt.Errorf("read account: %w after %d events", err, len(r.accounts))
			}
			return
		}
		for ; next < len(r.due) && len(r.accounts) >= r.scenes[next].after; next++ {
			close(r.due[next])
		}
	}
}

// writer keeps what a program complains of.
type writer []byte

func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}
