package exam_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/execute"
)

// One session may come from two browser windows at once: its token is the same in both. A code is taken once all the same,
// and the others are told that there is none any more.
func TestACodeIsTakenOnceOfManyCallsAtOnce(t *testing.T) {
	r := newRig(t)
	s := newScript(t, r, load(t, shared(t), r.web.port))
	s.choose([]string{"B2C_1A_Mail"})
	s.run([]string{"sendGridControl", "SendCode", "email=lea@fabrikam.example"})
	const windows = 20
	requests := make([]execute.Request, windows)
	for i := range requests {
		s.session = &execute.Session{ID: s.session.ID, Policy: s.session.Policy}
		requests[i] = s.request([]string{"sendGridControl", "VerifyCode", "email=lea@fabrikam.example", "verificationCode={code}"})
	}
	var taken atomic.Int32
	var all sync.WaitGroup
	for _, q := range requests {
		all.Go(func() {
			_, err := r.runner.Run(t.Context(), q)
			var told *execute.Told
			switch {
			case err == nil:
				taken.Add(1)
			case !errors.As(err, &told) || told.Failure.Key != "UserMessageIfSessionDoesNotExist":
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := taken.Load(); n != 1 {
		t.Errorf("the code was taken %d times", n)
	}
}
