package browser

import "syscall"

// ofItsOwn gives a program a process group, and has it killed when the test's process ends without having ended it, as at a
// timeout.
func ofItsOwn() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
