package silence_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The test of times is Wilcoxon's signed-rank test on pairs. In each pair the two questions are asked one after the
// other, and a fair coin decides which comes first. If the answer to one takes no longer than the answer to the other,
// then the sign of a pair's difference is that coin and nothing else, whatever noise the machine makes and however
// it changes over time. Ranks bound what a stray pause can do.

// signedRank is how many standard deviations the sum of the signed ranks of d is away from 0. Pairs without a
// difference are left out; equal ones share the mean of their ranks.
func signedRank(d []float64) float64 {
	sorted := slices.DeleteFunc(slices.Clone(d), func(v float64) bool { return v == 0 })
	slices.SortFunc(sorted, func(a, b float64) int {
		switch a, b := math.Abs(a), math.Abs(b); {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	sum, squares := 0.0, 0.0
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && math.Abs(sorted[j]) == math.Abs(sorted[i]) {
			j++
		}
		rank := float64(i+j+1) / 2
		for _, v := range sorted[i:j] {
			sum += math.Copysign(rank, v)
			squares += rank * rank
		}
		i = j
	}
	if squares == 0 {
		return 0
	}
	return sum / math.Sqrt(squares)
}

// critical is how far signedRank may be from 0 so that one of so many tests is further away by chance, on either side,
// with a probability of alpha at most.
func critical(alpha float64, tests int) float64 {
	return math.Sqrt2 * math.Erfinv(1-alpha/float64(tests))
}

// power is the least shift, to a tenth, that the test finds in at least 95 of 100 runs as noisy as this one. Runs like it in
// which nothing differs are made by throwing the coins anew.
func power(d []float64, limit float64, random *rand.Rand) time.Duration {
	const runs, needed = 100, 95
	var nulls [runs][]float64
	middle := median(d)
	for i := range nulls {
		nulls[i] = make([]float64, len(d))
		for j, v := range d {
			nulls[i][j] = v - middle
			if random.IntN(2) == 0 {
				nulls[i][j] = middle - v
			}
		}
	}
	finds := func(shift float64) bool {
		found := 0
		shifted := make([]float64, len(d))
		for i, null := range nulls {
			for j, v := range null {
				shifted[j] = v + shift
			}
			if signedRank(shifted) > limit {
				found++
			}
			if found+runs-1-i < needed {
				return false
			}
		}
		return true
	}
	low, high := 0.0, float64(time.Microsecond)
	for !finds(high) {
		if low, high = high, 2*high; high > float64(time.Minute) {
			return time.Minute
		}
	}
	for high-low > high/10 {
		if middle := (low + high) / 2; finds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return time.Duration(high)
}

func median(d []float64) float64 {
	sorted := slices.Sorted(slices.Values(d))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// Wilcoxon's own example of 1945, as it stands in textbooks: the heights of Darwin's plants. The sum of the positive
// ranks is 96 of 120, so the sum of the signed ones is 72.
func TestTheRankSumIsWilcoxons(t *testing.T) {
	darwin := []float64{49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48}
	squares := 0.0
	for rank := range 15 {
		squares += float64((rank + 1) * (rank + 1))
	}
	if got, want := signedRank(darwin), 72/math.Sqrt(squares); math.Abs(got-want) > 1e-9 {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := signedRank([]float64{0, 1, -1, 2, -2}); got != 0 {
		t.Errorf("a symmetric sample gives %v", got)
	}
	if got := critical(0.05, 1); math.Abs(got-1.959964) > 1e-5 {
		t.Errorf("the bound of 5%% is %v", got)
	}
}

// In noise of which a hundredth is a thousand times as strong, chance passes the bound no more often than is said, and
// the shift that is said to be found is found.
func TestThePowerIsWhatItSays(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sample := func(shift float64) []float64 {
		d := make([]float64, 400)
		for i := range d {
			d[i] = random.NormFloat64() * 1e5
			if random.IntN(100) == 0 {
				d[i] *= 1000
			}
			d[i] += shift
		}
		return d
	}
	limit := critical(0.01, 1)
	seen := power(sample(0), limit, random)
	alarms, found, missed := 0, 0, 0
	for range 300 {
		if math.Abs(signedRank(sample(0))) > limit {
			alarms++
		}
		if signedRank(sample(float64(seen))) > limit {
			found++
		}
		if signedRank(sample(float64(seen)/4)) <= limit {
			missed++
		}
	}
	if alarms > 12 || found < 255 || missed < 150 {
		t.Errorf("of 300 runs: %d false alarms, want about 3; a shift of %v found in %d, want about 285; a quarter of it missed in %d",
			alarms, seen, found, missed)
	}
}
