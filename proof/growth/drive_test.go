package growth_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// callers is how many ask at the same time.
const callers = 32

// driver asks one server for passcodes and verifies them.
type driver struct {
	t      testing.TB
	server *rig.Server
	key    string
	mail   *mail
}

// result is what a driver did.
type result struct {
	cycles int
	took   time.Duration
	// arrivals are the times from asking to the arrival of the code.
	arrivals []time.Duration
}

func (r result) rate() float64 { return float64(r.cycles) / r.took.Seconds() }

// run has all callers do cycle after cycle for a while: issue, take the code from the mail, verify.
func (d *driver) run(length time.Duration) (all result) {
	d.t.Helper()
	var mu sync.Mutex
	var callersDone sync.WaitGroup
	began := time.Now()
	for range callers {
		callersDone.Go(func() {
			own, err := d.call(began.Add(length))
			if err != nil {
				d.t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all.cycles += own.cycles
			all.arrivals = append(all.arrivals, own.arrivals...)
		})
	}
	callersDone.Wait()
	all.took = time.Since(began)
	return all
}

// call is one caller on one connection, who asks once at least.
func (d *driver) call(until time.Time) (own result, err error) {
	conn, err := net.Dial("tcp", d.server.Public)
	if err != nil {
		return own, err
	}
	defer conn.Close()
	conn.SetDeadline(until.Add(2 * rig.Patience)) // one for the answers, one for the code
	in := bufio.NewReader(conn)
	for own.cycles == 0 || time.Now().Before(until) {
		// People's addresses come in no order.
		to := fmt.Sprintf("p%d.%d@fresh.test", rand.Uint32(), rand.Uint32())
		began, code := time.Now(), d.mail.expect(to)
		var made rig.Passcode
		if err := d.ask(conn, in, "/v1/passcodes", fmt.Sprintf(`{"to":%q}`, to), 201, &made); err != nil {
			return own, err
		}
		var arrived string
		select {
		case arrived = <-code:
			own.arrivals = append(own.arrivals, time.Since(began))
		case <-time.After(rig.Patience):
			return own, fmt.Errorf("the code of %s did not arrive in %v", made.ID, rig.Patience)
		}
		var verdict struct{ Verified bool }
		err := d.ask(conn, in, "/v1/passcodes/"+made.ID+"/verify", fmt.Sprintf(`{"code":%q}`, arrived), 200, &verdict)
		if err != nil || !verdict.Verified {
			return own, fmt.Errorf("verify %s: %+v %v", made.ID, verdict, err)
		}
		own.cycles++
	}
	return own, nil
}

// ask makes one request and reads its answer.
func (d *driver) ask(out io.Writer, in *bufio.Reader, path, body string, status int, into any) error {
	_, err := fmt.Fprintf(out, "POST %s HTTP/1.1\r\nHost: growth.test\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\n\r\n%s", path, d.key, len(body), body)
	if err != nil {
		return err
	}
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		return fmt.Errorf("%s: %d %s %v", path, answer.StatusCode, text, err)
	}
	return json.Unmarshal(text, into)
}

// resident is the memory of a server, in bytes, by its own metrics.
func (d *driver) resident() float64 {
	d.t.Helper()
	metrics, err := d.server.Get("/metrics")
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range bytes.Lines(metrics.Body) {
		var value float64
		if n, _ := fmt.Sscanf(string(line), "process_resident_memory_bytes %g", &value); n == 1 {
			return value
		}
	}
	d.t.Fatal("the metrics do not say how much memory is in use")
	return 0
}

// median is the one in the middle.
func median[T float64 | time.Duration](values []T) T {
	if len(values) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
