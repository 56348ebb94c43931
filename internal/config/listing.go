package config

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Entry is one setting with its effective value, masked if it is a secret, and where that came from.
type Entry struct {
	Setting
	Value  string
	Origin Origin
}

// Entries lists the effective settings in the order of the documentation.
func (c *Config) Entries() []Entry {
	var entries []Entry
	for _, f := range c.fields() {
		origin := c.Origin(f.Name)
		if origin.Source == "" {
			origin.Source = FromDefault
		}
		entries = append(entries, Entry{Setting: f.Setting, Value: f.show(), Origin: origin})
	}
	return entries
}

// Write lists the effective settings in columns: name, value, origin.
func (c *Config) Write(w io.Writer) error {
	entries := c.Entries()
	nameWidth, valueWidth := 0, 0
	for _, e := range entries {
		nameWidth, valueWidth = max(nameWidth, len(e.Name)), max(valueWidth, utf8.RuneCountInString(e.Value))
	}
	var s strings.Builder
	for i, e := range entries {
		if i == 0 || e.Group != entries[i-1].Group {
			if i > 0 {
				s.WriteString("\n")
			}
			fmt.Fprintf(&s, "# %s\n", e.Group)
		}
		fmt.Fprintf(&s, "%-*s  %-*s  %s\n", nameWidth, e.Name, valueWidth, cmp.Or(e.Value, "-"), e.Origin)
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// exampleHead opens the documented file.
const exampleHead = `# otpost.yaml: every setting with its default.
# A flag (--ops-listen) wins over the environment (OTPOST_OPS_LISTEN), which wins over this file (ops_listen).
# A secret is better kept in a file of its own: OTPOST_DATABASE_FILE=/run/secrets/database.
`

// WriteExample writes the documented file: every setting, commented out, with its default.
func WriteExample(w io.Writer) error {
	var s strings.Builder
	s.WriteString(exampleHead)
	group := ""
	for _, setting := range Settings() {
		if setting.App {
			continue
		}
		if setting.Group != group {
			group = setting.Group
			fmt.Fprintf(&s, "\n# --- %s ---\n", group)
		}
		s.WriteString("\n")
		for _, line := range wrap(setting.Doc, 110) {
			fmt.Fprintf(&s, "# %s\n", line)
		}
		if len(setting.Choices) > 0 {
			fmt.Fprintf(&s, "# One of: %s.\n", strings.Join(setting.Choices, ", "))
		}
		if setting.Default == "" {
			fmt.Fprintf(&s, "#%s:\n", setting.Name)
		} else {
			fmt.Fprintf(&s, "#%s: %s\n", setting.Name, setting.Default)
		}
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// wrap breaks text between words into lines of at most width bytes.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
