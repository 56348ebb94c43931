package provider_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/provider"
)

// account is how a kind's Checker is examined: a vendor that answers some questions, and what must be found.
type account struct {
	kind     string
	settings map[string]string
	// asks lists what may be asked: the method, the path and the query of each question. Any other is an error.
	asks map[string]answer
	// allow refuses a question that the vendor would refuse, with an error.
	allow func(r *http.Request) error
	// want are the findings, each as its verdict and its subject.
	want []string
	// says are words that some finding must have.
	says []string
	// private are words that no finding may have.
	private []string
}

func (a account) check(t *testing.T) {
	t.Helper()
	var mu sync.Mutex
	var strange []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		say, ok := a.asks[r.Method+" "+r.URL.RequestURI()]
		if !ok {
			strange = append(strange, r.Method+" "+r.URL.RequestURI())
		}
		if err := a.allow(r); err != nil {
			strange = append(strange, err.Error())
		}
		say.status = max(say.status, 200)
		say.write(w)
	}))
	defer s.Close()
	settings := map[string]string{"endpoint": s.URL, "allow_http": "true", "allow_private": "true"}
	maps.Copy(settings, a.settings)
	sender := openKind(t, a.kind, settings, provider.Environment{Now: func() time.Time { return examNow }})
	checker, ok := sender.(provider.Checker)
	if !ok {
		t.Fatalf("a sender of kind %s looks at nothing", a.kind)
	}
	findings := checker.Check(t.Context())
	if len(strange) > 0 {
		t.Errorf("the vendor was asked what it refuses: %q", strange)
	}
	var got []string
	all := fmt.Sprint(findings)
	for _, f := range findings {
		got = append(got, string(f.Verdict)+" "+f.Subject)
		if f.Found == "" || (f.Verdict == provider.Bad && f.Do == "") || (f.Verdict == provider.Good && f.Do != "") {
			t.Errorf("finding %+v: a bad one says what to do, a good one what is good", f)
		}
	}
	if !slices.Equal(got, a.want) {
		t.Errorf("got %q, want %q: %s", got, a.want, all)
	}
	for _, word := range a.says {
		if !strings.Contains(all, word) {
			t.Errorf("the findings %s do not say %q", all, word)
		}
	}
	for _, word := range a.private {
		if strings.Contains(all, word) {
			t.Errorf("the findings %s hold %q", all, word)
		}
	}
}
