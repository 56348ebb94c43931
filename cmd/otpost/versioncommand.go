package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

type versionCommand struct{}

// Help is the detail under --help.
func (*versionCommand) Help() string {
	return `Example:

	otpost version --output json`
}

// build is what the binary knows of how it was built.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// WriteText writes one line.
func (b build) WriteText(w io.Writer) {
	commit := ""
	if b.Commit != "" {
		commit = " " + b.Commit
	}
	if b.Modified {
		commit += " (modified)"
	}
	fmt.Fprintf(w, "otpost %s%s, %s, %s\n", b.Version, commit, b.Go, b.Platform)
}

// buildOf reads the build information that Go puts into every binary.
func buildOf() build {
	b := build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// Run prints the version.
func (*versionCommand) Run(p *Program) error { return p.print(buildOf()) }
