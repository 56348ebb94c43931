package review

import (
	"fmt"
	"io"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
)

// mostPlaces bounds how many places one finding lists.
const mostPlaces = 3

// WriteText writes for people: what runs and what does not, file by file, each finding at its first place, and a sum.
func (r *Review) WriteText(out io.Writer) {
	w := &strings.Builder{}
	defer func() { io.WriteString(out, strings.TrimPrefix(w.String(), "\n")) }()
	left := r.Findings
	for _, p := range r.Policies {
		left = writeFindings(w, left, func(file string) bool { return file < p.At.File })
		p.writeText(w)
		left = writeFindings(w, left, func(file string) bool { return file == p.At.File })
	}
	writeFindings(w, left, func(string) bool { return true })
	r.writeForeign(w)
	r.writeSum(w)
}

// writeFindings writes the findings at the front whose file fits, and returns the rest.
func writeFindings(w io.Writer, list []*Finding, fits func(file string) bool) []*Finding {
	for len(list) > 0 && fits(list[0].Places[0].File) {
		list[0].WriteText(w)
		list = list[1:]
	}
	return list
}

// WriteText writes a finding in one line, as compilers do.
func (f *Finding) WriteText(w io.Writer) {
	fmt.Fprintf(w, "%s: %s: %s", f.Places[0], f.Weight, f.Reason)
	var more []string
	for _, at := range f.Places[1:min(len(f.Places), mostPlaces+1)] {
		more = append(more, at.String())
	}
	if n := len(f.Places) - 1 - len(more); n > 0 {
		more = append(more, fmt.Sprintf("%d more", n))
	}
	if len(more) > 0 {
		fmt.Fprintf(w, " [also %s]", strings.Join(more, ", "))
	}
	fmt.Fprintln(w)
}

// writeText writes what a file declares that otpost has to do with. The others are only counted.
func (p *Policy) writeText(w io.Writer) {
	runs, fails := p.split()
	if len(runs) == 0 && len(fails) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s: policy %s", p.At.File, p.ID)
	if p.Base != "" {
		fmt.Fprintf(w, ", on %s", p.Base)
	}
	fmt.Fprintln(w)
	writeNames(w, "runs      display controls ", names(runs, DisplayControl))
	writeNames(w, "shows     display controls ", names(runs, Control))
	writeNames(w, "runs      technical profiles ", names(runs, TechnicalProfile))
	for _, e := range fails {
		fmt.Fprintf(w, "  will not  %s (line %d): %s\n", e.name(), e.At.Line, e.Why)
	}
}

// names are those of elements of a kind; the actions of a display control stand behind it.
func names(elements []*Element, k Kind) []string {
	var all []string
	last := ""
	for _, e := range elements {
		switch {
		case e.Kind != k:
		case e.Action != "" && e.ID == last:
			all[len(all)-1] += " and " + e.Action
		default:
			all = append(all, e.name())
			last = e.ID
		}
	}
	return all
}

// width bounds a line of names.
const width = 100

func writeNames(w io.Writer, what string, names []string) {
	line := "  " + what
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		if len(line)+len(name) > width {
			fmt.Fprintln(w, strings.TrimRight(line, " "))
			line = "            "
		}
		line += name + " "
	}
	if len(names) > 0 {
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

func (p *Policy) split() (runs, fails []*Element) {
	for _, e := range p.Elements {
		switch e.Verdict {
		case Runs:
			runs = append(runs, e)
		case Fails:
			fails = append(fails, e)
		}
	}
	return runs, fails
}

func (e *Element) name() string {
	if e.Action != "" {
		return e.ID + " " + e.Action
	}
	return e.ID
}

func (r *Review) writeForeign(w io.Writer) {
	if len(r.Foreign)+r.Journeys.Journeys+r.Journeys.SubJourneys+len(r.Aside) == 0 {
		return
	}
	fmt.Fprintln(w, "\nNot otpost's, each by name in otpost policy report:")
	for _, k := range r.Foreign {
		reach := ""
		if n := len(k.Reached); n > 0 {
			reach = fmt.Sprintf("; %s from what otpost runs", count(n, "call"))
		}
		fmt.Fprintf(w, "  %3d  %s%s\n", len(k.Profiles), label(k.About, k.Handler), reach)
	}
	if j := r.Journeys; j.Journeys+j.SubJourneys > 0 {
		fmt.Fprintf(w, "  %3d  user journeys and sub-journeys: whoever calls otpost keeps their order; %d of the %s in their steps are of profiles that run\n",
			j.Journeys+j.SubJourneys, j.Runnable, count(j.Exchanges, "call"))
	}
	if len(r.Aside) > 0 {
		fmt.Fprintf(w, "  %3d  names of what is not there, in what otpost does not run\n", len(r.Aside))
	}
	for _, p := range r.Aside {
		fmt.Fprintf(w, "         %s\n", p.Error())
	}
}

func (r *Review) writeSum(w io.Writer) {
	profiles := func(v Verdict) int { return r.Count(TechnicalProfile, v) }
	fmt.Fprintf(w, "\n%s, %s: %d run, %d will not, %d not otpost's", counts(len(r.Policies), "policy", "policies"),
		count(profiles(Runs)+profiles(Fails)+profiles(Shared)+profiles(Foreign), "technical profile"), profiles(Runs), profiles(Fails), profiles(Foreign))
	if n := profiles(Shared); n > 0 {
		fmt.Fprintf(w, ", %d for others to include", n)
	}
	fmt.Fprint(w, ".")
	if n := r.Count(DisplayControl, Runs) + r.Count(DisplayControl, Fails); n > 0 {
		fmt.Fprintf(w, " %s of display controls: %d run, %d will not.", count(n, "action"), r.Count(DisplayControl, Runs), r.Count(DisplayControl, Fails))
	}
	fmt.Fprintf(w, " %d refused, %d broken, %d odd.\n", r.weight(trustframework.Refused), r.weight(trustframework.Broken), r.weight(trustframework.Odd))
}

func (r *Review) weight(of trustframework.Weight) int {
	n := 0
	for _, f := range r.Findings {
		if f.Weight == of {
			n++
		}
	}
	return n
}

func count(n int, what string) string { return counts(n, what, what+"s") }

func counts(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
