package trustframework

import "path"

// resolve merges a policy with what it builds on, and reports whether that could be done. It says why not, once.
func (l *loader) resolve(s *source) bool {
	switch s.state {
	case resolved:
		return true
	case refused, resolving:
		return false
	}
	s.state = resolving
	if s.base == "" {
		s.merged, s.state = s.root, resolved
		return true
	}
	parent, why := l.find(s)
	switch {
	case parent == nil:
		return l.drop(s, why)
	case parent.state == resolving:
		return l.drop(s, "the policy "+s.id+" builds on itself, by way of "+parent.id)
	case !l.resolve(parent):
		return l.drop(s, "its base "+parent.id+" in "+parent.path+" is refused")
	case length(parent) >= maxChain:
		return l.drop(s, "more than 10 policies build on each other")
	}
	base := parent.merged
	s.merged = l.merger().merge("", base, s.root)
	if l.spent {
		return l.drop(s, "what the policies inherit comes to more elements than are taken; the files are too many or too repetitive")
	}
	s.parent, s.state = parent, resolved
	return true
}

func (l *loader) drop(s *source, why string) bool {
	s.state = refused
	l.problems.add(s.baseAt, Refused, "%s", why)
	return false
}

// length counts the policies from the first base to s.
func length(s *source) int {
	n := 0
	for ; s != nil; s = s.parent {
		n++
	}
	return n
}

// find looks for a base where an upload would have it: in the folder of the file, then in those above it, then
// anywhere, if there is only one. Packs hold the same PolicyId in many folders.
func (l *loader) find(s *source) (*source, string) {
	id := Fold(s.base)
	for folder := s.folder; ; folder = path.Dir(folder) {
		if found := l.byFolder[[2]string{folder, id}]; found != nil {
			return found, ""
		}
		if folder == "." || folder == "/" {
			break
		}
	}
	switch all := l.byID[id]; len(all) {
	case 0:
		return nil, "the base policy " + s.base + " is in none of the files; add it"
	case 1:
		return all[0], ""
	default:
		return nil, "the base policy " + s.base + " is neither in this folder nor above it, and in several others, such as " +
			all[0].path + " and " + all[1].path
	}
}
