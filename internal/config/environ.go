package config

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
)

// secretFile ends the name of a variable that names the file holding a secret.
const secretFile = "_FILE"

// variables adds what the environment says to values.
func (l *loader) variables(values map[string]value, others []string) {
	known := append([]string{prefix + "CONFIG"}, others...)
	settings := map[string]Setting{}
	for _, s := range Settings() {
		if s.App {
			continue
		}
		settings[s.Env] = s
		known = append(known, s.Env)
		if s.Secret {
			known = append(known, s.Env+secretFile)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.environ)) {
		text := l.environ[name]
		setting, isSetting := settings[name]
		inFile, isFile := settings[strings.TrimSuffix(name, secretFile)]
		switch {
		case isSetting:
			l.variable(values, setting, name, text)
		case isFile && inFile.Secret:
			l.secretFromFile(values, inFile, name, text)
		case isFile:
			l.fail(&Problem{Setting: inFile.Name, Origin: Origin{FromEnv, name},
				What: "only a secret is read from a file", Do: "set " + inFile.Env})
		case text != "" && !slices.Contains(known, name) && !fromKubernetes(name):
			l.fail(unknown(Origin{FromEnv, "environment"}, "variable", name, known))
		}
	}
}

func (l *loader) variable(values map[string]value, s Setting, name, text string) {
	if text != "" {
		values[s.Name] = value{text: text, origin: Origin{Source: FromEnv, Where: name}}
	}
}

func (l *loader) secretFromFile(values map[string]value, s Setting, name, path string) {
	if path == "" {
		return
	}
	origin := Origin{Source: FromEnv, Where: name}
	if l.environ[s.Env] != "" {
		l.fail(&Problem{Setting: s.Name, Origin: origin, What: s.Env + " is set as well", Do: "keep one of the two"})
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		l.fail(&Problem{Setting: s.Name, Origin: origin, Value: path, What: "the file cannot be read: " + reason(err),
			Do: "name a file that this user can read"})
		return
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		l.fail(&Problem{Setting: s.Name, Origin: origin, Value: path, What: "the file is empty",
			Do: "write the secret into it"})
		return
	}
	values[s.Name] = value{text: secret, origin: origin}
}

// unknown is the problem of a name that nobody knows.
func unknown(origin Origin, kind, name string, known []string) *Problem {
	p := &Problem{Origin: origin, What: "there is no " + kind + " " + name, Do: "remove it; otpost config example lists all settings"}
	if near := suggest.Sure(name, known); near != "" {
		p.Do = "did you mean " + near + "?"
	}
	return p
}

// Kubernetes describes every service of a namespace to every container by variables that begin with the service's
// name (Kubernetes documentation, "Service", Environment variables). A service called otpost or otpost-db must not
// keep otpost from starting.
var kubernetesVariable = regexp.MustCompile(
	`^OTPOST(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

func fromKubernetes(name string) bool { return kubernetesVariable.MatchString(name) }
