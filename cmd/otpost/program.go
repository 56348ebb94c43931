package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/doctor"
	"github.com/otpost/otpost/internal/extension/emulate"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/redact"
	"github.com/otpost/otpost/internal/registry"
)

// Program is what the commands stand on: the streams, the environment, and the functions that need the rooms behind
// the command line. A command whose function is nil says that this build is without it.
type Program struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Environ is in the form of os.Environ.
	Environ []string

	// Serve runs until ctx ends, then stops within the shutdown timeout.
	Serve func(ctx context.Context, settings *config.Config, log *slog.Logger) error
	// Demo calls ready once it can be used, and runs until ctx ends.
	Demo func(ctx context.Context, options DemoOptions, log *slog.Logger, ready func(Result) error) error
	// Migrate brings the database's schema up to date.
	Migrate func(ctx context.Context, settings *config.Config) (Migrated, error)
	// CreateKey makes a key, and the application if there is none of that name.
	CreateKey func(ctx context.Context, settings *config.Config, request KeyRequest) (NewKey, error)
	ListKeys  func(ctx context.Context, settings *config.Config) ([]KeyLine, error)
	// RevokeKey returns ErrNoSuchKey for an id that names none.
	RevokeKey func(ctx context.Context, settings *config.Config, id string) error
	// WithSettings calls f with the settings that are kept in the database, beside a server that may be running on it.
	WithSettings func(ctx context.Context, settings *config.Config, f func(*registry.Registry) error) error
	// Examine looks for mistakes in what the settings name, or in one provider alone. told may be called by many goroutines.
	Examine func(ctx context.Context, settings *config.Config, provider string, told func(name string, of int)) (doctor.Report, error)
	// RingKeys, StageKey and RotateKey list and change the key ring file at a path.
	RingKeys  func(path string) ([]RingKey, error)
	StageKey  func(path string) error
	RotateKey func(path string) error
	// EmulateEntra plays Entra and writes its account to out. Its exit codes are those of package emulate.
	EmulateEntra func(ctx context.Context, options emulate.Options, out io.Writer) (exitCode int, err error)
	// TryPolicy runs a part of a B2C policy.
	TryPolicy func(ctx context.Context, settings *config.Config, trial *policyTrial, log *slog.Logger) (*policyTried, error)
	// OpenAPI returns the document of the REST API.
	OpenAPI func() ([]byte, error)

	// output is how results are written, set once the command line is read.
	output string
}

// Errors of the functions of Program that have an exit code of their own.
var (
	ErrNoSuchKey    = errors.New("there is no such key; otpost key list shows all")
	ErrNotDelivered = errors.New("the receiver did not take every event")
)

// errMissing is returned by a command whose function is nil.
var errMissing = errors.New("this build of otpost is without this command")

// newLog returns the log that the settings describe, written to w and redacted.
func newLog(w io.Writer, format config.LogFormat, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewTextHandler(w, options)
	if format == config.LogJSON {
		handler = slog.NewJSONHandler(w, options)
	}
	return slog.New(front.LogHandler{Handler: redact.New(handler)})
}
