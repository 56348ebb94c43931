package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestEveryPackageOfTheProofIsAPart(t *testing.T) {
	folders, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, p := range parts() {
		for _, path := range p.packages {
			known = append(known, filepath.Base(path))
		}
	}
	for _, folder := range folders {
		if folder.IsDir() && folder.Name() != "rig" && !strings.Contains(strings.Join(known, " "), folder.Name()) {
			t.Errorf("proof/%s is in no row of parts, so make proof does not run it", folder.Name())
		}
	}
	for _, p := range parts() {
		for _, path := range p.packages {
			if _, err := os.Stat(filepath.Join("..", strings.TrimSuffix(path, "/..."))); err != nil {
				t.Errorf("part %s: %v", p.name, err)
			}
		}
	}
}

func TestAFailureIsCountedAndShown(t *testing.T) {
	events := `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: lost 3\n"}
{"Action":"fail","Package":"p","Test":"TestB","Elapsed":2}
{"Action":"fail","Package":"p"}
`
	r := result{part: parts()[0]}
	var progress bytes.Buffer
	r.count(strings.NewReader(events), &progress)
	if r.passed != 1 || r.failed != 1 || !strings.Contains(strings.Join(r.complaints, ""), "lost 3") || !strings.Contains(progress.String(), "fail TestB") {
		t.Errorf("got %+v and %q", r, progress.String())
	}
	if r.verdict() != "FAILED, 1 of 2 tests" {
		t.Errorf("got %q", r.verdict())
	}
}

func TestTheSummaryGoesBetweenTheMarks(t *testing.T) {
	folder := t.TempDir()
	figures := filepath.Join(folder, "figures")
	lines := `{"name":"crash.lost","value":1,"words":"old"}` + "\n" + `{"name":"crash.lost","value":0,"words":"lost"}` + "\n"
	if err := os.WriteFile(figures, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := readFigures(figures)
	if err != nil || len(read) != 1 {
		t.Fatalf("got %v, %v; want the later of two of one name", read, err)
	}
	text := summary([]result{{part: parts()[1], held: true, passed: 3, figures: read}}, true, time.Now())
	page := filepath.Join(folder, "page.md")
	if err := os.WriteFile(page, []byte("before\n"+from+"old text\n"+to+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(page, text); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n", "held, 3 tests", "| `crash.lost` | 0 | lost |", "after\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(string(got), "old text") {
		t.Error("the old summary is still there")
	}
	if err := write(figures, text); err == nil {
		t.Error("a page without marks was written to")
	}
}

func TestUnknownPartsAreRefused(t *testing.T) {
	if _, err := parse([]string{"-part", "crush"}, io.Discard); err == nil || !strings.Contains(err.Error(), "crash") {
		t.Errorf("got %v, want the names of the parts", err)
	}
	if _, err := parse([]string{"crash"}, io.Discard); err == nil {
		t.Error("an argument that is no flag was taken")
	}
}
