package provider_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/published"
)

// candidate is a kind that sits the exam: what its vendor demands, and what its vendor says.
type candidate struct {
	kind     string
	settings map[string]string // without the way to the vendor, which the exam adds
	message  outbox.Message    // sampleMessage when empty
	// path is where messages are posted. Requests to other paths go to also, by path; any other is an error.
	path string
	also map[string]http.HandlerFunc
	// contract is the vendor's published one, nil when there is none.
	contract *published.Operation
	// check refuses what the vendor refuses, with an error; it may look at everything.
	check func(r *http.Request, body []byte) error

	// accepted is answered with a message taken, whose reference is ref.
	accepted answer
	ref      string
	// throttled lacks Retry-After, which the exam adds in both forms.
	throttled      answer
	badRecipient   answer
	badCredentials answer
	quota          answer
	down           answer
	// others are refusals of the vendor's own, by what they are; hidden ones have a 2xx status.
	others map[string]answer
	// hides says that the vendor hides refusals in 2xx answers, so that one that is not read whole proves nothing.
	hides bool
	// absent says why a question is not asked, by the name of the field above.
	absent map[string]string
	// private are words that no fault may hold: credentials and what is made of them.
	private []string
}

// answer is what a vendor says, and how it must be understood.
type answer struct {
	status int
	header http.Header
	body   string
	class  outbox.Class
	code   string // of the fault
}

// examNow is the clock of every sender that sits the exam.
var examNow = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// fakeVendor answers what it is told to, and checks every request against the contract and the candidate's rules.
type fakeVendor struct {
	t   testing.TB
	c   *candidate
	url string

	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request)
	bodies []string
}

func startVendor(t testing.TB, c *candidate) *fakeVendor {
	v := &fakeVendor{t: t, c: c}
	s := httptest.NewServer(v)
	t.Cleanup(s.Close)
	v.url = s.URL
	return v
}

func (v *fakeVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender gave up
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if also, ok := v.c.also[r.URL.Path]; ok {
		also(w, r)
		return
	}
	if r.URL.Path != v.c.path || r.Method != http.MethodPost {
		v.t.Errorf("request %s %s, want POST %s", r.Method, r.URL.Path, v.c.path)
	}
	if v.c.contract != nil {
		v.c.contract.Check(v.t, r, body)
	}
	if v.c.check != nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err := v.c.check(r, body); err != nil {
			v.t.Errorf("the vendor refuses: %v\n%s %s\n%s", err, r.Method, r.URL, body)
		}
	}
	v.mu.Lock()
	v.bodies = append(v.bodies, string(body))
	say := v.answer
	v.mu.Unlock()
	say(w, r)
}

func (v *fakeVendor) says(f func(w http.ResponseWriter, r *http.Request)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answer = f
}

func (v *fakeVendor) heard() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.bodies)
}

func (a answer) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	io.WriteString(w, a.body)
}

// open opens the candidate's sender, which sends to the fake.
func (v *fakeVendor) open(settings map[string]string) outbox.Sender {
	all := map[string]string{"endpoint": v.url, "allow_http": "true", "allow_private": "true"}
	maps.Copy(all, v.c.settings)
	maps.Copy(all, settings)
	return openKind(v.t, v.c.kind, all, provider.Environment{Now: func() time.Time { return examNow }})
}

// deliveryID is the form of id that the outbox gives.
const deliveryID = "dl_01jd9z3v5k8q2w4x6y7b9c0d1e"

