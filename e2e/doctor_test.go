package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/otpost/otpost/e2e/mailserver"
	"github.com/otpost/otpost/proof/rig"
)

// examined is what otpost doctor says of one provider.
type examined struct {
	Sections []struct {
		Name     string
		Findings []struct{ Subject, Verdict, Found, Do string }
	}
}

// of lists the subjects and verdicts of a section.
func (e examined) of(name string) (all string) {
	for _, s := range e.Sections {
		for _, f := range s.Findings {
			if s.Name == name {
				all += f.Subject + " " + f.Verdict + ", "
			}
		}
	}
	return all
}

func TestDoctorAndProviderTestBesideARunningServer(t *testing.T) {
	post := mailserver.Start(t)
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		right := db.Settings().With(throughMailServer(t, post))
		p := rig.Start(t, right)
		wrong := right.With(rig.Settings{"mail_url": strings.Replace(right["mail_url"], post.Password, "wrong-s3cret", 1)})
		for name, test := range map[string]struct {
			settings rig.Settings
			want     string
		}{
			"right": {right, "connection good, encryption good, login good, sender good, "},
			"wrong": {wrong, "connection good, encryption good, login bad, "},
		} {
			stdout, stderr, code := rig.Run(t, test.settings, "doctor", "--provider", "environment", "--output", "json")
			var e examined
			if err := json.Unmarshal([]byte(stdout), &e); err != nil || e.of("provider environment (smtp)") != test.want || name == "wrong" && code != 1 {
				t.Errorf("%s: exit %d, %v, want %s\n%s%s", name, code, err, test.want, stdout, stderr)
			}
			if strings.Contains(stdout+stderr, post.Password) || strings.Contains(stdout+stderr, "s3cret") {
				t.Errorf("a password is told:\n%s%s", stdout, stderr)
			}
		}
		admin, stderr, code := rig.Run(t, right, "key", "create", "--admin")
		if code != 0 {
			t.Fatal(stderr)
		}
		to := "lea-" + db.Kind() + "@example.test"
		ask := []string{"provider", "test", "environment", "--url", "http://" + p.Public, "--key", strings.TrimSpace(admin), "--to"}
		stdout, stderr, code := rig.Run(t, nil, append(ask, to)...)
		if code != 0 || !strings.HasPrefix(stdout, "environment took the message.\n") {
			t.Errorf("a test: exit %d\n%s%s", code, stdout, stderr)
		}
		post.Wait(t, to, 1)
		stdout, stderr, code = rig.Run(t, nil, append(ask, mailserver.UnknownUser+"@example.test")...)
		if code != 1 || !strings.Contains(stdout, "invalid_recipient 550 5.1.1") || !strings.Contains(stdout, "What was found about it:") {
			t.Errorf("a test to nobody: exit %d\n%s%s", code, stdout, stderr)
		}
		p.Stop()
	})
}
