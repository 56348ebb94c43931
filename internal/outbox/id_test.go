package outbox_test

import (
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

func TestTimeOfAnID(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 123e6, time.UTC)
	if got, ok := outbox.TimeOf(outbox.NewID("dl", at)); !ok || !got.Equal(at) {
		t.Errorf("got %s, %t, want %s", got, ok, at)
	}
	for _, id := range []string{"", "dl", "dl_", "dl_1", "dl_!!!!!!!!!!!!!!!!!!!!!!!!!!", outbox.NewID("dl", at) + "00"} {
		if got, ok := outbox.TimeOf(id); ok {
			t.Errorf("%q: got %s", id, got)
		}
	}
}
