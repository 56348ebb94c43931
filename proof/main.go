// Command proof runs every part of the proof in its full form, one after the other, and prints what was found.
//
//	go run ./proof                        # everything, about 20 minutes on two cores
//	go run ./proof -part crash,linear     # some parts
//	go run ./proof -short                 # the form that is part of every test run
//	go run ./proof -write docs/proof.md   # and put the summary into the page
//
// The exit status is 0 when every promise held, 1 when one did not, 2 when the flags made no sense.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "proof:", err)
		os.Exit(2)
	}
	held, err := prove(o, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "proof:", err)
	}
	if err != nil || !held {
		os.Exit(1)
	}
}

// options are the flags, read.
type options struct {
	parts []part
	short bool
	page  string
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{parts: parts()}
	flags := flag.NewFlagSet("proof", flag.ContinueOnError)
	flags.SetOutput(stderr)
	names := flags.String("part", "", "the parts to run, with a comma between: "+strings.Join(partNames(), ", "))
	flags.BoolVar(&o.short, "short", false, "run the short form")
	flags.StringVar(&o.page, "write", "", "the `page` to put the summary into, between its two marks")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is not a flag; the parts are named by -part", flags.Arg(0))
	}
	if *names == "" {
		return o, nil
	}
	o.parts = nil
	for name := range strings.SplitSeq(*names, ",") {
		p, ok := partNamed(name)
		if !ok {
			return o, fmt.Errorf("there is no part %q; the parts are %s", name, strings.Join(partNames(), ", "))
		}
		o.parts = append(o.parts, p)
	}
	return o, nil
}

// prove runs the parts and reports whether all promises held.
func prove(o options, out io.Writer) (held bool, err error) {
	began := time.Now()
	held = true
	var results []result
	for i, p := range o.parts {
		fmt.Fprintf(out, "%d of %d  %-10s  %s\n", i+1, len(o.parts), p.name, p.shows)
		r, err := run(p, o.short, out)
		if err != nil {
			return false, err
		}
		fmt.Fprintf(out, "%18s%s in %v\n", "", r.verdict(), r.took.Round(time.Second))
		for _, line := range r.complaints {
			fmt.Fprint(out, "    "+line)
		}
		held = held && r.held
		results = append(results, r)
	}
	text := summary(results, o.short, began)
	fmt.Fprint(out, "\n"+text)
	if o.page == "" {
		return held, nil
	}
	return held, write(o.page, text)
}
