package growth_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// enough is the least share of its throughput over an empty database that a full one may leave. The aim is 0.9, which is
// for the figures to show: a machine that others use moves a measurement by a tenth and more, and this is to be red only
// when something is read that need not be.
const enough = 0.7

// unlimited raises the limits that the load of one application meets.
var unlimited = rig.Settings{"limit_application": "1000000000/1h", "log_level": "info"}

// TestGrowth holds a server over a database with many live passcodes, and then with as many messages that wait, beside
// one over an empty database, in turns on the same machine.
func TestGrowth(t *testing.T) {
	if !rig.Full() {
		t.Parallel() // nothing is measured
	}
	for _, make := range []func(testing.TB) *rig.Database{rig.NewSQLite, rig.NewPostgres} {
		db, empty := make(t), make(t)
		t.Run(db.Kind(), func(t *testing.T) { grow(t, db, empty) })
	}
}

func grow(t *testing.T, db, empty *rig.Database) {
	n := rig.Size(200, 1_000_000)
	k := rig.StartSink(t, "")
	k.Answer(-1)
	like := takeSample(t, db, db.Settings().With(k.Settings()), k)
	beside := startDriver(t, empty)
	before := sizeOf(t, db)
	at := time.Now()
	fill(t, db, like, func(f *filler) {
		f.passcodes(n, "pending", "live.test", at)
		f.analyse()
	})
	t.Logf("filled with %d live passcodes in %v", n, time.Since(at))
	size := (sizeOf(t, db) - before) / n
	if rig.Full() {
		rig.Figure(t, "growth.size."+db.Kind(), size*1_000_000>>20, "MiB of a million live passcodes that were delivered")
	}
	full := startDriver(t, db)
	compare(t, "live", db.Kind(), full, beside)
	full.server.Stop()

	filling := time.Now()
	fill(t, db, like, func(f *filler) {
		f.backlog(n, at, filling.Add(2*time.Hour), at.Add(24*time.Hour))
		f.analyse()
	})
	t.Logf("filled with %d waiting messages in %v", n, time.Since(filling))
	full = startDriver(t, db)
	compare(t, "backlog", db.Kind(), full, beside)
	drain(t, db, full, beside, rig.Size(n, 20_000))
}

// startDriver starts a server over a database, with a mail server of its own.
func startDriver(t testing.TB, db *rig.Database) *driver {
	t.Helper()
	m := startMail(t)
	set := db.Settings().With(m.settings(), unlimited)
	key := rig.CreateKey(t, set, "Growth")
	began := time.Now()
	d := &driver{t: t, key: key, mail: m, server: rig.Start(t, set)}
	t.Logf("%s: ready after %v", db.Kind(), time.Since(began))
	return d
}

// compare drives both servers in turns and says the ratio of their medians, and what became of the memory of the one
// over the full database from its first rounds to its last.
func compare(t *testing.T, what, kind string, full, empty *driver) {
	t.Helper()
	var fullRates, emptyRates []float64
	full.run(window()) // both are warm
	empty.run(window())
	early := full.resident()
	for range rig.Size(1, 11) {
		fullRates = append(fullRates, full.run(window()).rate())
		emptyRates = append(emptyRates, empty.run(window()).rate())
	}
	late := full.resident()
	ratio := median(fullRates) / median(emptyRates)
	t.Logf("%s: cycles/s full %.0f, empty %.0f, memory %.0f, then %.0f", what, fullRates, emptyRates, early, late)
	if !rig.Full() {
		return
	}
	rig.Figure(t, "growth."+what+".ratio."+kind, fmt.Sprintf("%.2f", ratio), "throughput over the full database, over that of an empty one")
	rig.Figure(t, "growth."+what+".memory."+kind, fmt.Sprintf("%.2f", late/early), "resident memory after the load, over that after its first second")
	if ratio < enough {
		t.Errorf("%s: %.2f of the throughput over an empty database, want %.2f", what, ratio, enough)
	}
}

// drain makes n of the waiting messages due while people go on asking. Each message must be one that the program can
// open and goes out once, and those who ask now must not wait until all others are served.
func drain(t *testing.T, db *rig.Database, full, empty *driver, n int) {
	t.Helper()
	alone := empty.run(window())
	before := full.mail.total.Load()
	_, err := db.SQL.Exec(`UPDATE deliveries SET due_at = $1 WHERE id IN (SELECT id FROM deliveries WHERE state = 'queued'
		ORDER BY due_at LIMIT $2)`, time.Now().UnixMilli(), n)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	fresh := full.run(window())
	sent := float64(full.mail.total.Load()-before) / time.Since(began).Seconds()
	want := before + int64(n+fresh.cycles)
	rig.Await(t, "all that is due to be sent", func() bool { return full.mail.total.Load() >= want })
	rig.Await(t, "all that is due to be recorded", func() bool {
		return db.Number(t, `SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE state IN ('queued', 'sending') AND due_at <= $1 LIMIT 1) due`,
			time.Now().Add(time.Minute).UnixMilli()) == 0
	})
	if total, different := full.mail.total.Load(), full.mail.different(); total != want || different != int(total) {
		t.Errorf("%d messages were sent, %d of them different, want %d", total, different, want)
	}
	t.Logf("drain: %.0f messages/s, of them %.0f fresh, median arrival %v, slowest %v; empty %.0f/s, median %v", sent, fresh.rate(),
		median(fresh.arrivals), slices.Max(fresh.arrivals), alone.rate(), median(alone.arrivals))
	if rig.Full() {
		rig.Figure(t, "growth.drain.ratio."+db.Kind(), fmt.Sprintf("%.2f", sent/alone.rate()),
			"messages sent a second while a backlog drains and people ask, over those of an empty database")
		rig.Figure(t, "growth.drain.fresh."+db.Kind(), median(fresh.arrivals).Milliseconds(),
			"ms until half of those who ask while a backlog drains have their code")
	}
}

// window is how long one run lasts.
func window() time.Duration { return time.Duration(rig.Size(100, 800)) * time.Millisecond }
