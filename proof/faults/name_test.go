package faults_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/proof/rig"
)

// TestUnknownHostDelaysUntilTheSettingIsMended lets both providers have names that do not exist, and then gives them
// their right addresses, as an operator would: by a restart with other settings.
func TestUnknownHostDelaysUntilTheSettingIsMended(t *testing.T) {
	t.Parallel()
	test := func(db func(testing.TB) *rig.Database) func(*testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			h := startHost(t, db(t), true)
			mended := h.settings
			h.server.Stop()
			h.run(t, mended.With(rig.Settings{
				"mail_url":    strings.Replace(mended["mail_url"], "127.0.0.1", "mail.invalid", 1),
				"webhook_url": strings.Replace(mended["webhook_url"], "127.0.0.1", "hook.invalid", 1)}))
			r := &row{name: "a name that does not exist", at: "connect", may: notNow}
			protocols := []*protocol{h.smtp(), h.http()}
			for _, p := range protocols {
				h.issue(t, h.expect(p, r), "")
				h.awaitBegun(t, p)
			}
			h.server.Stop()
			h.run(t, mended)
			rig.Await(t, "the end of every message", func() bool { return underWay(t, h.db) == 0 })
			for to, d := range deliveries(t, h.db) {
				h.truth.mu.Lock()
				kept := h.truth.takings[d.id]
				h.truth.mu.Unlock()
				if d.state != "accepted" || len(kept) != 1 || d.attempts[0].class != outbox.Transient {
					t.Errorf("%s: %+v, kept %d times, want it delayed and taken once", to, *d, len(kept))
				}
			}
			h.checkTraces(t, protocols...)
		}
	}
	t.Run("sqlite", test(rig.NewSQLite))
	if rig.Full() {
		t.Run("postgres", test(rig.NewPostgres))
	}
}
