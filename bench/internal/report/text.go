package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Text writes the report as tables.
func (r *Report) Text(w io.Writer) error {
	fmt.Fprintf(w, "%s · %s, %d CPUs, %s, databases on %s · %d × %gs, medians\n", r.Began.Format("2006-01-02 15:04"),
		r.Machine.System, r.Machine.CPUs, r.Machine.Go, r.Machine.FileSystem, r.Repeats, r.Duration)
	for _, part := range []func(io.Writer) error{r.limits, r.servers, r.rates, r.costs, r.times} {
		if err := part(w); err != nil {
			return err
		}
	}
	r.troubles(w)
	return nil
}

// table writes rows of cells under a title line; the first columns, as many as left, are words.
func table(w io.Writer, left int, rows [][]string) error {
	if len(rows) < 2 {
		return nil
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row[:left] {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		for i := range left { // words stand left, which tabwriter does not do beside numbers that stand right
			row[i] += strings.Repeat(" ", widths[i]-len([]rune(row[i])))
		}
		fmt.Fprintln(t, strings.Join(row, "\t")+"\t")
	}
	return t.Flush()
}

func (r *Report) limits(w io.Writer) error {
	rows := [][]string{{"limits of the machine", "per second", "p99 ms"}}
	for _, l := range r.Limits {
		rows = append(rows, []string{l.Name, count(l.PerSecond), ms(l.P99)})
	}
	return table(w, 1, rows)
}

func (r *Report) servers(w io.Writer) error {
	rows := [][]string{{"server", "load", "ready ms, first", "again", "idle MiB"}}
	for _, s := range r.Servers {
		rows = append(rows, []string{nodesOf(s.Database, s.Nodes), s.Load, ms(s.ReadyFirst), ms(s.ReadyAgain), mib(s.IdleRSS)})
	}
	return table(w, 2, rows)
}

func (r *Report) rates(w io.Writer) error {
	rows := [][]string{{"database", "load", "loop", "workers", "cycles/s", "share", "trivial/s", "p50 ms", "p99 ms", "errors",
		"missing", "surplus"}}
	for _, row := range r.Rows {
		p50, p99 := "–", "–"
		for _, s := range row.Steps {
			if s.Name == "cycle" {
				p50, p99 = ms(s.P50), ms(s.P99)
			}
		}
		share, trivial := "–", "–"
		if row.Share > 0 {
			share, trivial = fmt.Sprintf("%.3f", row.Share), count(row.Trivial)
		}
		rows = append(rows, append(row.name(), count(row.Rate), share, trivial, p50, p99, fmt.Sprint(row.Errors()),
			fmt.Sprint(row.Missing), fmt.Sprint(row.Surplus+row.Unaccepted)))
	}
	return table(w, 3, rows)
}

func (r *Report) costs(w io.Writer) error {
	rows := [][]string{{"database", "load", "loop", "workers", "RSS MiB", "peak", "per million: CPU s server", "database",
		"bench", "GiB stored", "GiB passed", "fsyncs"}}
	for _, row := range r.Rows {
		rows = append(rows, append(row.name(), mib(row.RSS), mib(row.PeakRSS), count(row.ServerCPU*1000), count(row.DatabaseCPU*1000),
			count(row.BenchCPU*1000), known(row.Written*1e6/(1<<30)), known(row.Passed*1e6/(1<<30)), known(row.Syncs*1e6)))
	}
	return table(w, 3, rows)
}

// known writes a figure that is below 0 when nobody knows it.
func known(v float64) string {
	if v < 0 {
		return "–"
	}
	return count(v)
}

func (r *Report) times(w io.Writer) error {
	rows := [][]string{{"database", "load", "loop", "workers", "step, ms", "p50", "p90", "p99", "p99.9", "max"}}
	for _, row := range r.Rows {
		for _, s := range row.Steps {
			rows = append(rows, append(row.name(), s.Name, ms(s.P50), ms(s.P90), ms(s.P99), ms(s.P999), ms(s.Max)))
		}
	}
	return table(w, 3, rows)
}

// troubles says one line for each thing that was not as it has to be.
func (r *Report) troubles(w io.Writer) {
	for _, s := range r.Servers {
		if s.Strays > 0 {
			fmt.Fprintf(w, "\n%s %s: %d messages that nobody asked for, or without a code\n", s.Database, s.Load, s.Strays)
		}
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		for _, line := range row.lines() {
			fmt.Fprintf(w, "\n%s: %s\n", strings.Join(row.name(), " "), line)
		}
	}
}

func (r *Row) lines() []string {
	var lines []string
	if r.Cycles == 0 {
		lines = append(lines, "no cycle went right")
	}
	for _, what := range slices.Sorted(maps.Keys(r.Troubles)) {
		lines = append(lines, fmt.Sprintf("%d × %s", r.Troubles[what], what))
	}
	for _, c := range []struct {
		n    int64
		what string
	}{
		{r.Missing, "codes never arrived"},
		{r.Surplus, "codes arrived again"},
		{r.Unaccepted, "codes arrived whose request was not answered 201"},
	} {
		if c.n > 0 {
			lines = append(lines, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return lines
}

// name is the cells that tell one row from the others.
func (r *Row) name() []string {
	loop := r.Loop
	if r.Offered > 0 {
		loop = fmt.Sprintf("%s %s/s", r.Loop, count(r.Offered))
	}
	return []string{nodesOf(r.Database, r.Nodes), r.Load, loop, strconv.Itoa(r.Workers)}
}

// nodesOf is a database with how many otposts share it, if there are several.
func nodesOf(database string, nodes int) string {
	if nodes > 1 {
		return fmt.Sprintf("%s, %d nodes", database, nodes)
	}
	return database
}

// count writes a number with thousands apart, and a small one with a decimal.
func count(v float64) string {
	if v < 100 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func ms(v float64) string {
	if v < 10 {
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

func mib(bytes int64) string { return strconv.FormatFloat(float64(bytes)/(1<<20), 'f', 1, 64) }
