package passcode

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// generator is what draw is, and what the wrong ones below want to be.
type generator func(random io.Reader, set string, length int) (string, error)

const decimal = "0123456789"

// chiBounds are the chi-square values that a fair generator exceeds once in 10^6 runs, by degrees of freedom.
var chiBounds = map[int]float64{9: 44.81, 31: 83.64, 999: 1226.05}

func TestDrawIsUniform(t *testing.T) {
	for _, fault := range examine(draw, rand.Reader) {
		t.Error(fault)
	}
	if _, err := draw(bytes.NewReader(nil), decimal, 6); err == nil {
		t.Error("a code without randomness")
	}
}

// TestTheExamFindsWrongGenerators gives the exam to generators like those that other services had. Their random bytes
// come from a fixed seed, so each fails in every run.
func TestTheExamFindsWrongGenerators(t *testing.T) {
	for name, c := range map[string]struct {
		wrong  generator
		faults []string
	}{
		"takes each byte modulo the size": {moduloOfBytes, []string{"all positions: chi-square", "each byte once"}},
		"never reaches the last code":     {numbers(0, 999_999, "%06d"), []string{"999999 never comes"}},
		"begins at the first of six":      {numbers(100_000, 900_000, "%06d"), []string{"000000 never comes", "position 0: chi-square"}},
		"loses leading zeros":             {numbers(0, 1_000_000, "%d"), []string{"has not 6 characters"}},
		"draws half and says it twice":    {halfTwice, []string{"in buckets of 1000: chi-square"}},
	} {
		found := strings.Join(examine(c.wrong, mathrand.NewChaCha8([32]byte{1})), "\n")
		for _, fault := range c.faults {
			if !strings.Contains(found, fault) {
				t.Errorf("a generator that %s is not found out by %q; the exam says\n%s", name, fault, found)
			}
		}
	}
}

// examine returns what is wrong with a generator.
func examine(g generator, random io.Reader) (faults []string) {
	faults = append(faults, looksUniform(g, random, decimal, 100_000)...)
	faults = append(faults, looksUniform(g, random, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 25_000)...)
	faults = append(faults, reachesTheEnds(g)...)
	return append(faults, isExact(g)...)
}

// looksUniform counts how often each character comes, at each position and at all, and for six digits how often each
// thousandth of the range comes: by the first three digits, by the last three, and by three that stand apart.
func looksUniform(g generator, random io.Reader, set string, draws int) (faults []string) {
	const length = 6
	thirds := [][3]int{{0, 1, 2}, {3, 4, 5}, {0, 2, 3}}
	var positions [length + 1][]int // the last one is all of them
	for i := range positions {
		positions[i] = make([]int, len(set))
	}
	var buckets [3][]int
	for i := range buckets {
		buckets[i] = make([]int, 1000)
	}
	for range draws {
		code, err := g(random, set, length)
		if err != nil || len(code) != length || strings.Trim(code, set) != "" {
			return []string{fmt.Sprintf("%q has not %d characters of the set (%v)", code, length, err)}
		}
		var at [length]int
		for i := range length {
			at[i] = strings.IndexByte(set, code[i])
			positions[i][at[i]]++
			positions[length][at[i]]++
		}
		for i, of := range thirds {
			buckets[i][(at[of[0]]*100+at[of[1]]*10+at[of[2]])%1000]++
		}
	}
	for i, counts := range positions {
		what := "position " + strconv.Itoa(i)
		if i == length {
			what = "all positions"
		}
		faults = append(faults, unlikely(what, counts)...)
	}
	for i, counts := range buckets {
		if len(set) == len(decimal) {
			faults = append(faults, unlikely(fmt.Sprintf("positions %v in buckets of 1000", thirds[i]), counts)...)
		}
	}
	return faults
}

// unlikely says so when counts differ from each other by more than chance explains.
func unlikely(what string, counts []int) []string {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	expected, chi := float64(sum)/float64(len(counts)), 0.0
	for _, n := range counts {
		chi += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	if bound := chiBounds[len(counts)-1]; chi > bound {
		return []string{fmt.Sprintf("%s: chi-square %.1f is over %.1f", what, chi, bound)}
	}
	return nil
}

// reachesTheEnds gives random bytes that are all the same, for each byte. Between them they have to make 000000,
// 111111 and so on to 999999: no amount of drawing would show reliably that one code in a million is missing.
func reachesTheEnds(g generator) (faults []string) {
	came := map[string]bool{}
	for b := range 256 {
		// A byte that is thrown away makes no code, and the reader ends.
		if code, err := g(bytes.NewReader(bytes.Repeat([]byte{byte(b)}, 64)), decimal, 6); err == nil {
			came[code] = true
		}
	}
	for _, digit := range decimal {
		if code := strings.Repeat(string(digit), 6); !came[code] {
			faults = append(faults, code+" never comes")
		}
	}
	return faults
}

// isExact gives each byte once, for alphabets of every size that a policy may have: each character must come equally
// often. The bytes that a fair generator throws away come first, so that one which keeps them shows it.
func isExact(g generator) (faults []string) {
	var printable []byte
	for c := byte('!'); c <= '~'; c++ {
		printable = append(printable, c)
	}
	for size := 10; size <= len(printable); size++ {
		set, each := string(printable[:size]), 256/size
		var all []byte
		for i := range 256 {
			all = append(all, byte((i+each*size)%256))
		}
		code, err := g(bytes.NewReader(all), set, each*size)
		for _, c := range []byte(set) {
			if n := bytes.Count([]byte(code), []byte{c}); n != each || err != nil {
				faults = append(faults, fmt.Sprintf("of %d characters, each byte once makes %q %d times and not %d (%v)", size, c, n, each, err))
				break
			}
		}
	}
	return faults
}

func moduloOfBytes(random io.Reader, set string, length int) (string, error) {
	code := make([]byte, length)
	if _, err := io.ReadFull(random, code); err != nil {
		return "", err
	}
	for i := range code {
		code[i] = set[int(code[i])%len(set)]
	}
	return string(code), nil
}

// numbers draws a number from low up to low+count and writes it in the format.
func numbers(low, count uint64, format string) generator {
	return func(random io.Reader, _ string, _ int) (string, error) {
		var b [8]byte
		_, err := io.ReadFull(random, b[:])
		return fmt.Sprintf(format, low+binary.BigEndian.Uint64(b[:])%count), err
	}
}

func halfTwice(random io.Reader, set string, length int) (string, error) {
	half, err := draw(random, set, length/2)
	return half + half, err
}
