// Command bench measures otpost from outside: it starts the built program over an empty database, drives it through
// its REST API, takes the codes from a mail server of its own, and holds the result beside what a trivial handler
// does on the same machine in the same minutes. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/otpost/otpost/bench/internal/trivial"
)

// trivialCommand is the hidden subcommand with which bench starts itself as the trivial handler.
const trivialCommand = "trivial"

// The exit statuses.
const (
	exitFine  = 0
	exitWrong = 1
	exitUsage = 2
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == trivialCommand {
		if err := trivial.Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench: serve trivial handler:", err)
			os.Exit(exitWrong)
		}
		return
	}
	debug.SetGCPercent(400) // the bench shares its cores with the server: collect rarely
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without its process: it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitFine
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitUsage
	}
	result, err := measure(ctx, opts, stderr)
	if result != nil {
		if err := opts.write(result, stdout); err != nil {
			fmt.Fprintln(stderr, "bench: write report:", err)
			return exitWrong
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitWrong
	}
	if result.Failed() {
		fmt.Fprintln(stderr, "bench: the server did not do what it has to; the report says what went wrong")
		return exitWrong
	}
	return exitFine
}
