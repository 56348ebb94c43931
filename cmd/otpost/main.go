// Command otpost issues, posts and verifies one-time passcodes.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/otpost/otpost/internal/extension/emulate"
	"github.com/otpost/otpost/internal/seal"
)

func main() {
	// Nothing of ours writes to the log package, but net/http does: the bytes that a provider sends unasked, which can
	// quote a code.
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal asks to stop, the second one kills
	p := &Program{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(),
		Serve: serve, Demo: demo, Migrate: migrate, CreateKey: createKey, ListKeys: listKeys, RevokeKey: revokeKey,
		WithSettings: withSettings, Examine: examine,
		RingKeys: ringKeys, StageKey: seal.Stage, RotateKey: seal.Rotate,
		EmulateEntra: emulate.Run, TryPolicy: tryPolicy, OpenAPI: openAPI}
	os.Exit(p.Run(ctx, os.Args[1:]))
}
