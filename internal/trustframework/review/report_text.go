package review

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes for people, file by file.
func (r *Report) WriteText(w io.Writer) {
	for i, p := range r.told() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, p.title())
		for _, group := range alike(p.Entries) {
			writeGroup(w, group)
		}
	}
	if len(r.Foreign) > 0 {
		fmt.Fprintln(w, "\nNot run by otpost")
	}
	for _, k := range r.Foreign {
		fmt.Fprintf(w, "\n  %s\n    %s\n", label(k.About.Kind, k.Handler), strings.Join(k.Profiles, ", "))
		writeAbout(w, "      ", k.About.B2C, k.About.Otpost, k.About.Entra)
	}
	if len(r.Unread) > 0 {
		fmt.Fprint(w, "\nNot read, or not as it is written\n\n")
	}
	for _, p := range r.Unread {
		fmt.Fprintf(w, "  %s: %s: %s\n", p.At, p.Weight, p.Reason)
	}
}

// writeGroup writes elements of which the same is to be said.
func writeGroup(w io.Writer, group []Entry) {
	about := group[0].About
	fmt.Fprintf(w, "\n  %s\n", about.Kind)
	for _, e := range group {
		fmt.Fprintf(w, "    %s (line %d)", e.ID, e.At.Line)
		if said := e.said(); len(said) > 0 {
			fmt.Fprintf(w, " %s", strings.Join(said, "; "))
		}
		fmt.Fprintln(w)
	}
	writeAbout(w, "      ", about.B2C, about.Otpost, about.Entra)
	for _, point := range about.Differs {
		fmt.Fprintf(w, "      differs  %s\n", point)
	}
}

// told are the policies that have anything to tell.
func (r *Report) told() []*PolicyReport {
	var all []*PolicyReport
	for _, p := range r.Policies {
		if len(p.Entries) > 0 {
			all = append(all, p)
		}
	}
	return all
}

func (p *PolicyReport) title() string {
	title := p.At.File + ": policy " + p.ID
	if p.Base != "" {
		title += ", on " + p.Base
	}
	return title
}

func writeAbout(w io.Writer, indent, b2c, otpost, entra string) {
	for _, line := range [][2]string{{"B2C", b2c}, {"otpost", otpost}, {"Entra", entra}} {
		if line[1] != "" {
			fmt.Fprintf(w, "%s%-7s  %s\n", indent, line[0], line[1])
		}
	}
}

// WriteMarkdown writes one table for each file.
func (r *Report) WriteMarkdown(w io.Writer) {
	fmt.Fprintln(w, "# What becomes of these policies")
	for _, p := range r.told() {
		fmt.Fprintf(w, "\n## %s\n\n| element | what it is | B2C | otpost | Entra External ID |\n|---|---|---|---|---|\n", cell(p.title()))
		for _, group := range alike(p.Entries) {
			about := group[0].About
			var elements []string
			for _, e := range group {
				elements = append(elements, strings.Join(append([]string{fmt.Sprintf("`%s` (line %d)", cell(e.ID), e.At.Line)}, cells(e.said())...), "<br>"))
			}
			ours := append([]string{cell(about.Otpost)}, cells(about.Differs)...)
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", strings.Join(elements, "<br>"), cell(about.Kind), cell(about.B2C), strings.Join(ours, "<br>Differs: "), cell(about.Entra))
		}
	}
	if len(r.Foreign) > 0 {
		fmt.Fprint(w, "\n## Not run by otpost\n\n| kind | which | B2C | otpost | Entra External ID |\n|---|---|---|---|---|\n")
	}
	for _, k := range r.Foreign {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", cell(label(k.About.Kind, k.Handler)), cell(strings.Join(k.Profiles, ", ")), cell(k.About.B2C), cell(k.About.Otpost), cell(k.About.Entra))
	}
	if len(r.Unread) > 0 {
		fmt.Fprint(w, "\n## Not read, or not as it is written\n\n")
	}
	for _, p := range r.Unread {
		fmt.Fprintf(w, "- %s: %s: %s\n", cell(p.At.String()), p.Weight, cell(p.Reason))
	}
}

var escape = strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;", "\n", " ")

// cell keeps text from being read as a part of a table or as HTML.
func cell(text string) string { return escape.Replace(text) }

func cells(texts []string) []string {
	var all []string
	for _, text := range texts {
		all = append(all, cell(text))
	}
	return all
}

// label is a kind in words with its handler.
func label(about, handler string) string {
	if name := short(handler); !strings.EqualFold(name, about) {
		return about + " (" + name + ")"
	}
	return about
}
