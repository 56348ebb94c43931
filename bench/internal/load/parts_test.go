package load_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/bench/internal/load"
)

// A server that takes 20 ms where a cycle arrives every 10 ms makes each cycle wait 10 ms longer than the one before,
// and the wait counts.
func TestOpenLoopMeasuresFromTheIntendedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []time.Duration
		load.Begins(t.Context(), load.Plan{Rate: 100, Duration: 50 * time.Millisecond}, func(due time.Time) {
			time.Sleep(20 * time.Millisecond) // the server's work, in the bubble's time
			got = append(got, time.Since(due))
		})
		ms := time.Millisecond
		if want := []time.Duration{20 * ms, 30 * ms, 40 * ms, 50 * ms, 60 * ms}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestOpenLoopWaitsForTheNextArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var got []time.Duration
		load.Begins(t.Context(), load.Plan{Rate: 100, Duration: 30 * time.Millisecond}, func(time.Time) {
			got = append(got, time.Since(start))
		})
		ms := time.Millisecond
		if want := []time.Duration{0, 10 * ms, 20 * ms}; !slices.Equal(got, want) {
			t.Errorf("cycles began at %v, want %v", got, want)
		}
	})
}

func TestClosedLoopBeginsWhenTheLastCycleIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		load.Begins(t.Context(), load.Plan{Duration: 50 * time.Millisecond}, func(due time.Time) {
			if time.Since(due) != 0 {
				t.Errorf("cycle %d begins %v late", n, time.Since(due))
			}
			time.Sleep(20 * time.Millisecond) // the server's work, in the bubble's time
			n++
		})
		if n != 3 {
			t.Errorf("ran %d cycles, want 3", n)
		}
	})
}

func TestRequestsAreWhatTheAPIWants(t *testing.T) {
	issue, verify := load.Requests(load.Target{Addrs: []string{"127.0.0.1:8080"}, Key: "k"}, 7, 42, 12345678, "pc_1", "004711")
	for _, c := range []struct {
		raw        []byte
		path, body string
	}{
		{issue, "/v1/passcodes", `{"to":"r007w042n12345678@bench.test"}`},
		{verify, "/v1/passcodes/pc_1/verify", `{"code":"004711"}`},
	} {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(c.raw)))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintln(r.Method, r.URL.Path, r.Host, r.Header["Authorization"], r.Header["Content-Type"], string(body))
		want := fmt.Sprintln("POST", c.path, "127.0.0.1:8080", "[Bearer k]", "[application/json]", c.body)
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if !bytes.HasSuffix(c.raw, []byte(c.body)) {
			t.Errorf("bytes follow the body: %q", c.raw)
		}
	}
}

func TestAddressesComeBack(t *testing.T) {
	for _, want := range [][3]int{{0, 0, 0}, {999, 998, 99999999}, {7, 42, 123}} {
		run, worker, n, ok := load.ParseAddress([]byte(load.FormatAddress(want[0], want[1], want[2])))
		if got := [3]int{run, worker, n}; !ok || got != want {
			t.Errorf("got %v, %v, want %v", got, ok, want)
		}
	}
}

func TestWrongCodesAreWrongAndDistinct(t *testing.T) {
	for _, right := range []string{"0000", "999999", "123456789012"} {
		all := append(load.WrongCodes(right), right)
		slices.Sort(all)
		if distinct := len(slices.Compact(all)); distinct != 6 {
			t.Errorf("%s: %d codes of 6 are distinct", right, distinct)
		}
	}
}

// FuzzParseAddress holds that what parses is exactly what formatAddress writes.
func FuzzParseAddress(f *testing.F) {
	f.Add("r007w042n12345678@bench.test")
	f.Add("r+07w042n12345678@bench.test")
	f.Fuzz(func(t *testing.T, to string) {
		run, worker, n, ok := load.ParseAddress([]byte(to))
		if ok && load.FormatAddress(run, worker, n) != to {
			t.Fatalf("%q was taken for %s", to, load.FormatAddress(run, worker, n))
		}
	})
}
