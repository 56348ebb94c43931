package config

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
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
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	group := ""
	for _, e := range c.Entries() {
		if e.Group != group {
			if group != "" {
				fmt.Fprintln(table)
			}
			group = e.Group
			fmt.Fprintf(table, "# %s\n", group)
		}
		value := e.Value
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", e.Name, value, e.Origin)
	}
	return table.Flush()
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
