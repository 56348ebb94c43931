package silence_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// pair is two questions that differ only in what otpost knows of whom they are about.
type pair struct {
	door           string
	known, unknown string
	// make returns the two questions.
	make func(*scene) (known, unknown question)
	// status is what both are answered, or when differs is set what each of them is.
	status [2]int
	// differs says why the one who asks may know; empty means that the answers are equal byte for byte.
	differs string
}

// question gets an answer, in which what is individual is masked.
type question func() []byte

// sent is the question that a request asks.
func (s *scene) sent(r *request) question {
	return func() []byte {
		answer, _ := s.wire.ask(s.t, r)
		masked := mask(answer, r.own)
		if len(masked) != len(answer) {
			s.t.Fatalf("the mask changed the length from %d to %d", len(answer), len(masked))
		}
		return masked
	}
}

// asked makes a pair's questions out of two requests.
func asked(requests func(*scene) (known, unknown *request)) func(*scene) (known, unknown question) {
	return func(s *scene) (question, question) {
		known, unknown := requests(s)
		return s.sent(known), s.sent(unknown)
	}
}

// all is the table: every pair at every door.
func all() []pair {
	var pairs []pair
	for _, some := range [][]pair{issuePairs(), verifyPairs(), addressPairs(), idPairs(), keyPairs(), entraPairs(), otherPairs()} {
		pairs = append(pairs, some...)
	}
	return pairs
}

// Zitadel CVE-2024-41952, CVE-2026-23511 (GO-2024-3014, 2026-4319), Grafana CVE-2022-39307 (GO-2024-2844), File
// Browser CVE-2026-23849 (GO-2026-4344): existence was shown by text, status or time. The times are in timing_test.go.
func TestKnownAndUnknownAreAnsweredAlike(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		s := setScene(t, db)
		equal, differing := 0, 0
		for i, p := range all() {
			t.Run(fmt.Sprintf("%s: %s / %s", p.door, p.known, p.unknown), func(t *testing.T) {
				s.t = t
				compare(t, s, &p, i%2 == 0)
			})
			if p.differs == "" {
				equal++
			} else {
				differing++
			}
		}
		s.t = t
		s.p.Stop()
		rig.Figure(t, "silence.pairs.equal."+db.Kind(), equal, "pairs of known and unknown subjects that are answered byte for byte alike")
		rig.Figure(t, "silence.pairs.told."+db.Kind(), differing, "pairs that an application with a key is answered differently, each with its reason in proof/silence/pairs.md")
	})
}

func compare(t *testing.T, s *scene, p *pair, knownFirst bool) {
	knownAsks, unknownAsks := p.make(s)
	var known, unknown []byte
	if knownFirst {
		known = knownAsks()
	}
	unknown = unknownAsks()
	if !knownFirst {
		known = knownAsks()
	}
	want := p.status
	if p.differs == "" {
		want[1] = want[0]
		if !bytes.Equal(known, unknown) {
			t.Errorf("the answers differ. Known:\n%s\nUnknown:\n%s", known, unknown)
		}
	} else if bytes.Equal(known, unknown) {
		t.Errorf("the answers are said to differ, and are both\n%s", known)
	}
	if got := [2]int{statusOf(known), statusOf(unknown)}; got != want {
		t.Errorf("got status %v, want %v:\n%s\n%s", got, want, known, unknown)
	}
}

var update = flag.Bool("update", false, "write pairs.md anew")

// The page lists what is compared, for whoever does not read Go.
func TestThePageOfPairs(t *testing.T) {
	page := pageOf(all())
	if *update {
		if err := os.WriteFile("pairs.md", page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile("pairs.md")
	if err != nil || !bytes.Equal(kept, page) {
		t.Errorf("pairs.md is not what the table says (%v); write it with go test ./proof/silence -run Page -update", err)
	}
}

const pageHead = `# Who is answered alike

A test writes this page from its table; do not edit it.

For each pair the same question is asked about somebody otpost knows and about somebody it does not. Status, headers,
their order, and the body are compared byte for byte. What no two answers have in common is masked first by as many
bytes: ids, times, the seconds of ` + "`Retry-After`" + `, and the address that was asked about, which the answer repeats.
`

const pageFoot = `
## Time

Where the same work is done for both, the times must not differ at all: a wrong code of any kind, a right and a wrong
code of a locked passcode, an API key that is nearly right.

A passcode for somebody known, their first wrong code, and Entra's event take nearly the same time as for somebody
unknown: the one has rows that are changed, an older passcode's among them, and the other rows that are made. An end
user could ask both through an application. But the first question makes the recipient known for a day and more, so
there is one measurement for each purpose, which cannot be repeated until the noise is gone. A difference was measured
for a passcode, of some tens of microseconds. The test wants it below 0.1 ms.

What need not take the same time is what is answered differently anyway, and the id of a passcode: it has 80 random
bits, so nobody can ask about one that was not given to them.
`

func pageOf(pairs []pair) []byte {
	var b bytes.Buffer
	b.WriteString(pageHead)
	b.WriteString("\n## Equal\n\n| door | known | unknown | answer |\n|---|---|---|---|\n")
	for _, p := range pairs {
		if p.differs == "" {
			fmt.Fprintf(&b, "| %s | %s | %s | %d |\n", p.door, p.known, p.unknown, p.status[0])
		}
	}
	b.WriteString("\n## Different, and why\n\nEach of these is told to an application that holds an API key, or to Entra, and to nobody else.\n\n" +
		"| door | known | unknown | answers | who may know |\n|---|---|---|---|---|\n")
	for _, p := range pairs {
		if p.differs != "" {
			fmt.Fprintf(&b, "| %s | %s | %s | %d, %d | %s |\n", p.door, p.known, p.unknown, p.status[0], p.status[1], p.differs)
		}
	}
	b.WriteString(pageFoot)
	return b.Bytes()
}
