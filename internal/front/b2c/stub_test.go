package b2c_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/b2c"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// runner answers what a test wants, and notes what it was asked. It refuses what no runner may be asked.
type runner struct {
	t testing.TB
	// run and page answer; nil refuses.
	run   func(q execute.Request) (execute.Result, error)
	page  func(q execute.Request) (execute.Page, error)
	asked []execute.Request
}

func (s *runner) Run(ctx context.Context, q execute.Request) (execute.Result, error) {
	s.check(ctx, q)
	if (q.Profile == "") == (q.Control == "") || (q.Control == "") != (q.Action == "") {
		s.t.Errorf("run %q, %q, %q: a profile, or a control and an action, is asked for", q.Profile, q.Control, q.Action)
	}
	if q.Claims == nil {
		s.t.Error("run without claims")
	}
	s.asked = append(s.asked, q)
	if s.run == nil {
		return execute.Result{}, errors.New("the test did not expect a run")
	}
	return s.run(q)
}

func (s *runner) Page(ctx context.Context, q execute.Request) (execute.Page, error) {
	s.check(ctx, q)
	if s.page == nil {
		return execute.Page{}, errors.New("the test did not expect a page")
	}
	return s.page(q)
}

func (s *runner) check(ctx context.Context, q execute.Request) {
	if ctx.Err() != nil || q.Policy == nil || q.Session == nil || q.Session.Policy == "" || q.Session.Began.IsZero() || q.Scene.Tenant == "" || q.Scene.Application == "" {
		s.t.Errorf("asked for %+v", q)
	}
	if q.Claims == nil {
		return
	}
	for name, v := range q.Claims.All() {
		declared, ok := q.Policy.Claim(name)
		if !ok || declared.ID != name || claim.TypeOf(declared.DataType) != v.Type() && !v.Empty() {
			s.t.Errorf("the claim %s is given as a %s", name, v.Type())
		}
	}
}

// openSealer binds to its context and hides nothing, so that a conversation can be read.
type openSealer struct{}

func (openSealer) Seal(plain []byte, context string) ([]byte, error) {
	return []byte(context + "\n" + string(plain)), nil
}

func (openSealer) Open(sealed []byte, context string) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(context+"\n"))
	if !ok {
		return nil, errors.New("sealed elsewhere")
	}
	return plain, nil
}

// keys opens with two keys of two applications, and one of an operator.
type keys struct{}

func (keys) Authenticate(_ context.Context, token string) (access.Caller, error) {
	switch token {
	case "shop-key", "bank-key":
		id := strings.TrimSuffix(token, "-key")
		return access.Caller{Application: access.Application{ID: id, Tenant: "default"}, Tenant: "default"}, nil
	case "admin-key":
		return access.Caller{Admin: true, Tenant: "default"}, nil
	}
	return access.Caller{}, access.ErrNoAccess
}

func policies(t testing.TB) *trustframework.Set {
	t.Helper()
	set, err := trustframework.Load(os.DirFS("testdata/policies"), trustframework.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// door is one with a runner, behind an entrance whose request ids are the client's.
type door struct {
	*b2c.Handler
	runner *runner
	log    bytes.Buffer
}

func newDoor(t testing.TB) *door {
	t.Helper()
	d := &door{runner: &runner{t: t}}
	n := 0
	d.Handler = &b2c.Handler{Runner: d.runner, Policies: policies(t), Seal: openSealer{}, Access: keys{}, Now: func() time.Time { return noon },
		NewID: func() string { n++; return "session-" + string(rune('0'+n)) }, Log: slog.New(slog.NewTextHandler(&d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Visitor: b2c.Visitor{Tenant: "default", Application: "page"}}
	return d
}

func (d *door) mounted(t testing.TB) http.Handler {
	t.Helper()
	shell, err := front.NewShell(nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Shell = shell
	mux := http.NewServeMux()
	if err := d.Mount(mux); err != nil {
		t.Fatal(err)
	}
	return front.Entrance{}.Handler(mux)
}
