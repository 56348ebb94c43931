package exam_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/golden"
)

const (
	document   = "../../../docs/b2c.md"
	beginCount = "<!-- begin: count -->\n"
	endCount   = "<!-- end: count -->\n"
)

// The document tells what was counted last, also where the packs are not at hand.
func TestTheDocumentTellsWhatWasCounted(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(text), beginCount)
	got, after, ended := strings.Cut(rest, endCount)
	if !begun || !ended {
		t.Fatalf("%s has no place for the count", document)
	}
	want := "| what | found | run to the end | why not |\n|---|---|---|---|\n" +
		rows(t, "testdata/packs_without_accounts.txt", "", "profiles ") +
		rows(t, "testdata/packs_without_accounts.txt", ", no accounts", "actions ") +
		rows(t, "testdata/packs_with_accounts.txt", ", with `b2c_accounts`", "actions ")
	if golden.Update() {
		if err := os.WriteFile(document, []byte(before+beginCount+want+endCount+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("%s tells\n%s\nwant\n%s", document, got, want)
	}
}

// rows are those of a tally whose kind begins with some text.
func rows(t *testing.T, file, suffix, kinds string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var row *tallyRow
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, " ") {
			row.write(&out)
			kind, found, _ := strings.Cut(line, ": ")
			row = &tallyRow{kind: kind + suffix, found: found}
			if !strings.HasPrefix(kind, kinds) {
				row = nil
			}
			continue
		}
		row.add(strings.TrimSpace(line))
	}
	row.write(&out)
	return out.String()
}

// tallyRow is one kind of thing. A nil one is of no interest.
type tallyRow struct {
	kind, found string
	ran         int
	why         []string
}

func (r *tallyRow) add(line string) {
	if r == nil {
		return
	}
	count, outcome, _ := strings.Cut(line, " ")
	if n, err := strconv.Atoi(count); err == nil && strings.HasPrefix(outcome, "ran") {
		r.ran += n
		return
	}
	r.why = append(r.why, count+" "+outcome)
}

func (r *tallyRow) write(out *strings.Builder) {
	if r != nil {
		fmt.Fprintf(out, "| %s | %s | %d | %s |\n", r.kind, r.found, r.ran, strings.Join(r.why, "; "))
	}
}
