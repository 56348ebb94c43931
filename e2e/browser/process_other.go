//go:build unix && !linux

package browser

import "syscall"

// ofItsOwn gives a program a process group.
func ofItsOwn() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
