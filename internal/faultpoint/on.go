//go:build faultpoints

// Package faultpoint names the places where the proof kills the program: nothing in a normal build, and a SIGKILL of the
// own process at the place that is asked for in a build with the tag faultpoints.
package faultpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// variable names the place to die at, "record.before_commit", or "record.before_commit:37" to die there at the 37th pass.
const variable = "OTPOST_FAULTPOINT"

// order is what the environment asks for.
type order struct {
	name   string
	passes int64
}

var (
	asked  = read()
	passed atomic.Int64
)

// read takes the variable out of the environment, since every other variable of its kind is a setting. A value that
// cannot be read ends the program: a proof that asks for nothing would prove nothing.
func read() (o order) {
	value := os.Getenv(variable)
	os.Unsetenv(variable)
	name, passes, counted := strings.Cut(value, ":")
	o = order{name: name, passes: 1}
	if counted {
		n, err := strconv.ParseInt(passes, 10, 64)
		if err != nil || n < 1 {
			fmt.Fprintf(os.Stderr, "%s=%s: want NAME or NAME:PASSES\n", variable, value)
			os.Exit(2)
		}
		o.passes = n
	}
	return o
}

// Here ends the process when name is the place that was asked for and this is the pass. Nothing that is deferred runs
// and nothing is flushed. The line says that it was here and not by another hand.
func Here(name string) {
	if name != asked.name || passed.Add(1) != asked.passes {
		return
	}
	fmt.Fprintf(os.Stderr, "faultpoint %s reached\n", name)
	_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	select {} // until the signal is there
}
