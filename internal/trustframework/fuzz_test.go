package trustframework_test

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/otpost/otpost/internal/trustframework"
)

// Whatever two files hold, reading them ends, every problem says where, and what is in the set can be walked.
func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		f.Fatal(paths, err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data, archive.Files[1].Data)
	}
	f.Add([]byte("\xff\xfe<\x00"), []byte("\xfe\xff\x00<"))
	f.Add([]byte("<?xml version='1.0' encoding='windows-1252'?>\x81"), []byte{0})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		files := folder("a.xml", string(a), "sub/b.xml", string(b))
		set := load(t, files, trustframework.Options{MaxFileBytes: 1 << 16, MaxEntries: 1 << 16})
		for _, p := range set.Problems {
			if p.At.File == "" || p.Reason == "" || p.Weight.String() == "unknown" {
				t.Errorf("a problem without place, reason or weight: %+v", p)
			}
		}
		for _, p := range set.Policies {
			if p.ID == "" || p.At.Line == 0 || dump(p) == "" {
				t.Errorf("a policy without id or place: %+v", p)
			}
			for _, profile := range p.TechnicalProfiles {
				if found, ok := p.TechnicalProfile(profile.ID); !ok || found != profile {
					t.Errorf("the profile %q is not found by its id", profile.ID)
				}
			}
		}
		if len(set.Policies)+len(set.Problems) == 0 {
			t.Error("two files came to nothing, and no problem says why")
		}
	})
}
