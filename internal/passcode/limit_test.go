package passcode

import (
	"net/netip"
	"testing"
	"time"
)

// TestASplitLimitComesLast holds what the store expects, and that issue and resend count the same rows.
func TestASplitLimitComesLast(t *testing.T) {
	e := Engine{Limits: DefaultLimits()}
	c := Challenge{Tenant: "default", Mailbox: "lea@example.org", Application: "app_1", Policy: DefaultPolicy()}
	client := netip.MustParseAddr("203.0.113.9")
	guarded := []Spend{SharedSpend("daily budget", "default", "sms", 100, time.Hour, 7)}
	issue, resend := e.issueSpends(&c, time.Minute, client, guarded), e.Limits.sends(c.Tenant, c.Mailbox, c.Application, client, guarded)
	for _, spends := range [][]Spend{issue, resend} {
		for i, s := range spends {
			if last := i == len(spends)-1; (s.Parts > 0) != last {
				t.Errorf("spend %d of %d, %s, has %d parts", i+1, len(spends), s.Name, s.Parts)
			}
		}
	}
	if string(issue[len(issue)-1].Key) != string(resend[len(resend)-1].Key) {
		t.Error("issue and resend count in different rows")
	}
}

func TestPartsAddUp(t *testing.T) {
	for _, limit := range []int{1, 15, 16, 17, 1000, 20000} {
		s := Spend{Key: make([]byte, 16), Limit: limit, Parts: 16}
		sum, keys := 0, map[string]bool{}
		for i := range s.Parts {
			part := s.Part(i)
			sum += part.Limit
			keys[string(part.Key)] = true
		}
		if sum != limit || len(keys) != 16 {
			t.Errorf("the parts of %d add up to %d in %d rows", limit, sum, len(keys))
		}
	}
}
