package admin_test

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// suppressed is a store of suppressions in memory.
type suppressed []outbox.Suppression

func (s *suppressed) Suppressions(_ context.Context, tenant string, channel outbox.Channel, after string, limit int, now time.Time) (list []outbox.Suppression, _ error) {
	for _, one := range *s {
		if one.Tenant == tenant && one.Channel == channel && one.Recipient > after && (one.Until.IsZero() || one.Until.After(now)) {
			list = append(list, one)
		}
	}
	slices.SortFunc(list, func(a, b outbox.Suppression) int { return strings.Compare(a.Recipient, b.Recipient) })
	return list[:min(limit, len(list))], nil
}

func (s *suppressed) Suppression(ctx context.Context, tenant string, channel outbox.Channel, recipient string, now time.Time) (outbox.Suppression, bool, error) {
	all, err := s.Suppressions(ctx, tenant, channel, "", len(*s), now)
	i := slices.IndexFunc(all, func(one outbox.Suppression) bool { return one.Recipient == recipient })
	if i < 0 {
		return outbox.Suppression{}, false, err
	}
	return all[i], true, err
}

func (s *suppressed) Unsuppress(_ context.Context, tenant string, channel outbox.Channel, recipient string) (bool, error) {
	before := len(*s)
	*s = slices.DeleteFunc(*s, func(one outbox.Suppression) bool {
		return one.Tenant == tenant && one.Channel == channel && one.Recipient == recipient
	})
	return len(*s) < before, nil
}

// suppress keeps messages from somebody, for a day after a bounce.
func (d *door) suppress(tenant, to string, reason outbox.SuppressionReason) {
	one := outbox.Suppression{Tenant: tenant, Channel: outbox.Email, Recipient: to, Reason: reason, Provider: "mail", At: noon()}
	if strings.HasPrefix(to, "+") {
		one.Channel = outbox.SMS
	}
	if reason != outbox.ComplainingRecipient {
		one.Until = noon().Add(24 * time.Hour)
	}
	d.kept = append(d.kept, one)
}

// recipients lists who is suppressed, by pages.
func (d *door) recipients(t *testing.T, query url.Values) (recipients []string, pages int) {
	t.Helper()
	for {
		var page struct {
			Suppressions []struct{ Recipient string }
			Next         string
		}
		w := d.want(t, 200, "", "GET", "/v1/suppressions?"+query.Encode(), "")
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		pages++
		for _, s := range page.Suppressions {
			recipients = append(recipients, s.Recipient)
		}
		if page.Next == "" {
			return recipients, pages
		}
		if pages > 10 {
			t.Fatalf("the pages do not end: %q", recipients)
		}
		query.Set("after", page.Next)
	}
}

func TestSuppressionsAreListedByPages(t *testing.T) {
	d := open(t)
	d.want(t, 200, `{"suppressions":[]}`, "GET", "/v1/suppressions", "")
	emails, numbers := []string{"ada@example.org", "lea@example.org", "tom@example.org"}, []string{"+33612345678", "+4915112345678"}
	for _, to := range slices.Concat(numbers, emails) {
		d.suppress("default", to, outbox.NoSuchRecipient)
	}
	d.suppress("other", "eve@example.org", outbox.NoSuchRecipient)
	all := slices.Concat(emails, numbers)
	for _, test := range []struct {
		query string
		want  []string
		pages int
	}{
		{"", all, 1}, {"limit=1", all, 5}, {"limit=2", all, 3}, {"limit=3", all, 2}, {"limit=4", all, 2}, {"limit=5", all, 1},
		{"channel=email&limit=3", emails, 1}, {"channel=sms&limit=1", numbers, 2}, {"channel=email&after=lea@example.org", emails[2:], 1},
		{"channel=email&after=%2B336", nil, 1}, {"after=zoe@example.org", numbers, 1},
		{"recipient=Lea@Example.ORG", emails[1:2], 1}, {"recipient=%2B33 6 12 34 56 78&channel=sms", numbers[:1], 1},
		{"recipient=eve@example.org", nil, 1},
	} {
		query, err := url.ParseQuery(test.query)
		if err != nil {
			t.Fatal(err)
		}
		if got, pages := d.recipients(t, query); !slices.Equal(got, test.want) || pages != test.pages {
			t.Errorf("%s: %q on %d pages, want %q on %d", test.query, got, pages, test.want, test.pages)
		}
	}
}

func TestASuppressionIsShownAndRemoved(t *testing.T) {
	d := open(t)
	d.suppress("default", "lea@example.org", outbox.NoSuchRecipient)
	d.suppress("default", "ada@example.org", outbox.ComplainingRecipient)
	d.want(t, 200, `{"suppressions":[{"channel":"email","recipient":"ada@example.org","reason":"complained","provider":"mail","reported_at":"2026-11-21T12:00:00.000Z"},`+
		`{"channel":"email","recipient":"lea@example.org","reason":"invalid_recipient","provider":"mail","reported_at":"2026-11-21T12:00:00.000Z","until":"2026-11-22T12:00:00.000Z"}]}`,
		"GET", "/v1/suppressions", "")
	d.want(t, 204, "", "DELETE", "/v1/suppressions?channel=email&recipient=LEA@example.org", "")
	d.want(t, 404, `"code":"no_such_suppression"`, "DELETE", "/v1/suppressions?channel=email&recipient=lea@example.org", "")
	d.want(t, 200, `{"suppressions":[{"channel":"email","recipient":"ada@example.org",`, "GET", "/v1/suppressions", "")
	if log := d.log.String(); !strings.Contains(log, `msg="suppression removed" channel=email by="key key_1"`) || strings.Contains(strings.ToLower(log), "lea") {
		t.Errorf("the log is\n%s", log)
	}
}

func TestSuppressionsRefuseWhatTheyCannotRead(t *testing.T) {
	d := open(t)
	for query, want := range map[string]string{
		"limit=0": "limit: ", "limit=1001": "limit: ", "limit=many": "limit: ", "channel=fax": "channel: want email or sms",
		"after=%ff": "after: ", "after=a%00": "after: ", "after=" + strings.Repeat("a", 400): "after: ",
		"recipient=nobody":                      "recipient: neither an email address",
		"recipient=lea@example.org&channel=sms": "channel: the recipient is of the channel email",
	} {
		d.want(t, 400, `"code":"invalid_query"`, "GET", "/v1/suppressions?"+query, "")
		w := d.want(t, 400, `"detail":"`+want, "GET", "/v1/suppressions?"+query, "")
		if strings.Contains(w.Body.String(), "lea@") {
			t.Errorf("%s is answered %s", query, w.Body)
		}
	}
	for query, want := range map[string]string{"": "recipient: an email address or an E.164 number is needed", "recipient=nobody": "recipient: ",
		"recipient=lea@example.org&channel=sms": "channel: ", "recipient=lea@example.org&channel=fax": "channel: want email or sms"} {
		d.want(t, 400, `"detail":"`+want, "DELETE", "/v1/suppressions?"+query, "")
	}
}
