// Package e2e_test drives the otpost program as its users do: as a process of its own, over HTTP, mail and signals.
package e2e_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// program builds otpost once and returns its path. With -race, the program watches itself too.
var program = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "otpost-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "otpost")
	args := []string{"build", "-o", path}
	if raceDetector {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "../cmd/otpost")...).CombinedOutput(); err != nil {
		return path, fmt.Errorf("build otpost: %w\n%s", err, out)
	}
	return path, nil
})

// sources looks at the program's folders, so that a result that go test keeps counts only until they change. go test
// sees what tests look at, not what TestMain does.
var sources = sync.OnceValue(func() error {
	for _, root := range []string{"../cmd", "../internal"} {
		if err := filepath.WalkDir(root, func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			return err
		}
	}
	return nil
})

func TestMain(m *testing.M) {
	// Most tests wait for something: a lease to lapse, Entra to lose patience. More of them fit than there are cores.
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		flag.Set(f.Name, "4")
	}
	path, err := program()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	life.end()
	os.RemoveAll(filepath.Dir(path))
	os.Exit(code)
}
