package rig

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
)

// lifetime is a testing.TB for what lives as long as all tests together.
type lifetime struct {
	testing.TB // nil: only the methods below are called

	mu       sync.Mutex
	cleanups []func()
}

// life ends with TestMain.
var life lifetime

// Helper implements testing.TB.
func (l *lifetime) Helper() {}

// Cleanup implements testing.TB.
func (l *lifetime) Cleanup(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cleanups = append(l.cleanups, f)
}

// Logf implements testing.TB.
func (l *lifetime) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// Fatal implements testing.TB.
func (l *lifetime) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// Fatalf implements testing.TB.
func (l *lifetime) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (l *lifetime) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range slices.Backward(l.cleanups) {
		f()
	}
}
