// Package rig starts what the tests of the whole program need, otpost as a process of its own, databases, providers
// and callers, and collects the figures of the proof.
package rig

import (
	"encoding/json"
	"os"
	"testing"
)

// Full reports whether the proof runs in its full form, as `make proof` asks for with OTPOST_PROOF=full. Otherwise it
// runs in the short form, which is part of every test run.
func Full() bool { return os.Getenv("OTPOST_PROOF") == "full" }

// Size is how much of something a part of the proof does in each form.
func Size(short, full int) int {
	if Full() {
		return full
	}
	return short
}

// Entry is one figure of the proof: what was counted or measured, and in words what that is.
type Entry struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
	Words string `json:"words"`
}

// Figure says what was counted or measured, for the summary. name is dotted and begins with the part, as in
// "crash.kills.sqlite"; words say what the value is, with its unit. The summary is collected from the file that
// OTPOST_PROOF_FIGURES names, one JSON object a line.
func Figure(t testing.TB, name string, value any, words string) {
	t.Helper()
	t.Logf("figure %s = %v: %s", name, value, words)
	path := os.Getenv("OTPOST_PROOF_FIGURES")
	if path == "" {
		return
	}
	line, err := json.Marshal(Entry{name, value, words})
	if err != nil {
		t.Fatalf("figure %s: %v", name, err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatalf("figure %s: %v", name, err)
	}
	// One write of a short line to a file opened for appending is not torn by another's.
	_, err = file.Write(append(line, '\n'))
	if closeErr := file.Close(); err != nil || closeErr != nil {
		t.Fatalf("figure %s: %v %v", name, err, closeErr)
	}
}
