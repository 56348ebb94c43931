package silence_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// ledger keeps every code of a run and everything that must not hold one.
type ledger struct {
	mu    sync.Mutex
	codes map[string]bool
	// places are what was found at each place; what one place gives at different times is kept apart.
	places map[string][][]byte
}

func newLedger() *ledger { return &ledger{codes: map[string]bool{}, places: map[string][][]byte{}} }

// code notes a code, whoever made it.
func (l *ledger) code(code string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.codes[code] = true
	return code
}

// drawn is a new code of a length that no other code has by chance.
func (l *ledger) drawn() string { return l.code(rand.Text()[:16]) }

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
	search := rig.NewSearch(slices.Collect(maps.Keys(l.codes)))
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
		}
	}
	db.Files(t, func(path string, text []byte) {
		places++
		look(path, text)
	})
	kind := db.Kind()
	rig.Figure(t, "silence.leak.codes."+kind, len(l.codes), "codes that were issued, relayed or typed, each searched for in its forms")
	rig.Figure(t, "silence.leak.places."+kind, places, "places searched: kinds of output, and files of the database")
	rig.Figure(t, "silence.leak.searched."+kind, fmt.Sprintf("%.1f MB", float64(size)/1e6), "searched in all")
	rig.Figure(t, "silence.leak.finds."+kind, finds, "codes found")
}

// recorder keeps every answer, head and body.
type recorder struct {
	*ledger
	place string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	got, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s\n%v\n%s", got.Status, got.Header, body)
	r.keep(r.place, text.Bytes())
	got.Body = io.NopCloser(bytes.NewReader(body))
	return got, err
}

// answer keeps an answer that did not pass the recorder.
func (l *ledger) answer(place string, a rig.Answer) {
	l.keep(place, fmt.Appendf(nil, "%d\n%v\n%s", a.Status, a.Header, a.Body))
}
