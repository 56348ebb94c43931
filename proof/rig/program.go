package rig

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// tags are the build tags of the program, set once by Main.
var tags []string

// Main runs a package's tests, as its TestMain, on a program that is built with these build tags. What lives as long as
// all tests, as PostgreSQL does, ends here.
func Main(m *testing.M, buildTags ...string) {
	// Most tests wait for something: a lease to lapse, Entra to lose patience. More of them fit than there are cores.
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		flag.Set(f.Name, "4")
	}
	tags = buildTags
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

// program builds otpost once and returns its path. With -race, the program watches itself too.
var program = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "otpost-rig-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "otpost")
	args := []string{"build", "-o", path, "-tags", strings.Join(tags, ",")}
	if raceDetector {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "github.com/otpost/otpost/cmd/otpost")...).CombinedOutput(); err != nil {
		return path, fmt.Errorf("build otpost: %w\n%s", err, out)
	}
	return path, nil
})

// sources looks at the program's folders, so that a result that go test keeps counts only until they change. go test
// sees what tests look at, not what TestMain does.
var sources = sync.OnceValue(func() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	for _, folder := range programFolders() {
		err := filepath.WalkDir(filepath.Join(root, folder), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			return err
		}
	}
	return nil
})

// programFolders hold the program's code.
func programFolders() []string { return []string{"cmd", "internal"} }

// moduleRoot is the folder of go.mod, in or above the one that a test runs in.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		above := filepath.Dir(folder)
		if above == folder {
			return "", errors.New("no go.mod in or above the folder of the test")
		}
		folder = above
	}
}
