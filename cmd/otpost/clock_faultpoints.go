//go:build faultpoints

package main

import (
	"os"
	"sync"
	"time"
)

// clock is the time of day as a machine has it whose clock is wrong by RIG_CLOCK_OFFSET, such as -1500ms. Only the proof
// builds this file. The variable does not begin with OTPOST_: those are settings, and an unknown one is refused.
func clock() time.Time { return time.Now().Add(clockOffset()) }

var clockOffset = sync.OnceValue(func() time.Duration {
	text := os.Getenv("RIG_CLOCK_OFFSET")
	if text == "" {
		return 0
	}
	offset, err := time.ParseDuration(text)
	if err != nil {
		panic("RIG_CLOCK_OFFSET: " + err.Error())
	}
	return offset
})
