// Package trustframework reads Azure AD B2C custom policies: files of TrustFrameworkPolicy XML become policies with all
// that they inherit.
package trustframework

import (
	"io/fs"
	"strings"
)

// Options say how much is read, and what stands for the settings in it. The zero value is ready for use.
type Options struct {
	// Settings are the values of {Settings:NAME}, which Microsoft's editor extension puts in before it uploads a policy.
	// Names are compared without case. Optional.
	Settings map[string]string
	// MaxFileBytes bounds one file; 0 is 1 MiB, B2C's own bound (service-limits.md: 1024 KB).
	MaxFileBytes int64
	// MaxBytes bounds all files together; 0 is 64 MiB.
	MaxBytes int64
	// MaxFiles bounds how many files there are; 0 is 2000.
	MaxFiles int
	// MaxEntries bounds how many elements inheritance and inclusion may make of what the files hold; 0 is 4 million.
	MaxEntries int
}

func (o Options) withDefaults() Options {
	if o.MaxFileBytes <= 0 {
		o.MaxFileBytes = 1 << 20
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.MaxFiles <= 0 {
		o.MaxFiles = 2000
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = 4 << 20
	}
	return o
}

// Set is what a folder of policy files holds. Nothing changes it after Load, so that any number of callers may read it,
// and they must not change it either.
type Set struct {
	// Policies are those that could be read with all that they build on, by file.
	Policies []*Policy
	// Problems are in the order of files and lines.
	Problems []Problem
	byID     map[string][]*Policy
	byName   map[string]*Policy
}

// Policy finds a policy by its Name, or by its PolicyId alone if no other folder has the same. Case does not matter.
func (s *Set) Policy(id string) (*Policy, bool) {
	if p, there := s.byName[Fold(id)]; there {
		return p, true
	}
	found := s.byID[Fold(id)]
	if len(found) != 1 {
		return nil, false
	}
	return found[0], true
}

// Load reads every file of files that is named *.xml, at any depth, but in folders whose name begins with a dot. What is
// wrong with a file or a policy is a Problem that names the place; the others are read all the same. The error is that of
// reading the files.
func Load(files fs.FS, options Options) (*Set, error) {
	options = options.withDefaults()
	l := &loader{
		files:    files,
		options:  options,
		problems: &problems{seen: map[Problem]bool{}},
		entries:  options.MaxEntries,
	}
	if err := l.read(); err != nil {
		return nil, err
	}
	l.index()
	set := &Set{byID: map[string][]*Policy{}, byName: map[string]*Policy{}}
	r := newReader(l)
	for _, f := range l.sources {
		if !l.resolve(f) {
			continue
		}
		p := r.policy(f)
		set.Policies = append(set.Policies, p)
		set.byID[Fold(p.ID)] = append(set.byID[Fold(p.ID)], p)
		set.byName[Fold(p.Name())] = p
	}
	l.checkReferences(set.Policies)
	set.Problems = l.problems.sorted()
	return set, nil
}

// Fold is the form in which ids, keys and claim names are compared: B2C does not tell their cases apart (its own starter
// pack writes surName and surname), and blanks around them do not count.
func Fold(id string) string { return strings.ToLower(strings.TrimSpace(id)) }
