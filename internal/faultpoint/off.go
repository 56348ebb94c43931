//go:build !faultpoints

// Package faultpoint names the places where the proof kills the program: nothing in a normal build, and a SIGKILL of the
// own process at the place that is asked for in a build with the tag faultpoints.
package faultpoint

// Here marks a place where something on disk or in the world has just changed, or is about to. This build compiles it
// to nothing.
func Here(string) {}
