package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/otpost/otpost/internal/config"
)

// The exit codes. The help of the program documents them.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
)

// exitError is an error that decides the exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// quietExit is an exit code that says something and is no failure.
type quietExit int

func (e quietExit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func usageErrorf(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// Run reads the command line, runs the command and returns the exit code.
func (p *Program) Run(ctx context.Context, args []string) int {
	p.output = outputOf(args)
	var line commandLine
	line.prepare()
	helped := false
	parser, err := kong.New(&line, kong.Name("otpost"), kong.Description(description),
		kong.Writers(p.Stdout, p.Stderr), kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, FlagsLast: true}))
	if err != nil {
		return p.fail(fmt.Errorf("build command line: %w", err), "")
	}
	parsed, err := parser.Parse(asHelp(args))
	switch {
	case helped && len(args) == 0:
		return exitUsage
	case helped:
		return exitOK
	case err != nil:
		return p.fail(&exitError{exitUsage, err}, commandOf(err))
	}
	p.output = line.Output
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(p, parser.Model); err != nil {
		var quiet quietExit
		if errors.As(err, &quiet) {
			return int(quiet)
		}
		return p.fail(err, "")
	}
	return exitOK
}

// asHelp turns no arguments, and help COMMAND, into --help.
func asHelp(args []string) []string {
	if len(args) == 0 || args[0] == "help" {
		return append(slices.Clone(args[min(1, len(args)):]), "--help")
	}
	return args
}

// commandOf is the command that a wrong command line had named so far.
func commandOf(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil && wrong.Context.Selected() != nil {
		return wrong.Context.Selected().FullPath()
	}
	return "otpost"
}

// outputOf finds --output in a command line that may be wrong elsewhere.
func outputOf(args []string) string {
	for i, arg := range args {
		if arg == "--output=json" || (arg == "--output" && i+1 < len(args) && args[i+1] == "json") {
			return "json"
		}
	}
	return "text"
}

// fail reports err on the error stream and returns its exit code. command is whose help to point to.
func (p *Program) fail(err error, command string) int {
	code := codeOf(err)
	if p.output == "json" {
		line, _ := json.Marshal(map[string]any{"error": err.Error(), "exit_code": code}) // a string and a number always marshal
		fmt.Fprintln(p.Stderr, string(line))
		return code
	}
	fmt.Fprintf(p.Stderr, "otpost: %v\n", err)
	if command != "" {
		fmt.Fprintf(p.Stderr, "Run \"%s --help\" for what it takes.\n", command)
	}
	return code
}

func codeOf(err error) int {
	var exit *exitError
	var problems config.Problems
	switch {
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &problems):
		return exitUsage
	case errors.Is(err, ErrNotDelivered), errors.Is(err, ErrNoSuchKey):
		return exitRefused
	default:
		return exitFailed
	}
}
