package linear_test

// bucket is what is used of one quota. Its window ends at some time between from and until, for the server does not say
// when exactly it read its clock. The zero bucket has no open window.
type bucket struct {
	used        int
	from, until int64
}

// taking is one way in which a bucket may answer.
type taking struct {
	after bucket
	ok    bool
}

// take is every way in which taking one unit at the time of a call may go.
func (b bucket) take(q quota, c *call) (ways []taking) {
	if c.until >= b.from {
		ways = append(ways, taking{bucket{1, after(max(c.from, b.from), q.window), after(c.until, q.window)}, true})
	}
	switch {
	case c.from >= b.until: // the window is over for certain, or there is none
	case b.used < q.count:
		ways = append(ways, taking{bucket{b.used + 1, b.from, b.until}, true})
	default:
		ways = append(ways, taking{b, false})
	}
	return ways
}

// spending is one way in which all the buckets of a limit may answer; a refusal takes nothing.
type spending struct {
	after []bucket
	ok    bool
}

func spend(buckets []bucket, quotas []quota, c *call) []spending {
	ways := []spending{{nil, true}}
	refused := false
	for i, q := range quotas {
		var longer []spending
		for _, way := range ways {
			for _, t := range buckets[i].take(q, c) {
				if !t.ok {
					refused = true
					continue
				}
				longer = append(longer, spending{append(way.after[:i:i], t.after), true})
			}
		}
		ways = longer
	}
	if refused {
		ways = append(ways, spending{buckets, false})
	}
	return ways
}

// refunded are the buckets with one unit given back. A window that is open for good and has nothing in it is none.
func refunded(buckets []bucket) []bucket {
	back := make([]bucket, len(buckets))
	for i, b := range buckets {
		if b.used--; b.used > 0 || b.until != never {
			back[i] = b
		}
	}
	return back
}
