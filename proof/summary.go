package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// summary is the result as a page shows it: a table of the parts, and one of the figures of each.
func summary(results []result, short bool, began time.Time) string {
	var b strings.Builder
	form := "full"
	if short {
		form = "short"
	}
	fmt.Fprintf(&b, "%s, %s form, %v, on %s/%s with %d processors%s, %s.\n\n", began.UTC().Format("2006-01-02"), form,
		time.Since(began).Round(time.Second), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), memory(), runtime.Version())
	b.WriteString("| part | what holds | result | took |\n|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %s | %v |\n", r.name, r.shows, r.verdict(), r.took.Round(time.Second))
	}
	for _, r := range results {
		if len(r.figures) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n**%s**\n\n| figure | value | what it is |\n|---|---:|---|\n", r.name)
		for _, f := range r.figures {
			fmt.Fprintf(&b, "| `%s` | %v | %s |\n", f.Name, f.Value, strings.ReplaceAll(f.Words, "|", "\\|"))
		}
	}
	return b.String()
}

// memory is the machine's memory in words, empty where the system does not say.
func memory() string {
	text, err := os.ReadFile("/proc/meminfo")
	var kib int
	if err != nil {
		return ""
	}
	if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kib); err != nil {
		return ""
	}
	return fmt.Sprintf(" and %d GiB", (kib+1<<19)>>20)
}

// The marks of a page between which the summary stands.
const (
	from = "<!-- summary -->\n"
	to   = "<!-- end of summary -->\n"
)

// write puts the summary between the marks of a page.
func write(page, text string) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(old, []byte(from))
	_, after, foundEnd := bytes.Cut(rest, []byte(to))
	if !found || !foundEnd {
		return errors.New(page + " has not the two marks between which the summary stands")
	}
	return os.WriteFile(page, []byte(string(before)+from+text+to+string(after)), 0o644)
}
