package redact_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/redact"
)

// line logs once through a redacting handler and returns the line without its time.
func line(t *testing.T, log func(*slog.Logger)) string {
	t.Helper()
	var b bytes.Buffer
	log(slog.New(redact.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: dropTime}))))
	if !json.Valid(b.Bytes()) {
		t.Errorf("the line is not JSON: %s", b.Bytes())
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

func dropTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

type person struct {
	Email    string `json:"email"`
	OTPCode  string
	Password string `json:"-"`
	Tries    int    `json:"tries,omitempty"`
	inner    string
}

type valuer struct{ address string }

func (v valuer) LogValue() slog.Value {
	return slog.GroupValue(slog.String("to", v.address), slog.String("code", "492817"))
}

type panicking struct{}

func (panicking) String() string { panic("alice@example.org") }

func TestAttributes(t *testing.T) {
	for _, c := range []struct {
		name string
		attr slog.Attr
		want string
	}{
		{"nothing to mask", slog.String("provider", "smtp"), `"provider":"smtp"`},
		{"address", slog.String("to", "alice@example.org"), `"to":"a***@e***.org"`},
		{"code", slog.String("code", "492817"), `"code":"***"`},
		{"code as a number", slog.Int("one_time_code", 492817), `"one_time_code":"***"`},
		{"status code", slog.Int("status_code", 503), `"status_code":503`},
		{"code length", slog.Int("code_length", 6), `"code_length":6`},
		{"capitals", slog.String("accessToken", "x"), `"accessToken":"***"`},
		{"abbreviation", slog.String("OTPCode", "x"), `"OTPCode":"***"`},
		{"header name", slog.String("X-Api-Key", "x"), `"X-Api-Key":"***"`},
		{"id of a secret", slog.String("passcode_id", "pc_1"), `"passcode_id":"pc_1"`},
		{"id under the name of a secret", slog.String("passcode", "pc_01jd5k2m3n4p5q6r7s8t9v0w1x"), `"passcode":"pc_01jd5k2m3n4p5q6r7s8t9v0w1x"`},
		{"nearly an id", slog.String("passcode", "pc_01jd5k2m3n4p5q6r7s8t9v0w1"), `"passcode":"***"`},
		{"key ring", slog.String("keys", "otpost.keys"), `"keys":"otpost.keys"`},
		{"group", slog.Group("a", slog.Group("b", slog.String("pin", "1"), slog.Int("n", 1))), `"a":{"b":{"pin":"***","n":1}}`},
		{"error", slog.Any("err", errors.New("550 <alice@example.org> unknown")), `"err":"550 <a***@e***.org> unknown"`},
		{"wrapped error", slog.Any("err", fmt.Errorf("send: %w", context.DeadlineExceeded)), `"err":"send: context deadline exceeded"`},
		{"struct", slog.Any("who", person{Email: "alice@example.org", OTPCode: "1", Password: "p", Tries: 2, inner: "x"}), `"who":{"OTPCode":"***","email":"a***@e***.org","tries":2}`},
		{"pointer", slog.Any("who", &person{}), `"who":{"OTPCode":"***","email":"","tries":0}`},
		{"nil pointer", slog.Any("who", (*person)(nil)), `"who":null`},
		{"headers", slog.Any("header", http.Header{"Authorization": {"Bearer x"}, "X-To": {"+33123456789"}}), `"header":{"Authorization":"***","X-To":["+331•••••89"]}`},
		{"map with addresses as keys", slog.Any("m", map[string]int{"alice@example.org": 1}), `"m":{"a***@e***.org":1}`},
		{"bytes", slog.Any("body", []byte("492817")), `"body":"[6 bytes]"`},
		{"raw JSON", slog.Any("body", json.RawMessage(`{"code":"492817","n":[1]}`)), `"body":{"code":"***","n":[1]}`},
		{"URL", slog.Any("url", &url.URL{Scheme: "smtp", User: url.UserPassword("u", "p"), Host: "h"}), `"url":"smtp://***@h"`},
		{"valuer", slog.Any("d", valuer{"alice@example.org"}), `"d":{"to":"a***@e***.org","code":"***"}`},
		{"list of valuers", slog.Any("d", []valuer{{"alice@example.org"}}), `"d":[{"code":"***","to":"a***@e***.org"}]`},
		{"panic", slog.Any("p", panicking{}), `"p":"!PANIC in redact_test.panicking"`},
		{"duration", slog.Duration("took", time.Second), `"took":1000000000`},
		{"nil", slog.Any("x", nil), `"x":null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := `{"level":"INFO","msg":"m",` + c.want + `}`
			if got := line(t, func(l *slog.Logger) { l.Info("m", c.attr) }); got != want {
				t.Errorf("as an argument: got %s, want %s", got, want)
			}
			if got := line(t, func(l *slog.Logger) { l.With(c.attr).Info("m") }); got != want {
				t.Errorf("with With: got %s, want %s", got, want)
			}
		})
	}
}

func TestMessageIsMasked(t *testing.T) {
	got := line(t, func(l *slog.Logger) { l.Info("code is 492817 for alice@example.org") })
	if want := `{"level":"INFO","msg":"code is *** for a***@e***.org"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestIdsFromTheContextStayAtTheTop(t *testing.T) {
	ctx := redact.With(t.Context(), slog.String("request", "rq_1"), slog.String("to", "alice@example.org"))
	ctx = redact.With(ctx, slog.String("challenge", "pc_1"), slog.String("request", "rq_2"))
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"plain", func(l *slog.Logger) { l.InfoContext(ctx, "m", "n", 1) },
			`{"level":"INFO","msg":"m","n":1,"request":"rq_2","to":"a***@e***.org","challenge":"pc_1"}`},
		{"inside groups", func(l *slog.Logger) {
			l.With("a", 1).WithGroup("g").With("b", 2, "code", 3).WithGroup("h").InfoContext(ctx, "m", "n", 1)
		},
			`{"level":"INFO","msg":"m","a":1,"g":{"b":2,"code":"***","h":{"n":1}},"request":"rq_2","to":"a***@e***.org","challenge":"pc_1"}`},
		{"empty group", func(l *slog.Logger) { l.WithGroup("g").InfoContext(ctx, "m") },
			`{"level":"INFO","msg":"m","request":"rq_2","to":"a***@e***.org","challenge":"pc_1"}`},
	} {
		if got := line(t, c.log); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestGroupsOfOneParentAreApart(t *testing.T) {
	got := line(t, func(l *slog.Logger) {
		parent := l.WithGroup("g").With("a", 1)
		_ = parent.With("b", 2)
		parent.With("c", 3).Info("m")
	})
	if want := `{"level":"INFO","msg":"m","g":{"a":1,"c":3}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLevelIsTheInnerHandlers(t *testing.T) {
	var b bytes.Buffer
	slog.New(redact.New(slog.NewTextHandler(&b, nil))).Debug("m")
	if b.Len() > 0 {
		t.Errorf("debug was logged: %s", b.Bytes())
	}
}

func TestNothingToMaskDoesNotAllocate(t *testing.T) {
	l := slog.New(redact.New(enabled{slog.DiscardHandler}))
	ctx := redact.With(t.Context(), slog.String("request", "rq_1"))
	got := testing.AllocsPerRun(100, func() {
		l.LogAttrs(ctx, slog.LevelInfo, "delivery accepted", slog.String("delivery", "dl_1"),
			slog.String("provider", "smtp"), slog.Duration("took", time.Second))
	})
	if got > 0 {
		t.Errorf("%v allocations", got)
	}
}

// enabled lets every record through to a handler that drops it.
type enabled struct{ slog.Handler }

func (enabled) Enabled(context.Context, slog.Level) bool { return true }

func BenchmarkNothingToMask(b *testing.B) {
	l := slog.New(redact.New(enabled{slog.DiscardHandler}))
	ctx := redact.With(b.Context(), slog.String("request", "rq_1"))
	b.ReportAllocs()
	for b.Loop() {
		l.LogAttrs(ctx, slog.LevelInfo, "delivery accepted", slog.String("delivery", "dl_01jd5k2m3n4p5q6r7s8t9v0w1x"),
			slog.String("provider", "environment"), slog.Int("tries", 1), slog.Duration("took", time.Second))
	}
}

func BenchmarkMask(b *testing.B) {
	l := slog.New(redact.New(enabled{slog.DiscardHandler}))
	b.ReportAllocs()
	for b.Loop() {
		l.LogAttrs(b.Context(), slog.LevelInfo, "passcode issued", slog.String("to", "alice@example.org"), slog.String("code", "492817"))
	}
}
