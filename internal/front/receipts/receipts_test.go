package receipts_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/receipts"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// reader is one that wants the secret "s3cret" in the path, and notes what it was given.
type reader struct {
	given  []provider.Posted
	answer []byte
	err    error
}

func (r *reader) Read(ctx context.Context, p provider.Posted) (provider.Told, error) {
	r.given = append(r.given, p)
	switch {
	case ctx.Err() != nil:
		return provider.Told{}, ctx.Err()
	case r.err != nil:
		return provider.Told{}, r.err
	case p.Secret != "s3cret":
		return provider.Told{}, fmt.Errorf("%w: the secret is wrong", provider.ErrForged)
	case !strings.HasPrefix(string(p.Body), "bounced ") && p.Method == http.MethodPost:
		return provider.Told{}, fmt.Errorf("%w: no report of ours", provider.ErrMalformed)
	}
	return provider.Told{Answer: r.answer, Receipts: []outbox.Receipt{{Event: "event-77", Delivery: "dl_1", Report: outbox.ReportBounced}}}, nil
}

// shelf is a store that keeps what it is given, unless it is away.
type shelf struct {
	kept []string
	err  error
}

func (s *shelf) Receive(_ context.Context, name string, all []outbox.Receipt, now time.Time) (became []outbox.Receiving, err error) {
	for _, r := range all {
		s.kept = append(s.kept, fmt.Sprintf("%s %s %s %s at %v", name, r.Event, r.Delivery, r.Report, now.Sub(noon)))
		became = append(became, outbox.Receiving{Delivery: outbox.Delivery{ID: r.Delivery, State: outbox.Bounced}, Moved: true})
	}
	return became, s.err
}

// desk is the door behind its entrance, with all that it logs.
type desk struct {
	reader *reader
	shelf  *shelf
	log    bytes.Buffer
	http.Handler
}

