package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// defaultFile is read when no other file is named and it exists.
const defaultFile = "otpost.yaml"

// file reads the configuration file and returns its values by setting name.
func (l *loader) file(path string, byFlag bool) map[string]value {
	values := map[string]value{}
	origin := Origin{Source: FromEnv, Where: prefix + "CONFIG"}
	switch {
	case path == "":
		path, origin = defaultFile, Origin{Source: FromFile, Where: defaultFile}
	case byFlag:
		origin = Origin{Source: FromFlag, Where: "--config"}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		if origin.Source != FromFile || !errors.Is(err, fs.ErrNotExist) {
			l.fail(&Problem{Origin: origin, Value: path, What: "the file cannot be read: " + reason(err),
				Do: "name a file that this user can read"})
		}
		return values
	}
	l.yaml(values, path, text)
	return values
}

// yaml reads one mapping of setting names to scalars or lists of scalars. Scalars are taken as they are written, so
// that no stays a language and 0-9 an alphabet.
func (l *loader) yaml(values map[string]value, path string, text []byte) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return
	} else if err != nil {
		l.fail(&Problem{Origin: Origin{FromFile, path}, What: strings.TrimPrefix(err.Error(), "yaml: "), Do: "mend the YAML"})
		return
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		l.fail(&Problem{Origin: Origin{FromFile, path}, What: "a second YAML document follows", Do: "keep one"})
		return
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return
	}
	if root.Kind != yaml.MappingNode {
		l.fail(&Problem{Origin: Origin{FromFile, path}, What: "it is not a list of settings", Do: "write lines such as listen: :8080"})
		return
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		l.entry(values, path, root.Content[i], root.Content[i+1])
	}
}

func (l *loader) entry(values map[string]value, path string, key, node *yaml.Node) {
	origin := Origin{Source: FromFile, Where: fmt.Sprintf("%s:%d", path, key.Line)}
	setting, known := find(key.Value)
	if !known {
		l.fail(unknown(origin, "setting", key.Value, settingNames()))
		return
	}
	if setting.App {
		l.fail(&Problem{Setting: setting.Name, Origin: origin, What: "it is read from the environment alone, as a Function has it",
			Do: "set it there, or use mail_url or a provider of otpost's own"})
		return
	}
	if earlier, twice := values[setting.Name]; twice {
		l.fail(&Problem{Setting: setting.Name, Origin: origin, What: "it is already set at " + earlier.origin.Where, Do: "keep one of the two"})
		return
	}
	text, err := scalars(node)
	if err != nil {
		l.fail(&Problem{Setting: setting.Name, Origin: origin, What: err.Error(), Do: "write one value or a list of values"})
		return
	}
	values[setting.Name] = value{text: text, origin: origin}
}

// scalars is the text of a scalar, or of a list of scalars in the comma-separated form of the other sources.
func scalars(node *yaml.Node) (string, error) {
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			return "", nil
		}
		return strings.TrimSpace(node.Value), nil
	case yaml.SequenceNode:
		var parts []string
		for _, item := range node.Content {
			if item.Kind != yaml.ScalarNode {
				return "", errors.New("its list holds more than plain values")
			}
			parts = append(parts, item.Value)
		}
		return strings.Join(parts, ","), nil
	case yaml.AliasNode:
		return "", errors.New("aliases are not followed")
	default:
		return "", errors.New("it is a mapping")
	}
}

func settingNames() []string {
	var names []string
	for _, s := range Settings() {
		if !s.App {
			names = append(names, s.Name)
		}
	}
	return names
}

// reason is why a file operation failed, without the path, which the problem shows already.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}
