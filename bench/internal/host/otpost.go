package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/otpost/otpost/bench/internal/wire"
)

// How long otpost may take to come up and to go down.
const (
	startLimit = 30 * time.Second
	stopLimit  = 30 * time.Second
)

// Settings are what an otpost is started with.
type Settings struct {
	// Binary is the program's path.
	Binary string
	// Dir is a folder for its log and key ring, which the nodes over one database share.
	Dir string
	// Node tells the logs of several apart.
	Node int
	// Database is the value of OTPOST_DATABASE.
	Database string
	// MailAddr is the host and port of the mail server.
	MailAddr string
	// Env are further settings, each NAME=value.
	Env []string
	// Pprof opens the profiler on the operations listener.
	Pprof bool
}

// Otpost is a running server.
type Otpost struct {
	// Addr and OpsAddr are where its two listeners are.
	Addr, OpsAddr string
	// Ready is the time from the start of the process to the first 200 of /readyz.
	Ready time.Duration

	settings Settings
	env      []string
	process  *process
}

// StartOtpost runs `otpost serve` and waits until it is ready. No OTPOST_ setting of this process's own environment
// reaches it.
func StartOtpost(s Settings) (*Otpost, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	ops, err := freeAddr()
	if err != nil {
		return nil, err
	}
	o := &Otpost{Addr: addr, OpsAddr: ops, settings: s}
	o.env = environment(s, addr, ops)
	cmd := exec.Command(s.Binary, "serve")
	cmd.Env, cmd.Dir = o.env, s.Dir
	began := time.Now()
	if o.process, err = start(cmd, filepath.Join(s.Dir, fmt.Sprintf("otpost-%d.log", s.Node))); err != nil {
		return nil, err
	}
	if err := o.process.ready(startLimit, o.probe); err != nil {
		o.process.cmd.Process.Kill()
		<-o.process.exited
		return nil, err
	}
	o.Ready = time.Since(began)
	return o, nil
}

func environment(s Settings, addr, ops string) []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "OTPOST_") {
			env = append(env, entry)
		}
	}
	env = append(env,
		"OTPOST_DATABASE="+s.Database,
		"OTPOST_MAIL_URL=smtp://"+s.MailAddr+"?tls=none",
		"OTPOST_MAIL_FROM=codes@bench.test",
		"OTPOST_LISTEN="+addr,
		"OTPOST_OPS_LISTEN="+ops,
		"OTPOST_KEYS="+filepath.Join(s.Dir, "keys.json"))
	if s.Pprof {
		env = append(env, "OTPOST_PPROF=true")
	}
	return append(env, s.Env...)
}

// probe asks /readyz once.
func (o *Otpost) probe() error {
	stream, err := net.DialTimeout("tcp", o.Addr, time.Second)
	if err != nil {
		return err
	}
	defer stream.Close()
	stream.SetDeadline(time.Now().Add(time.Second))
	answer, err := wire.New(stream).Do([]byte("GET /readyz HTTP/1.1\r\nHost: " + o.Addr + "\r\n\r\n"))
	if err != nil {
		return err
	}
	if answer.Status != 200 {
		return fmt.Errorf("GET /readyz: status %d", answer.Status)
	}
	return nil
}

// CreateKey runs `otpost key create` against the server's database and returns the API key.
func (o *Otpost) CreateKey(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, o.settings.Binary, "key", "create", "--application", "bench", "--output", "json")
	cmd.Env, cmd.Dir = o.env, o.settings.Dir
	var complaint strings.Builder
	cmd.Stderr = &complaint
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("create API key: %w\n%s", err, complaint.String())
	}
	return parseKey(output)
}

// parseKey finds the key in the command's JSON.
func parseKey(output []byte) (string, error) {
	var created struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(output, &created); err != nil {
		return "", fmt.Errorf("create API key: the command printed no JSON object: %w", err)
	}
	if created.Key == "" {
		return "", errors.New("create API key: the command's JSON has no member key")
	}
	return created.Key, nil
}

// Usage is what the server has used since it started.
func (o *Otpost) Usage() (Usage, error) { return usageOf(o.process.pid()) }

// Resident is the server's resident memory in bytes, now and at its peak.
func (o *Otpost) Resident() (now, peak int64, err error) { return residentOf(o.process.pid()) }

// Stop asks the server to end (SIGTERM) and waits until it has.
func (o *Otpost) Stop() error { return o.process.stop(syscall.SIGTERM, stopLimit) }
