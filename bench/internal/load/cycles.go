package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/otpost/otpost/bench/internal/wire"
)

// tries is how many codes the default policy evaluates before a challenge locks.
const tries = 5

// cycles are the loads. Each function runs one cycle that should have begun at due; its error is the trouble to count.
func cycles() map[Kind]func(*worker, time.Time) error {
	return map[Kind]func(*worker, time.Time) error{
		Trivial: (*worker).trivial, W1: (*worker).issueOnly, W2: (*worker).verifyOnce, W3: (*worker).lockOut,
	}
}

var errNoCode = errors.New("deliver: no code in time")

func (w *worker) trivial(time.Time) error {
	_, err := w.request(w.box.begin(0, false))
	return err
}

func (w *worker) issueOnly(due time.Time) error {
	return w.issue(due, false)
}

func (w *worker) verifyOnce(due time.Time) error {
	code, err := w.obtain(due)
	if err != nil {
		return err
	}
	got, err := w.try(code)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if !got.verified() {
		return fmt.Errorf("verify: the right code was answered %s", got)
	}
	return nil
}

func (w *worker) lockOut(due time.Time) error {
	code, err := w.obtain(due)
	if err != nil {
		return err
	}
	left := [tries + 1]string{"5", "4", "3", "2", "1", "0"}
	for i := 1; i <= tries; i++ {
		got, err := w.try(code.wrong(i))
		if err != nil {
			return fmt.Errorf("guess %d: %w", i, err)
		}
		known := got.has(`"reason"`, "wrong_code") || i == tries && got.has(`"reason"`, "locked")
		if got.verified() || !known || !got.has(`"attempts_left"`, left[i]) {
			return fmt.Errorf("guess %d: a wrong code was answered %s", i, got)
		}
	}
	got, err := w.try(code)
	if err != nil {
		return fmt.Errorf("after lock: %w", err)
	}
	if got.verified() || !got.has(`"reason"`, "locked") {
		return fmt.Errorf("after lock: the right code was answered %s", got)
	}
	return nil
}

// obtain issues a passcode and takes its code from the mail.
func (w *worker) obtain(due time.Time) (Code, error) {
	if err := w.issue(due, true); err != nil {
		return Code{}, err
	}
	w.latencies[Issue].Record(time.Since(due))
	w.patience.Reset(w.plan.Patience)
	code, ok := w.box.wait(w.ctx, w.patience)
	w.patience.Stop()
	if !ok {
		return Code{}, errNoCode
	}
	return code, nil
}

// issue asks for a passcode and books it. The id is kept for verify.
func (w *worker) issue(due time.Time, want bool) error {
	n := w.box.begin(due.Sub(w.ledger.began), want)
	answer, err := w.request(n)
	if err != nil {
		return err
	}
	w.ledger.accepted(w.number, n)
	w.id = append(w.id[:0], wire.Member(answer.Body, `"id"`)...)
	if len(w.id) == 0 {
		return errors.New("issue: no id in the answer")
	}
	return nil
}

// request posts the issue request number n, which must be answered 201.
func (w *worker) request(n int) (wire.Answer, error) {
	if n > maxPerWorker {
		return wire.Answer{}, errors.New("issue: the worker is out of addresses")
	}
	answer, err := w.do(w.requests.issuing(n))
	if err != nil {
		return answer, fmt.Errorf("issue: %w", err)
	}
	if answer.Status != 201 {
		return answer, fmt.Errorf("issue: %w", refused(answer))
	}
	return answer, nil
}

// verdict is the server's word on a code, valid until the worker's next request.
type verdict []byte

func (v verdict) verified() bool { return v.has(`"verified"`, "true") }

func (v verdict) has(name, value string) bool { return string(wire.Member(v, name)) == value }

func (v verdict) String() string {
	return fmt.Sprintf("verified %s, reason %q, attempts_left %s", wire.Member(v, `"verified"`),
		wire.Member(v, `"reason"`), wire.Member(v, `"attempts_left"`))
}

func (w *worker) try(code Code) (verdict, error) {
	start := time.Now()
	answer, err := w.do(w.requests.verifying(w.id, code))
	if err != nil {
		return nil, err
	}
	if answer.Status != 200 {
		return nil, refused(answer)
	}
	w.latencies[Verify].Record(time.Since(start))
	return verdict(answer.Body), nil
}

// refused names a wrong status and the problem's code (RFC 9457).
func refused(answer wire.Answer) error {
	if code := wire.Member(answer.Body, `"code"`); len(code) > 0 {
		return fmt.Errorf("status %d %s", answer.Status, code)
	}
	return fmt.Errorf("status %d", answer.Status)
}
