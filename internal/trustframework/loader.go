package trustframework

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// maxChain bounds how many policies build on each other (service-limits.md: 10 levels; trustframeworkpolicy.md says that
// there is no limit).
const maxChain = 10

// source is one file with its policy.
type source struct {
	path, folder string
	id           string
	// base is the id of the policy that it builds on, "" if none.
	base   string
	baseAt Origin
	root   *element
	// merged is root with what it inherits, once it is resolved.
	merged *element
	parent *source
	state  state
}

// state is how far resolving a source came.
type state int

const (
	unresolved state = iota
	resolving
	resolved
	refused
)

// loader reads files and makes merged elements of them.
type loader struct {
	files    fs.FS
	options  Options
	problems *problems
	sources  []*source
	// byFolder finds sources by folder and PolicyId, byID by PolicyId alone.
	byFolder map[[2]string]*source
	byID     map[string][]*source
	entries  int
	spent    bool
}

func (l *loader) merger() merger { return merger{l.problems, &l.entries, &l.spent} }

// read parses each file; one that cannot be read leaves the others alone.
func (l *loader) read() error {
	settings := make(map[string]string, len(l.options.Settings))
	for name, value := range l.options.Settings {
		settings[Fold(name)] = value
	}
	count, left := 0, l.options.MaxBytes
	return fs.WalkDir(l.files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil && name == "." {
			return fmt.Errorf("read the policy files: %w", err)
		}
		if err != nil {
			l.refuse(name, err)
			return fs.SkipDir
		}
		if entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if l.elsewhere(name, entry) {
			l.problems.add(Origin{File: name}, Refused, "it is a link to a folder, which is not followed; put the folder itself here")
			return nil
		}
		if entry.IsDir() || !strings.EqualFold(path.Ext(name), ".xml") {
			return nil
		}
		if count++; count > l.options.MaxFiles {
			l.problems.add(Origin{File: name}, Refused, "there are more than %d policy files; this and those after it are not read", l.options.MaxFiles)
			return fs.SkipAll
		}
		data, err := l.bytes(name, &left)
		if err == nil {
			err = l.take(name, data, settings)
		}
		if err != nil {
			l.refuse(name, err)
		}
		return nil
	})
}

// elsewhere says that an entry is a link to a folder. Those of Kubernetes are hidden, and lead to files that are there too.
func (l *loader) elsewhere(name string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 || strings.HasPrefix(entry.Name(), ".") || strings.EqualFold(path.Ext(name), ".xml") {
		return false
	}
	about, err := fs.Stat(l.files, name)
	return err == nil && about.IsDir()
}

// refuse reports why a file is not read.
func (l *loader) refuse(name string, err error) {
	at := Origin{File: name}
	m := (*misread)(nil)
	switch {
	case errors.As(err, &m):
		at.Line, at.Column = m.line, m.column
	case errors.Is(err, fs.ErrPermission):
		err = errors.New("this user may not read it; let them, or take it out of the folder")
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("it is a link to nothing; put the file itself here")
	}
	l.problems.add(at, Refused, "%v", err)
}

// bytes reads one file within the bounds. Links are followed, since Kubernetes mounts files as links; what is not a file
// then, such as a pipe, is not opened.
func (l *loader) bytes(name string, left *int64) ([]byte, error) {
	if about, err := fs.Stat(l.files, name); err != nil {
		return nil, err
	} else if !about.Mode().IsRegular() {
		return nil, errors.New("it is no regular file; put the file itself here")
	}
	f, err := l.files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, l.options.MaxFileBytes+1))
	switch *left -= int64(len(data)); {
	case err != nil:
		return nil, err
	case int64(len(data)) > l.options.MaxFileBytes:
		return nil, fmt.Errorf("the file is larger than %d bytes; split the policy, as B2C wants it too", l.options.MaxFileBytes)
	case *left < 0:
		return nil, fmt.Errorf("the files up to here are larger than %d bytes together", l.options.MaxBytes)
	}
	return data, nil
}

// take parses one file and notes what it is and builds on.
func (l *loader) take(name string, data []byte, settings map[string]string) error {
	decoded, err := text(data)
	if err != nil {
		return err
	}
	found := &problems{seen: map[Problem]bool{}}
	root, err := parse(name, decoded, settings, found)
	if err != nil {
		return err
	}
	s := &source{path: name, folder: path.Dir(name), id: root.get("PolicyId")}
	if s.id == "" {
		return &misread{root.at.Line, root.at.Column, "the policy has no PolicyId"}
	}
	if b := root.child("BasePolicy"); b != nil {
		s.base, s.baseAt = b.textOf("PolicyId"), b.at
		if s.base == "" {
			return &misread{b.at.Line, b.at.Column, "BasePolicy has no PolicyId"}
		}
	}
	for _, p := range found.list {
		l.problems.add(p.At, p.Weight, "%s", p.Reason)
	}
	checkKnown(root, l.problems)
	s.root = flatten(l.merger(), root)
	l.sources = append(l.sources, s)
	return nil
}

// index makes sources findable. In one folder a PolicyId is that of the first file that has it.
func (l *loader) index() {
	l.byFolder, l.byID = map[[2]string]*source{}, map[string][]*source{}
	for _, s := range l.sources {
		key := [2]string{s.folder, Fold(s.id)}
		if first, taken := l.byFolder[key]; taken {
			l.problems.add(s.root.at, Refused, "the policy %s is also in %s; keep one of the two in this folder", s.id, first.path)
			s.state = refused
			continue
		}
		l.byFolder[key] = s
		l.byID[Fold(s.id)] = append(l.byID[Fold(s.id)], s)
	}
}
