package load

import "fmt"

// Every passcode goes to an address of its own, which says whose it is: the run, the worker within the run, and the
// worker's count. All have one length, so that a prepared request needs only its digits changed.
const (
	addressForm   = "r000w000n00000000@bench.test"
	runAt         = 1
	workerAt      = 5
	countAt       = 9
	countEnd      = 17
	maxRuns       = 999
	maxPerWorker  = 99_999_999
	countedDigits = countEnd - countAt
)

// formatAddress is the address of a worker's passcode number n.
func formatAddress(run, worker, n int) string {
	return fmt.Sprintf("r%03dw%03dn%08d@bench.test", run, worker, n)
}

// parseAddress is the reverse of formatAddress.
func parseAddress(to []byte) (run, worker, n int, ok bool) {
	if len(to) != len(addressForm) || string(to[countEnd:]) != addressForm[countEnd:] ||
		to[0] != 'r' || to[workerAt-1] != 'w' || to[countAt-1] != 'n' {
		return 0, 0, 0, false
	}
	run, runOK := count(to[runAt : workerAt-1])
	worker, workerOK := count(to[workerAt : countAt-1])
	n, nOK := count(to[countAt:countEnd])
	return run, worker, n, runOK && workerOK && nOK
}

// count reads decimal digits.
func count(digits []byte) (n int, ok bool) {
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// putCount writes a worker's count over the digits of an address.
func putCount(digits []byte, n int) {
	for i := countedDigits - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
}
