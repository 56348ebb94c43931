//go:build !faultpoints

package main

import "time"

// clock is the time of day of everything that this process writes down.
func clock() time.Time { return time.Now() }
