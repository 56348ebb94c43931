package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/otpost/otpost/internal/config"
)

// settingsFlags are the flags that set deploy-time settings. They are generated from the settings, one each.
type settingsFlags struct {
	File  string       `name:"config" placeholder:"PATH" help:"Configuration file. Without it: OTPOST_CONFIG, else otpost.yaml if there is one."`
	Flags kong.Plugins `embed:""`
}

// prepare makes the flags. Those outside the groups named are left out of the help; no groups means all.
func (s *settingsFlags) prepare(groups ...string) {
	var fields []reflect.StructField
	for i, setting := range flagged() {
		fields = append(fields, flagOf(i, setting, len(groups) > 0 && !slices.Contains(groups, setting.Group)))
	}
	s.Flags = kong.Plugins{reflect.New(reflect.StructOf(fields)).Interface()}
}

// flagged are the settings that have a flag.
func flagged() []config.Setting {
	return slices.DeleteFunc(config.Settings(), func(s config.Setting) bool { return s.App })
}

// flagOf describes one flag in the tags that kong reads. A pointer tells a flag that was not given from an empty one.
func flagOf(i int, setting config.Setting, hidden bool) reflect.StructField {
	typ := reflect.TypeFor[*string]()
	if setting.Bool {
		typ = reflect.TypeFor[*bool]()
	}
	help := setting.Doc
	if setting.Default != "" && !setting.Bool {
		help = strings.TrimSuffix(help, ".") + " (default " + setting.Default + ")."
	}
	tags := []string{tag("name", setting.Flag), tag("help", help), tag("group", setting.Group+" settings"),
		tag("placeholder", setting.Placeholder), tag("choices", strings.Join(setting.Choices, ","))}
	if hidden {
		tags = append(tags, tag("hidden", ""))
	}
	return reflect.StructField{Name: "Flag" + strconv.Itoa(i), Type: typ, Tag: reflect.StructTag(strings.Join(tags, " "))}
}

func tag(name, value string) string { return fmt.Sprintf("%s:%q", name, value) }

// given are the values of the flags that stand on the command line, by setting name.
func (s *settingsFlags) given() map[string]string {
	given := map[string]string{}
	flags := reflect.ValueOf(s.Flags[0]).Elem()
	for i, setting := range flagged() {
		switch value := flags.Field(i).Interface().(type) {
		case *string:
			if value != nil {
				given[setting.Name] = *value
			}
		case *bool:
			if value != nil {
				given[setting.Name] = strconv.FormatBool(*value)
			}
		}
	}
	return given
}

// load merges flags, environment, file and defaults.
func (s *settingsFlags) load(p *Program) (*config.Config, error) {
	return config.Load(config.Sources{Flags: s.given(), Environ: p.Environ, Path: s.File, Others: clientVariables()})
}
