package storetest

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/outbox"
)

// device is a plausible one that waits to be confirmed.
func device(user string, at time.Time) authenticator.Device {
	return authenticator.Device{ID: outbox.NewID("au", at), Tenant: "default", Application: "app_1", User: user, Issuer: "Shop",
		Label: user, Algorithm: authenticator.SHA256, Digits: 8, Period: time.Minute, State: authenticator.Pending,
		CreatedAt: at, SecretSealed: []byte("sealed")}
}

// never is a time before all devices: none is overdue.
var never = now.Add(-100 * 24 * time.Hour)

func enrol(t *testing.T, s Store, user string, at time.Time) authenticator.Device {
	t.Helper()
	d := device(user, at)
	must(t, s.Enrol(t.Context(), d, 5, never))
	return d
}

func devices(t *testing.T, s Store, user string) []authenticator.Device {
	t.Helper()
	list, err := s.Devices(t.Context(), "default", user)
	must(t, err)
	return list
}

// changeOne changes the user's first device.
func changeOne(t *testing.T, s Store, user string, change func(*authenticator.Device)) {
	t.Helper()
	must(t, s.ChangeDevices(t.Context(), "default", user, now, func(list []authenticator.Device, _ authenticator.Turn) error {
		change(&list[0])
		return nil
	}))
}

func confirm(d *authenticator.Device) {
	d.State, d.ConfirmedAt, d.LastStep = authenticator.Confirmed, now, 57_000_000_000
}

func revoke(d *authenticator.Device) {
	d.State, d.RevokedAt, d.SecretSealed = authenticator.Revoked, now, nil
}

func deviceIsKept(t *testing.T, s Store) {
	want := enrol(t, s, "lea", now)
	if got := devices(t, s, "lea"); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Fatalf("enrolled %+v, want %+v", got, want)
	}
	changeOne(t, s, "lea", confirm)
	confirm(&want)
	if got := devices(t, s, "lea"); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("confirmed %+v, want %+v", got, want)
	}
}

func devicesOfOthersAreNotSeen(t *testing.T, s Store) {
	other := device("lea", now)
	other.Tenant = "other"
	must(t, s.Enrol(t.Context(), other, 5, never))
	enrol(t, s, "Lea", now) // another name, as names are compared as they stand
	if got := devices(t, s, "lea"); len(got) != 0 {
		t.Errorf("devices of another tenant or user: %+v", got)
	}
	must(t, s.ChangeDevices(t.Context(), "default", "lea", now, func(list []authenticator.Device, _ authenticator.Turn) error {
		if len(list) != 0 {
			t.Errorf("devices of another tenant or user to change: %+v", list)
		}
		return nil
	}))
}