// sitExam asks a kind every question.
func sitExam(t *testing.T, c candidate) {
	t.Helper()
	t.Parallel()
	if c.message.To == "" {
		c.message = sampleMessage()
	}
	t.Run("accepted", func(t *testing.T) { c.takesAMessage(t) })
	for name, a := range map[string]answer{"throttled": c.throttled, "badRecipient": c.badRecipient,
		"badCredentials": c.badCredentials, "quota": c.quota, "down": c.down} {
		if reason := c.absent[name]; a.status == 0 || reason != "" {
			if (a.status == 0) != (reason != "") {
				t.Errorf("%s: want an answer, or a reason why there is none", name)
			}
			continue
		}
		t.Run(name, func(t *testing.T) { c.understands(t, a, 0) })
	}
	for name, a := range c.others {
		t.Run("other/"+name, func(t *testing.T) { c.understands(t, a, 0) })
	}
	if c.throttled.status != 0 {
		t.Run("retry after seconds", func(t *testing.T) { c.waits(t, "7") })
		t.Run("retry after a date", func(t *testing.T) { c.waits(t, examNow.Add(7*time.Second).Format(http.TimeFormat)) })
	}
	t.Run("nobody listens", func(t *testing.T) { c.unreachable(t) })
	t.Run("slow headers", func(t *testing.T) { c.interrupted(t, hangBeforeHeaders, outbox.Ambiguous) })
	t.Run("reset", func(t *testing.T) { c.interrupted(t, resetAfterRequest, outbox.Ambiguous) })
	t.Run("slow body", func(t *testing.T) { c.slowBody(t) })
	t.Run("hostile names", func(t *testing.T) { c.hostile(t) })
	t.Run("private endpoint", func(t *testing.T) { c.refusesInside(t) })
}

// class checks an error's class and that it gives nothing away.
func (c *candidate) faultOf(t *testing.T, err error, m outbox.Message) *outbox.Fault {
	t.Helper()
	f := fault(t, err)
	for _, secret := range append(slices.Clone(c.private), m.Code, m.To) {
		if secret != "" && strings.Contains(f.Error(), secret) {
			t.Errorf("the fault %q holds %q", f, secret)
		}
	}
	return f
}

func (c *candidate) takesAMessage(t *testing.T) {
	v := startVendor(t, c)
	v.says(func(w http.ResponseWriter, _ *http.Request) { c.accepted.write(w) })
	ref, err := v.open(nil).Send(t.Context(), deliveryID, c.message)
	if err != nil {
		t.Fatal(err)
	}
	if ref != c.ref {
		t.Errorf("reference %q, want %q", ref, c.ref)
	}
	if heard := v.heard(); len(heard) != 1 {
		t.Errorf("%d messages were posted, want 1", len(heard))
	}
}

func (c *candidate) understands(t *testing.T, a answer, wait time.Duration) {
	v := startVendor(t, c)
	// A vendor that repeats what it was sent must not make us tell anybody.
	a.body = strings.NewReplacer("{to}", c.message.To, "{code}", c.message.Code).Replace(a.body)
	v.says(func(w http.ResponseWriter, _ *http.Request) { a.write(w) })
	_, err := v.open(nil).Send(t.Context(), deliveryID, c.message)
	if err == nil {
		t.Fatal("taken for an acceptance")
	}
	f := c.faultOf(t, err, c.message)
	if f.Class != a.class || f.Code != a.code {
		t.Errorf("class %q and code %q, want %q and %q", f.Class, f.Code, a.class, a.code)
	}
	if f.Detail == "" {
		t.Error("the fault says nothing")
	}
	if f.RetryAfter != wait {
		t.Errorf("retry after %s, want %s", f.RetryAfter, wait)
	}
}

func (c *candidate) waits(t *testing.T, retryAfter string) {
	a := c.throttled
	a.header = maps.Clone(a.header)
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set("Retry-After", retryAfter)
	c.understands(t, a, 7*time.Second)
}

func (c *candidate) unreachable(t *testing.T) {
	v := startVendor(t, c)
	l := listen(t)
	l.Close()
	gone := "http://" + l.Addr().String()
	settings := map[string]string{"endpoint": gone}
	_, err := v.open(settings).Send(t.Context(), deliveryID, c.message)
	if f := c.faultOf(t, err, c.message); f.Class != outbox.Transient {
		t.Errorf("class %q, want %q", f.Class, outbox.Transient)
	}
}

// hangBeforeHeaders says nothing until the sender gives up.
func hangBeforeHeaders(cancel func()) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}
}

func resetAfterRequest(func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		conn.Close()
	}
}

