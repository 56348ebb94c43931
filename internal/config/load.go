package config

import (
	"cmp"
	"slices"
	"strings"
)

// Sources is where Load looks.
type Sources struct {
	// Flags are the values given on the command line, by setting name.
	Flags map[string]string
	// Environ is the environment in the form of os.Environ.
	Environ []string
	// Path is the configuration file named on the command line. Empty means OTPOST_CONFIG, else otpost.yaml if there
	// is one.
	Path string
	// Others are variables beginning with OTPOST_ that are not settings but belong to other commands.
	Others []string
}

// Load returns the settings with their origins. The error is Problems: everything that is wrong, not only the first.
func Load(from Sources) (*Config, error) {
	l := loader{config: Default(), environ: environment(from.Environ), app: appEnvironment(from.Environ)}
	l.config.origins = map[string]Origin{}
	values := l.file(cmp.Or(from.Path, l.environ[prefix+"CONFIG"]), from.Path != "")
	l.variables(values, from.Others)
	l.appSettings(values)
	for name, text := range from.Flags {
		if setting, ok := find(name); ok && !setting.App {
			values[name] = value{text: text, origin: Origin{Source: FromFlag, Where: "--" + setting.Flag}}
		}
	}
	l.assign(values)
	l.crossCheck()
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	return l.config, nil
}

// value is what one source says of one setting.
type value struct {
	text   string
	origin Origin
}

type loader struct {
	config  *Config
	environ map[string]string
	// app are the settings of a Function, by every name they can have.
	app      map[string]string
	problems Problems
}

func (l *loader) fail(p *Problem) { l.problems = append(l.problems, p) }

// assign gives every field the value that won. An empty text means not set, as a compose file writes for a variable
// that nobody filled in.
func (l *loader) assign(values map[string]value) {
	for _, f := range l.config.fields() {
		v, found := values[f.Name]
		if !found || v.text == "" {
			continue
		}
		l.config.origins[f.Name] = v.origin
		if p := f.assign(v.text, v.origin); p != nil {
			l.fail(p)
		}
	}
}

// crossCheck looks at values together, except where a group already holds a wrong one: there it could only guess.
func (l *loader) crossCheck() {
	bad := map[string]bool{}
	for _, p := range l.problems {
		if setting, ok := find(p.Setting); ok {
			bad[setting.Group] = true
		}
	}
	for _, p := range l.config.check() {
		if setting, _ := find(p.Setting); !bad[setting.Group] {
			l.fail(p)
		}
	}
}

func find(name string) (Setting, bool) {
	settings := Settings()
	i := slices.IndexFunc(settings, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return Setting{}, false
	}
	return settings[i], true
}

func environment(environ []string) map[string]string {
	m := map[string]string{}
	for _, entry := range environ {
		if name, text, found := strings.Cut(entry, "="); found && strings.HasPrefix(name, prefix) {
			m[name] = strings.TrimSpace(text)
		}
	}
	return m
}
