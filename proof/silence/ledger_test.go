package silence_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// ledger keeps every code of a run and everything that must not hold one.
type ledger struct {
	mu    sync.Mutex
	codes map[string]bool
	// briefs are codes of six digits by who they were for, raw are secrets as bytes, tokens are sessions that callers keep.
	briefs map[string]string
	raw    map[string]bool
	tokens map[string]bool
	// places are what was found at each place; what one place gives at different times is kept apart.
	places map[string][][]byte
}

func newLedger() *ledger {
	return &ledger{codes: map[string]bool{}, briefs: map[string]string{}, raw: map[string]bool{}, tokens: map[string]bool{},
		places: map[string][][]byte{}}
}

// code notes a code, whoever made it.
func (l *ledger) code(code string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.codes[code] = true
	return code
}

// drawn is a new code of a length that no other code has by chance.
func (l *ledger) drawn() string { return l.code(rand.Text()[:16]) }

// brief notes a code of six digits. It is searched for where numbers are few, and as itself alone.
func (l *ledger) brief(to, code string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.briefs[to] = code
	return code
}

func (l *ledger) briefOf(to string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.briefs[to]
}

// bytes notes a secret that may be kept as bytes.
func (l *ledger) bytes(secret []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.raw[string(secret)] = true
}

// session notes a token that was handed to a caller, who alone keeps it.
func (l *ledger) session(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens[token] = true
}

func (l *ledger) keep(place string, text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.places[place] = append(l.places[place], text)
}

// database keeps what the database holds at this moment.
func (l *ledger) database(t testing.TB, db *rig.Database) {
	t.Helper()
	l.keep("the rows of the database, or SQLite's file with its log and its freed pages", db.Contents(t))
}

// search looks for every code at every place and says how much was searched.
func (l *ledger) search(t *testing.T, db *rig.Database) {
	t.Helper()
	search := rig.NewSearch(slices.Concat(slices.Collect(maps.Keys(l.codes)), slices.Collect(maps.Keys(l.raw))))
	sessions := rig.NewSearch(slices.Collect(maps.Keys(l.tokens)))
	places, size, finds := 0, 0, 0
	look := func(place string, text []byte) {
		size += len(text)
		for _, find := range search.In(text) {
			if finds++; finds <= 20 {
				t.Errorf("%s holds the code %s", place, find)
			}
		}
	}
	for place, texts := range l.places {
		places++
		for _, text := range texts {
			if len(text) == 0 {
				t.Errorf("%s is empty: nothing was searched", place)
			}
			look(place, text)
			if strings.HasPrefix(place, answers) {
				continue
			}
			if found := sessions.In(text); found != nil {
				t.Errorf("%s holds a session: %s", place, found[0])
			}
		}
		finds += l.searchBriefs(t, place, texts)
	}
	db.Files(t, func(path string, text []byte) {
		places++
		look(path, text)
		if found := sessions.In(text); found != nil {
			t.Errorf("%s holds a session: %s", path, found[0])
		}
	})
	kind := db.Kind()
	rig.Figure(t, "silence.leak.codes."+kind, len(l.codes), "codes that were issued, relayed or typed, each searched for in its forms")
	rig.Figure(t, "silence.leak.briefs."+kind, len(l.briefs), "codes of six digits, searched for in answers, logs and rows")
	rig.Figure(t, "silence.leak.places."+kind, places, "places searched: kinds of output, and files of the database")
	rig.Figure(t, "silence.leak.searched."+kind, fmt.Sprintf("%.1f MB", float64(size)/1e6), "searched in all")
	rig.Figure(t, "silence.leak.finds."+kind, finds, "codes found")
}

// answers begins the names of places that hold what a caller was answered.
const answers = "answers "

// took is how long something took, in nanoseconds, which often have six digits.
var took = regexp.MustCompile(`"took":\d+`)

// searchBriefs looks for codes of six digits. What the operations listener shows is full of numbers, and left out.
func (l *ledger) searchBriefs(t *testing.T, place string, texts [][]byte) (finds int) {
	t.Helper()
	if strings.HasPrefix(place, "the operations listener") {
		return 0
	}
	owners := map[string]string{}
	for to, code := range l.briefs {
		owners[code] = to
	}
	for _, text := range texts {
		if place == "the log" {
			text = took.ReplaceAll(text, nil)
		}
		for _, digits := range loneSixes(text) {
			if to := owners[digits]; to != "" {
				finds++
				t.Errorf("%s holds the code %s of %s", place, digits, to)
			}
		}
	}
	return finds
}

// recorder keeps every answer, head and body.
type recorder struct {
	*ledger
	place string
	next  http.RoundTripper
	// less, when set, is what is kept of a body.
	less func(request *http.Request, body []byte) []byte
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	got, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	kept := body
	if r.less != nil {
		kept = r.less(request, body)
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s\n%v\n%s", got.Status, got.Header, kept)
	r.keep(r.place, text.Bytes())
	got.Body = io.NopCloser(bytes.NewReader(body))
	return got, err
}

// answer keeps an answer that did not pass the recorder.
func (l *ledger) answer(place string, a rig.Answer) {
	l.keep(place, fmt.Appendf(nil, "%d\n%v\n%s", a.Status, a.Header, a.Body))
}