// interrupted breaks the exchange after the whole request was read.
func (c *candidate) interrupted(t *testing.T, how func(cancel func()) http.HandlerFunc, want outbox.Class) {
	v := startVendor(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	v.says(how(cancel))
	_, err := v.open(nil).Send(ctx, deliveryID, c.message)
	if f := c.faultOf(t, err, c.message); f.Class != want {
		t.Errorf("class %q, want %q: %v", f.Class, want, f)
	}
}

// slowBody answers with the headers of an acceptance and half of its body.
func (c *candidate) slowBody(t *testing.T) {
	v := startVendor(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	v.says(func(w http.ResponseWriter, r *http.Request) {
		half := c.accepted
		half.header = maps.Clone(half.header)
		if half.header == nil {
			half.header = http.Header{}
		}
		half.header.Set("Content-Length", fmt.Sprint(len(half.body)+2))
		half.body = half.body[:len(half.body)/2]
		half.write(w)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	_, err := v.open(nil).Send(ctx, deliveryID, c.message)
	switch {
	case c.hides && err == nil:
		t.Error("taken for an acceptance, though a refusal may be hidden in what was not read")
	case c.hides:
		if f := c.faultOf(t, err, c.message); f.Class != outbox.Ambiguous {
			t.Errorf("class %q, want %q", f.Class, outbox.Ambiguous)
		}
	case err != nil:
		t.Errorf("got %v; the status is enough", err)
	}
}

// hostile sends names that try to break out of headers, JSON and templates. The fake and the contract refuse what breaks.
func (c *candidate) hostile(t *testing.T) {
	for _, name := range []string{"Eve\r\nBcc: all@example.org", `"},"to":[{"email":"x@example.org"}]`, "<script>{{code}}</script>",
		"%recipient.name% *|CODE|* {{params.x}}"} {
		v := startVendor(t, c)
		v.says(func(w http.ResponseWriter, _ *http.Request) { c.accepted.write(w) })
		m := c.message
		m.FromName, m.Application = name, name
		if m.Channel == outbox.Email {
			m.Subject = name
		}
		if _, err := v.open(nil).Send(t.Context(), deliveryID, m); err != nil {
			if f := c.faultOf(t, err, m); f.Class != outbox.RejectedContent {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}

// refusesInside asks whether an endpoint inside the network is refused when it is set.
func (c *candidate) refusesInside(t *testing.T) {
	k := kind(t, c.kind)
	for _, endpoint := range []string{"https://127.0.0.1", "https://[::1]", "https://169.254.169.254", "https://localhost", "http://api.example.org",
		"https://user:pw@api.example.org", "ftp://api.example.org"} {
		settings := maps.Clone(c.settings)
		settings["endpoint"] = endpoint
		parsed, err := k.Parse(settings)
		if err == nil {
			_, err = k.Open(parsed, provider.Environment{})
		}
		if err == nil {
			t.Errorf("the endpoint %s was accepted", endpoint)
		}
	}
}

// reports is how a kind's delivery reports are examined.
type reports struct {
	kind     string
	settings map[string]string
	// post makes the request that the vendor would send for a body at a time, signed with what settings say.
	post func(body string, at time.Time) provider.Posted
	// tell are bodies and what they say. At least one has several receipts where the vendor batches.
	tell []report
	// forge are ways to spoil a genuine request that must make it unbelievable, beside those the exam has itself.
	forge map[string]func(*provider.Posted)
	// timed says that the signature covers a time.
	timed bool
	// bodySigned says that the signature covers the body.
	bodySigned bool
	// inBody says that the signature is in the body, so that nothing else is needed to believe it.
	inBody bool
	// open makes the reader where it must not fetch from the vendor; nil for the kind's own.
	open func(settings map[string]string) provider.Receipts
}

type report struct {
	name string
	body string
	want []outbox.Receipt
}

// sitReceipts asks a kind's reader of reports every question.
func sitReceipts(t *testing.T, r reports) {
	t.Helper()
	for _, told := range r.tell {
		t.Run(told.name, func(t *testing.T) {
			got, err := r.read(t, r.post(told.body, examNow))
			if err != nil {
				t.Fatal(err)
			}
			again, err := r.read(t, r.post(told.body, examNow))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Receipts, again.Receipts) {
				t.Error("the same report twice is understood as two")
			}
			events := map[string]bool{}
			for i := range got.Receipts {
				if g := &got.Receipts[i]; g.Event == "" || events[g.Event] {
					t.Errorf("receipt %d: its event %q is empty or comes twice", i, g.Event)
				} else {
					events[g.Event] = true
				}
				if len(told.want) > i && told.want[i].Event == "" { // made by us; only that it is there and stays is of interest
					got.Receipts[i].Event = ""
				}
			}
			if !slices.Equal(got.Receipts, told.want) {
				t.Errorf("got  %+v\nwant %+v", got.Receipts, told.want)
			}
		})
	}
	genuine := func() provider.Posted { return r.post(r.tell[0].body, examNow) }
	t.Run("nothing but the body", func(t *testing.T) {
		if r.inBody {
			t.Skip("the signature is in the body")
		}
		p := genuine()
		p.Header, p.Secret = http.Header{"Content-Type": p.Header["Content-Type"]}, ""
		if u, err := url.Parse(p.URL); err == nil {
			u.RawQuery = ""
			p.URL = u.String()
		}
		r.refuses(t, p)
	})
	if r.bodySigned {
		t.Run("body changed", func(t *testing.T) {
			p := genuine()
			p.Body = append(p.Body, ' ')
			r.refuses(t, p)
		})
	}
	if r.timed {
		for name, at := range map[string]time.Time{"late": examNow.Add(-10 * time.Minute), "early": examNow.Add(10 * time.Minute)} {
			t.Run(name, func(t *testing.T) { r.refuses(t, r.post(r.tell[0].body, at)) })
		}
	}
	for name, spoil := range r.forge {
		t.Run("forged/"+name, func(t *testing.T) {
			p := genuine()
			spoil(&p)
			r.refuses(t, p)
		})
	}
	for _, body := range []string{"", "null", "[", `{"a":1}`, `[1]`, `[{}]`, `"x"`, strings.Repeat("[", 20000)} {
		got, err := r.read(t, r.post(body, examNow))
		if err == nil && len(got.Receipts) > 0 || err != nil && !errors.Is(err, provider.ErrMalformed) && !errors.Is(err, provider.ErrForged) {
			t.Errorf("body %.20q: got %+v, %v", body, got, err)
		}
	}
	t.Run("no secret set", func(t *testing.T) {
		k := kind(t, r.kind)
		settings := map[string]string{}
		for _, f := range k.Fields() {
			if v, ok := r.settings[f.Name]; ok && (f.Required || !strings.HasPrefix(f.Name, "receipt")) {
				settings[f.Name] = v
			}
		}
		if reader := receiptsOf(t, r.kind, settings); reader != nil {
			r2 := r
			r2.settings = settings
			r2.refuses(t, provider.Posted{URL: genuine().URL, Method: "POST", Header: http.Header{}, Body: genuine().Body})
		}
	})
}

func (r *reports) read(t *testing.T, p provider.Posted) (provider.Told, error) {
	t.Helper()
	reader := r.reader(t)
	if reader == nil {
		t.Fatal("the kind reads no reports with these settings")
	}
	return reader.Read(t.Context(), p)
}

func (r *reports) reader(t *testing.T) provider.Receipts {
	t.Helper()
	if r.open != nil {
		return r.open(r.settings)
	}
	return receiptsOf(t, r.kind, r.settings)
}

func (r *reports) refuses(t *testing.T, p provider.Posted) {
	t.Helper()
	got, err := r.read(t, p)
	if !errors.Is(err, provider.ErrForged) || len(got.Receipts) > 0 {
		t.Errorf("got %+v, %v, want %v", got, err, provider.ErrForged)
	}
}

func receiptsOf(t *testing.T, name string, settings map[string]string) provider.Receipts {
	t.Helper()
	k := kind(t, name)
	parsed, err := k.Parse(settings)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := k.Receipts(parsed, provider.Environment{Now: func() time.Time { return examNow }})
	if err != nil {
		t.Fatal(err)
	}
	return reader
}
