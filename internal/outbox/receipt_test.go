package outbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

func TestAReceiptIsBroughtIntoBounds(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	long := strings.Repeat("x", 300)
	r := outbox.Receipt{Event: long + "1", Ref: long, Delivery: "dl_1\x00", Report: outbox.ReportBounced, Class: "of my own",
		At: now.Add(time.Hour), Code: long, Detail: "550 5.1.1 message \"482913 is your code, K7P3QX\" refused\xff " + long}
	got, ok := r.Bounded(now)
	if !ok || got.Delivery != "dl_1" || got.Class != "" || !got.At.Equal(now) || len(got.Ref) != 200 || len(got.Code) != 60 {
		t.Errorf("got %+v, %v", got, ok)
	}
	if want := `550 5.1.1 message "... is your code, ..." refused x`; !strings.HasPrefix(got.Detail, want) || len(got.Detail) > 300 {
		t.Errorf("the detail is %q, want %q", got.Detail, want)
	}
	r.Event = long + "2"
	if other, _ := r.Bounded(now); other.Event == got.Event || len(other.Event) > 200 {
		t.Errorf("two events became %q and %q", got.Event, other.Event)
	}
	for _, r := range []outbox.Receipt{{Event: "e1", Report: "opened"}, {Report: outbox.ReportDelivered}} {
		if _, ok := r.Bounded(now); ok {
			t.Errorf("%+v is taken", r)
		}
	}
}