func newDesk() *desk {
	d := &desk{reader: &reader{}, shelf: &shelf{}}
	log := slog.New(slog.NewTextHandler(&d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	mux := http.NewServeMux()
	(&receipts.Handler{Store: d.shelf, PublicURL: "https://otp.example/base/", Log: log, Now: func() time.Time { return noon },
		Receipts: func(name string) (provider.Receipts, bool) { return d.reader, name == "post" }}).Mount(mux)
	d.Handler = front.Entrance{Log: log, Level: slog.LevelDebug, MaxBody: 4 << 20}.Handler(mux)
	return d
}

func (d *desk) do(method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

const (
	path = "/receipts/post/s3cret"
	text = "bounced lea@example.org 482913"
)

func TestWhatAPostIsAnswered(t *testing.T) {
	away := errors.New("the database is away")
	for name, c := range map[string]struct {
		method, path, body string
		reader             reader
		away               error
		want               int
		code               string
		kept, read         bool
	}{
		"a report":                   {"POST", path, text, reader{}, nil, 200, "", true, true},
		"one with an answer":         {"POST", path, text, reader{answer: []byte(`{"a":1}`)}, nil, 200, "", true, true},
		"a query for a body":         {"GET", path + "?status=delivered", "", reader{}, nil, 200, "", true, true},
		"a look":                     {"HEAD", path, "", reader{}, nil, 200, "", false, false},
		"a look in a browser":        {"GET", path, "", reader{}, nil, 200, "", false, false},
		"without its secret":         {"POST", "/receipts/post", text, reader{}, nil, 401, "receipt_forged", false, true},
		"with another":               {"POST", "/receipts/post/s3creT", text, reader{}, nil, 401, "receipt_forged", false, true},
		"a query without the secret": {"GET", "/receipts/post?a=b", "", reader{}, nil, 401, "receipt_forged", false, true},
		"not a report":               {"POST", path, "{}", reader{}, nil, 400, "receipt_malformed", false, true},
		"an unknown provider":        {"POST", "/receipts/past/s3cret", text, reader{}, nil, 404, "unknown_provider", false, false},
		"a look at an unknown one":   {"HEAD", "/receipts/past", "", reader{}, nil, 404, "", false, false},
		"too much":                   {"POST", path, strings.Repeat("x", 1<<20+1), reader{}, nil, 413, "body_too_large", false, false},
		"as much as may be":          {"POST", path, "bounced " + strings.Repeat("x", 1<<20-8), reader{}, nil, 200, "", true, true},
		"another method":             {"PUT", path, text, reader{}, nil, 405, "method_not_allowed", false, false},
		"a longer path":              {"POST", path + "/more", text, reader{}, nil, 404, "unknown_path", false, false},
		"a store that is away":       {"POST", path, text, reader{}, away, 503, "unavailable", true, true},
		"a key that cannot be had":   {"POST", path, text, reader{err: away}, nil, 503, "unavailable", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			*d.reader, d.shelf.err = c.reader, c.away
			w := d.do(c.method, c.path, c.body)
			if w.Code != c.want || c.code != "" && !strings.Contains(w.Body.String(), `"code":"`+c.code+`"`) {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, c.want, c.code)
			}
			if c.code == "" && w.Body.String() != string(c.reader.answer) || (c.reader.answer != nil) != (w.Header().Get("Content-Type") == "application/json") {
				t.Errorf("answered %q as %q", w.Body, w.Header().Get("Content-Type"))
			}
			if retry := w.Header().Get("Retry-After"); (c.want == 503) != (retry == "30") {
				t.Errorf("Retry-After is %q", retry)
			}
			if kept := len(d.shelf.kept) == 1; kept != c.kept || kept && d.shelf.kept[0] != "post event-77 dl_1 bounced at 0s" {
				t.Errorf("kept %q", d.shelf.kept)
			}
			if read := len(d.reader.given) == 1; read != c.read {
				t.Errorf("%d reports were read", len(d.reader.given))
			}
			for _, secret := range []string{"s3cre", "lea@", "482913", "bounced lea", "event-77", "/receipts/post/"} {
				if strings.Contains(d.log.String(), secret) {
					t.Errorf("the log holds %q:\n%s", secret, d.log.String())
				}
			}
			if d.log.Len() == 0 {
				t.Error("nothing is logged")
			}
		})
	}
}

func TestTheReaderIsGivenWhatWasPosted(t *testing.T) {
	d := newDesk()
	r := httptest.NewRequest("POST", "http://evil.example"+path+"?a=1&b=%20", strings.NewReader(text))
	r.Header.Set("X-Signature", "v1")
	ctx, hangUp := context.WithCancel(r.Context())
	hangUp()
	d.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
	if len(d.reader.given) != 1 {
		t.Fatal("nothing was read")
	}
	got := d.reader.given[0]
	if got.URL != "https://otp.example/base"+path+"?a=1&b=%20" || got.Method != "POST" || got.Header.Get("X-Signature") != "v1" ||
		string(got.Body) != text || got.Secret != "s3cret" {
		t.Errorf("given %+v", got)
	}
	if len(d.shelf.kept) != 1 {
		t.Error("a vendor that hung up is not heard")
	}
}

func TestEventGridMayAskFirst(t *testing.T) {
	d := newDesk()
	r := httptest.NewRequest("OPTIONS", path, nil)
	r.Header.Set("WebHook-Request-Origin", "eventgrid.azure.net")
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("WebHook-Allowed-Origin") != "eventgrid.azure.net" || w.Header().Get("WebHook-Allowed-Rate") != "*" ||
		w.Header().Get("Allow") != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := d.do("OPTIONS", path, ""); w.Code != 200 || w.Header().Get("WebHook-Allowed-Origin") != "" {
		t.Errorf("nobody was allowed: %d %v", w.Code, w.Header())
	}
}

// TestARealReaderStandsBehindTheDoor posts a webhook that is signed as Standard Webhooks says.
func TestARealReaderStandsBehindTheDoor(t *testing.T) {
	secret := []byte(strings.Repeat("k", 32))
	kind, err := provider.Find("webhook")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := kind.Parse(map[string]string{"url": "https://receiver.example/", "secrets": "whsec_" + base64.StdEncoding.EncodeToString(secret)})
	if err != nil {
		t.Fatal(err)
	}
	read, err := kind.Receipts(settings, provider.Environment{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	kept := &shelf{}
	mux := http.NewServeMux()
	(&receipts.Handler{Store: kept, Receipts: func(string) (provider.Receipts, bool) { return read, true }, Now: func() time.Time { return noon }}).Mount(mux)
	body := `{"type":"passcode.delivered","timestamp":"2026-11-22T11:59:00Z","data":{"id":"dl_7"}}`
	post := func(id, signed string) int {
		mac := hmac.New(sha256.New, secret)
		io.WriteString(mac, fmt.Sprintf("%s.%d.%s", signed, noon.Unix(), body))
		r := httptest.NewRequest("POST", "/receipts/hook", strings.NewReader(body))
		r.Header.Set("webhook-id", id)
		r.Header.Set("webhook-timestamp", fmt.Sprint(noon.Unix()))
		r.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code
	}
	if got := post("msg_1", "msg_1"); got != 200 {
		t.Errorf("a signed report is answered %d", got)
	}
	if got := post("msg_2", "msg_1"); got != 401 {
		t.Errorf("a forged one is answered %d", got)
	}
	if want := []string{"hook msg_1 dl_7 delivered at 0s"}; !reflect.DeepEqual(kept.kept, want) {
		t.Errorf("kept %q, want %q", kept.kept, want)
	}
}
