package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// result is what became of a part.
type result struct {
	part
	held           bool
	passed, failed int
	began          time.Time
	took           time.Duration
	figures        []figure
	// complaints are the output of the tests that failed.
	complaints []string
}

func (r *result) verdict() string {
	switch {
	case !r.held:
		return fmt.Sprintf("FAILED, %d of %d tests", r.failed, r.passed+r.failed)
	default:
		return fmt.Sprintf("held, %d tests", r.passed)
	}
}

// figure is one line of the file that proof/rig writes.
type figure struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
	Words string `json:"words"`
}

// run runs a part's tests in a go test of their own, and writes a line for each that ends.
func run(p part, short bool, progress io.Writer) (result, error) {
	folder, err := os.MkdirTemp("", "otpost-proof-")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(folder)
	figures := filepath.Join(folder, "figures")
	args := append([]string{"test", "-json", "-count=1", "-timeout=60m", "-run", p.tests}, p.packages...)
	test := exec.Command("go", args...)
	test.Env = append(os.Environ(), "OTPOST_PROOF_FIGURES="+figures)
	if !short {
		test.Env = append(test.Env, "OTPOST_PROOF=full")
	}
	var stderr bytes.Buffer
	test.Stderr = &stderr
	events, err := test.StdoutPipe()
	if err != nil {
		return result{}, err
	}
	r := result{part: p, began: time.Now()}
	if err := test.Start(); err != nil {
		return result{}, fmt.Errorf("go test: %w", err)
	}
	r.count(events, progress)
	err = test.Wait()
	r.held, r.took = err == nil && r.passed > 0, time.Since(r.began)
	if !r.held && len(r.complaints) == 0 {
		r.complaints = append(r.complaints, stderr.String())
	}
	r.figures, err = readFigures(figures)
	return r, err
}

// count reads the events of go test -json.
func (r *result) count(events io.Reader, progress io.Writer) {
	output := map[string][]string{}
	for decoder := json.NewDecoder(events); ; {
		var e struct{ Action, Package, Test, Output string }
		if decoder.Decode(&e) != nil {
			return
		}
		test := e.Package + " " + e.Test
		if (e.Action == "pass" || e.Action == "fail") && e.Test != "" && !strings.Contains(e.Test, "/") {
			fmt.Fprintf(progress, "%18s%s %s, after %v\n", "", e.Action, e.Test, time.Since(r.began).Round(time.Second))
		}
		switch e.Action {
		case "output", "build-output":
			output[test] = append(output[test], e.Output)
		case "pass":
			if e.Test != "" {
				r.passed++
			}
		case "fail":
			if e.Test != "" {
				r.failed++
			}
			r.complaints = append(r.complaints, output[test]...)
		}
	}
}

// readFigures reads what the tests said; a later figure of the same name takes the place of an earlier one.
func readFigures(path string) (figures []figure, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	at := map[string]int{}
	in := bufio.NewScanner(file)
	for in.Scan() {
		var f figure
		decoder := json.NewDecoder(strings.NewReader(in.Text()))
		decoder.UseNumber()
		if err := decoder.Decode(&f); err != nil {
			return nil, fmt.Errorf("read figures: %w", err)
		}
		if i, known := at[f.Name]; known {
			figures[i] = f
			continue
		}
		at[f.Name] = len(figures)
		figures = append(figures, f)
	}
	return figures, in.Err()
}