func failedChangeChangesNothing(t *testing.T, s Store) {
	enrol(t, s, "lea", now)
	failure, limit := errors.New("on purpose"), deviceSpend("failed", 1)
	err := s.ChangeDevices(t.Context(), "default", "lea", now, func(list []authenticator.Device, turn authenticator.Turn) error {
		confirm(&list[0])
		if err := turn.Guess(false, limit); err != nil {
			return err
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatalf("error %v", err)
	}
	if got := devices(t, s, "lea"); got[0].State != authenticator.Pending || got[0].LastStep != 0 {
		t.Errorf("a change that failed left %+v", got[0])
	}
	must(t, guessDevice(t.Context(), s, "lea", false, limit))
}

func revokedDeviceIsGone(t *testing.T, s Store) {
	enrol(t, s, "lea", now)
	second := enrol(t, s, "lea", now.Add(time.Second))
	changeOne(t, s, "lea", revoke)
	if got := devices(t, s, "lea"); len(got) != 1 || got[0].ID != second.ID {
		t.Errorf("after one of two was revoked: %+v", got)
	}
	changeOne(t, s, "lea", revoke)
	enrol(t, s, "lea", now.Add(2*time.Second))
	if got := devices(t, s, "lea"); len(got) != 1 {
		t.Errorf("after both were revoked and one enrolled: %+v", got)
	}
}

func devicesAreLimited(t *testing.T, s Store) {
	for i := range 3 {
		must(t, s.Enrol(t.Context(), device("lea", now.Add(time.Duration(i)*time.Second)), 3, never))
	}
	for i, most := range []int{3, 2, 0} {
		if err := s.Enrol(t.Context(), device("lea", now.Add(time.Duration(i)*time.Minute)), most, never); !errors.Is(err, authenticator.ErrFull) {
			t.Errorf("beyond three where %d may be: %v", most, err)
		}
	}
	must(t, s.Enrol(t.Context(), device("ana", now), 3, never))
	changeOne(t, s, "lea", revoke)
	must(t, s.Enrol(t.Context(), device("lea", now.Add(time.Hour)), 3, never))
	if got := devices(t, s, "lea"); len(got) != 3 {
		t.Errorf("%d devices, want 3", len(got))
	}
}

func enrolmentsTogetherStayInBounds(t *testing.T, s Store) {
	for n := range 6 { // the first ones meet while connections are opened
		user := "user " + strconv.Itoa(n)
		ok := together(32, func(i int) error {
			return s.Enrol(t.Context(), device(user, now.Add(time.Duration(i)*time.Millisecond)), 5, never)
		})
		if got := devices(t, s, user); ok != 5 || len(got) != 5 {
			t.Errorf("%d of 32 enrolments went through and left %d devices, want 5", ok, len(got))
		}
	}
}

func overdueDeviceMakesRoom(t *testing.T, s Store) {
	old := enrol(t, s, "lea", now)
	changeOne(t, s, "lea", confirm)
	late := enrol(t, s, "lea", now.Add(time.Second))
	young := enrol(t, s, "lea", now.Add(time.Minute))
	next := device("lea", now.Add(time.Hour))
	if err := s.Enrol(t.Context(), next, 3, late.CreatedAt.Add(-time.Millisecond)); !errors.Is(err, authenticator.ErrFull) {
		t.Errorf("a millisecond before a device is overdue: %v", err)
	}
	must(t, s.Enrol(t.Context(), next, 3, late.CreatedAt))
	var ids []string
	for _, d := range devices(t, s, "lea") {
		ids = append(ids, d.ID)
	}
	if want := []string{old.ID, young.ID, next.ID}; !reflect.DeepEqual(ids, want) {
		t.Errorf("devices %q, want %q", ids, want)
	}
}

func stepIsUsedOnce(t *testing.T, s Store) {
	enrol(t, s, "lea", now)
	changeOne(t, s, "lea", confirm)
	used := errors.New("used")
	for step := int64(57_000_000_001); step < 57_000_000_009; step++ { // the first ones meet while connections are opened
		ok := together(64, func(int) error {
			return s.ChangeDevices(t.Context(), "default", "lea", now, func(list []authenticator.Device, turn authenticator.Turn) error {
				if list[0].LastStep >= step {
					return used
				}
				list[0].LastStep = step
				return turn.Guess(true, deviceSpend("used once", 10))
			})
		})
		if ok != 1 {
			t.Errorf("%d of 64 took the same step, want 1", ok)
		}
	}
}

func deviceSpend(name string, limit int) authenticator.Spend {
	s := spend(name, limit)
	return authenticator.Spend{Key: s.Key, Limit: s.Limit, Window: s.Window}
}

// guessDevice spends for one code that was tried.
func guessDevice(ctx context.Context, s Store, user string, right bool, spends ...authenticator.Spend) error {
	return s.ChangeDevices(ctx, "default", user, now, func(_ []authenticator.Device, turn authenticator.Turn) error {
		return turn.Guess(right, spends...)
	})
}

func deviceGuessesStayInTheLimit(t *testing.T, s Store) {
	limit := deviceSpend("guesses", 10)
	for i := range 4 {
		enrol(t, s, "user "+strconv.Itoa(i), now)
	}
	ok := together(64, func(i int) error {
		return guessDevice(t.Context(), s, "user "+strconv.Itoa(i%4), false, limit)
	})
	if ok != 10 {
		t.Errorf("%d of 64 wrong codes were let through a limit of 10", ok)
	}
	if ok := together(16, func(int) error { return guessDevice(t.Context(), s, "user 0", true, limit) }); ok != 0 {
		t.Errorf("%d codes were looked at after the limit", ok)
	}
}

func rightDeviceCodeSpendsNothing(t *testing.T, s Store) {
	enrol(t, s, "lea", now)
	limit := deviceSpend("right", 1)
	for range 3 {
		must(t, guessDevice(t.Context(), s, "lea", true, limit))
	}
	must(t, guessDevice(t.Context(), s, "lea", false, limit))
	for _, right := range []bool{true, false} {
		var spent *authenticator.Exhausted
		if err := guessDevice(t.Context(), s, "lea", right, limit); !errors.As(err, &spent) || !spent.RetryAt.Equal(now.Add(time.Minute)) {
			t.Errorf("right %v, after the limit: %v", right, err)
		}
	}
	must(t, guessDevice(t.Context(), s, "lea", false)) // without a limit
}

func sweepForgetsDevices(t *testing.T, s Store) {
	const retention = time.Hour
	kept := enrol(t, s, "confirmed", now)
	changeOne(t, s, "confirmed", confirm)
	enrol(t, s, "revoked", now)
	changeOne(t, s, "revoked", revoke)
	enrol(t, s, "pending", now)
	for _, step := range []struct {
		at      time.Time
		touched int
		what    string
	}{
		{now.Add(retention), 0, "at the end of the retention time"},
		{now.Add(retention + time.Millisecond), 1, "after it, the revoked device"},
		{now.Add(authenticator.MaxPending - time.Millisecond), 0, "before the end of what may be pending"},
		{now.Add(authenticator.MaxPending), 1, "at its end, the pending device"},
		{now.Add(authenticator.MaxPending + retention + time.Millisecond), 1, "and the row of it"},
		{now.Add(1000 * 24 * time.Hour), 0, "and nothing else, ever"},
	} {
		if n, err := s.Sweep(t.Context(), step.at, retention); err != nil || n != step.touched {
			t.Errorf("%s: %d rows, %v, want %d", step.what, n, err, step.touched)
		}
	}
	got := devices(t, s, "confirmed")
	if len(got) != 1 || got[0].ID != kept.ID || !bytes.Equal(got[0].SecretSealed, kept.SecretSealed) {
		t.Errorf("the confirmed device is %+v", got)
	}
}
