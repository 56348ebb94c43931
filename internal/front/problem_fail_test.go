package front_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/front"
)

// passing is an error that goes away by itself.
type passing struct{ error }

func (passing) Temporary() bool { return true }

func TestWhatPassesIsSaidToPass(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		code   string
	}{
		{fmt.Errorf("read challenge: %w", passing{errors.New("connection to 10.0.0.7 refused")}), 503, `"code":"unavailable"`},
		{errors.New("the disk of 10.0.0.7 is full"), 500, `"code":"internal"`},
	} {
		w := httptest.NewRecorder()
		front.Fail(w, httptest.NewRequest("GET", "/", nil), nil, "test", test.err)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.code) ||
			strings.Contains(w.Body.String(), "10.0.0.7") || (w.Header().Get("Retry-After") != "") != (test.status == 503) {
			t.Errorf("%v was answered %d %v %s", test.err, w.Code, w.Header(), w.Body)
		}
	}
}
