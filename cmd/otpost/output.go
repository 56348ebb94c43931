package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Result is what a command has to say. It is written as text, or marshalled as one line of JSON.
type Result interface {
	WriteText(w io.Writer)
}

// print writes r in the form that --output names.
func (p *Program) print(r Result) error {
	if p.output == "json" {
		if err := json.NewEncoder(p.Stdout).Encode(r); err != nil {
			return fmt.Errorf("write result: %w", err)
		}
		return nil
	}
	w := bufio.NewWriter(p.Stdout)
	r.WriteText(w)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// terminal reports whether w is one, so that somebody may be watching.
func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// row is one line of a table of two columns.
type row struct{ name, value string }

// writeRows writes a table of two columns, without the rows that have no value.
func writeRows(w io.Writer, rows []row) {
	width := 0
	for _, r := range rows {
		if r.value != "" {
			width = max(width, len(r.name))
		}
	}
	for _, r := range rows {
		if r.value != "" {
			fmt.Fprintf(w, "%-*s  %s\n", width, r.name, r.value)
		}
	}
}
