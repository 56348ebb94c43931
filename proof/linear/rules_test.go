package linear_test

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// quota is so many in a window that begins with its first use.
type quota struct {
	count  int
	window time.Duration
}

// rules are the settings that decide answers, for the server and for the model.
type rules struct {
	tries, resends    int
	interval          time.Duration
	lifetime, lockout time.Duration
	sends, guesses    []quota
	freshCodes        bool
}

// never is a time that no run lives to see. What lasts an hour or more ends then, so that time is in the model only
// where it decides something.
const never = math.MaxInt64

func lasting(d time.Duration) bool { return d >= time.Hour }

// after is when something ends that lasts d from ms on.
func after(ms int64, d time.Duration) int64 {
	if lasting(d) {
		return never
	}
	return ms + d.Milliseconds()
}

func (r rules) settings() rig.Settings {
	set := rig.Settings{"log_level": "info", "limit_application": "off"}
	for name, value := range map[string]any{"code_tries": r.tries, "resends": r.resends, "resend_interval": r.interval,
		"code_lifetime": r.lifetime, "lockout": r.lockout, "limit_identifier": quotas(r.sends),
		"limit_guesses": quotas(r.guesses), "fresh_code_on_resend": r.freshCodes} {
		set[name] = fmt.Sprint(value)
	}
	// Twelve characters are not guessed by chance, so a code that is nobody's is wrong.
	return set.With(rig.LongCodes, rig.Settings{"resend_interval": fmt.Sprint(r.interval)})
}

func quotas(all []quota) string {
	var parts []string
	for _, q := range all {
		parts = append(parts, fmt.Sprintf("%d/%v", q.count, q.window))
	}
	return strings.Join(parts, ",")
}

// timeless are rules under which nothing ends by itself during a run.
func timeless() rules {
	return rules{tries: 3, resends: 2, lifetime: 24 * time.Hour, lockout: 24 * time.Hour,
		sends: []quota{{10, 23 * time.Hour}, {9, 24 * time.Hour}}, guesses: []quota{{12, 24 * time.Hour}}}
}

// lenient are timeless rules without a lock-out, so that histories go on after a lock, and with a new code at each resend.
func lenient() rules {
	r := timeless()
	r.lockout, r.freshCodes, r.guesses = 0, true, []quota{{14, 23 * time.Hour}, {9, 24 * time.Hour}}
	return r
}

// hasty are rules under which everything ends soon.
func hasty() rules {
	return rules{tries: 3, resends: 2, interval: 300 * time.Millisecond, lifetime: 30 * time.Second, lockout: time.Second,
		sends: []quota{{6, 3 * time.Second}}, guesses: []quota{{8, 2 * time.Second}}}
}
